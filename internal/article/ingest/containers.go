package ingest

import (
	"regexp"
	"strings"
)

// containerStart and containerEnd match the lines around a container: a note, a warning or
// another block that generators put in a box (Docusaurus, VitePress, Pandoc and others).
var (
	containerStart = regexp.MustCompile(`^([ \t]*):{3,}[ \t]*(?:\{[^}\n]*\}|([A-Za-z][\w-]*))(?:[ \t]*\[([^\n]*)\]|[ \t]*\{[^}\n]*\}|[ \t]+([^\n{]+))?[ \t]*\{?[^\n}]*\}?[ \t]*$`)
	containerEnd   = regexp.MustCompile(`^[ \t]*:{3,}[ \t]*$`)
)

// renderContainers makes quotations of containers, with their title as the first line. A
// container without an end, and code, stay as they are.
func renderContainers(text string) string {
	if !strings.Contains(text, ":::") {
		return text
	}
	code := markdownCode(text)
	lines := strings.SplitAfter(text, "\n")
	var open []int // lines that begin a container
	replaced := map[int]string{}
	at := 0
	for i, line := range lines {
		for len(code) > 0 && code[0].to <= at {
			code = code[1:]
		}
		inCode := len(code) > 0 && code[0].from <= at
		at += len(line)
		bare := strings.TrimRight(line, "\r\n")
		switch found := containerStart.FindStringSubmatch(bare); {
		case inCode:
		case found != nil:
			open = append(open, i)
			title := firstWord(strings.TrimSpace(found[3]), strings.TrimSpace(found[4]))
			if title != "" {
				title = found[1] + "**" + title + "**\n\n"
			}
			replaced[i] = found[1] + "<blockquote>\n\n" + title
		case containerEnd.MatchString(bare) && len(open) > 0:
			open = open[:len(open)-1]
			replaced[i] = "\n" + bare[:strings.IndexByte(bare, ':')] + "</blockquote>\n\n"
		}
	}
	for _, i := range open {
		delete(replaced, i)
	}
	var out strings.Builder
	for i, line := range lines {
		if new, changed := replaced[i]; changed {
			line = new
		}
		out.WriteString(line)
	}
	return out.String()
}

// kramdownComment returns the length of a comment of kramdown at the start of a text, or 0. One without an end
// goes to the end of the text.
func kramdownComment(text string) int {
	const opening = "{::comment}"
	if !strings.HasPrefix(text, opening) {
		return 0
	}
	for _, closing := range []string{"{:/comment}", "{:/}"} {
		if end := strings.Index(text, closing); end >= 0 {
			return end + len(closing)
		}
	}
	return len(text)
}
