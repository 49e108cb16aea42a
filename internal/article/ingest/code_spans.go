package ingest

import (
	"regexp"
	"strings"
)

// span is a part of a text: from is its first byte, to the byte after its last.
type span struct{ from, to int }

var (
	fenceLine = regexp.MustCompile("^ {0,3}(`{3,}|~{3,})")
	listItem  = regexp.MustCompile(`^ {0,3}(?:[*+-]|\d{1,9}[.)])[ \t]`)
	htmlParts = regexp.MustCompile(`(?is)<pre\b.*?</pre>|<code\b.*?</code>|<script\b.*?</script>|<style\b.*?</style>`)
)

func htmlCode(text string) []span {
	var out []span
	for _, found := range htmlParts.FindAllStringIndex(text, -1) {
		out = append(out, span{found[0], found[1]})
	}
	return out
}

// fenceAround returns the mark of a fenced block around code, which is longer than any run of backticks in it
// (CommonMark, section 4.5).
func fenceAround(code string) string {
	mark := "```"
	for strings.Contains(code, mark) {
		mark += "`"
	}
	return mark
}

// markdownCode returns the code in a Markdown text: fenced and indented blocks, and inline code.
func markdownCode(text string) []span {
	var out []span
	fence, at, prose := "", 0, 0
	blank, inList := true, false
	add := func(to int) { // also adds inline code in the lines before
		out = append(out, codeSpans(text, prose, at)...)
		if to > at {
			out = append(out, span{at, to})
		}
		prose = to
	}
	for line := range strings.Lines(text) {
		end := at + len(line)
		content := strings.TrimRight(line, " \t\r\n")
		indented := strings.HasPrefix(line, "    ") || strings.HasPrefix(line, "\t")
		switch found := fenceLine.FindStringSubmatch(line); {
		case fence != "":
			if found != nil && strings.HasPrefix(found[1], fence) && strings.TrimSpace(content) == strings.TrimSpace(found[0]) {
				fence = ""
			}
			add(end)
		case found != nil:
			fence = found[1]
			add(end)
		case content == "":
			add(at)
		case indented && blank && !inList:
			add(end)
		}
		if content != "" && !indented {
			inList = listItem.MatchString(line) || inList && strings.HasPrefix(line, " ")
		}
		blank = content == "" || indented && blank && !inList
		at = end
	}
	add(at)
	return out
}

// codeSpans returns inline code between runs of backticks (CommonMark, section 6.1).
func codeSpans(text string, from, to int) []span {
	var out []span
	part := text[from:to]
	for at := 0; at < len(part); {
		start := strings.IndexByte(part[at:], '`')
		if start < 0 {
			break
		}
		start += at
		run := len(part[start:]) - len(strings.TrimLeft(part[start:], "`"))
		at = start + run
		for end := at; end < len(part); {
			next := strings.IndexByte(part[end:], '`')
			if next < 0 {
				break
			}
			next += end
			length := len(part[next:]) - len(strings.TrimLeft(part[next:], "`"))
			if end = next + length; length == run {
				out, at = append(out, span{from + start, from + end}), end
				break
			}
		}
	}
	return out
}
