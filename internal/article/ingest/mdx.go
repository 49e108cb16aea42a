package ingest

import (
	"fmt"
	"regexp"
	"strings"

	"github.com/tidings-press/tidings/internal/article"
)

// MDX is Markdown with JavaScript: imports, expressions in braces, and elements of components.
// Imports, comments and expressions are dropped, since they are no text. An element keeps its
// content; that of a component is dropped with a warning that gives its line, because what the
// component shows is not in the file.

// mdx holds the state of the conversion of one text.
type mdx struct {
	im     *importer
	text   string
	line   int // line of the file on which the text begins
	code   []span
	out    strings.Builder
	warned map[string]bool // names of components that were warned about
}

// moduleLine matches the start of an import or export statement.
var moduleLine = regexp.MustCompile(`^(?:import\s+(?:[\w*{][^;]*\sfrom\s+)?["'][^"']+["'];?\s*$|import\s+(?:\*|\{|\w+\s*(?:,|from\b|$))|export\s+(?:const|let|var|default|function|async|class|type|interface|\{|\*))`)

// jsxStart matches the start of an element, an end tag or a fragment.
var jsxStart = regexp.MustCompile(`^</?(?:[A-Za-z][\w.-]*|>)`)

// mdxComment matches a comment, which may be the divider of a summary.
var mdxComment = regexp.MustCompile(`^\{\s*/\*((?s:.*?))\*/\s*\}`)

// fromMDX converts a text in MDX to Markdown. line is its first line in the file.
func (im *importer) fromMDX(text string, line int) string {
	text = dropModules(text)
	m := mdx{im: im, text: text, line: line, code: markdownCode(text), warned: map[string]bool{}}
	for at := 0; at < len(text); {
		for len(m.code) > 0 && m.code[0].to <= at {
			m.code = m.code[1:]
		}
		if len(m.code) > 0 && m.code[0].from <= at {
			m.out.WriteString(text[at:m.code[0].to])
			at = m.code[0].to
			continue
		}
		switch {
		case text[at] == '\\' && at+1 < len(text):
			m.out.WriteString(text[at : at+2])
			at += 2
		case text[at] == '{':
			at = m.expression(at)
		case text[at] == '<' && jsxStart.MatchString(text[at:]):
			at = m.element(at)
		default:
			m.out.WriteByte(text[at])
			at++
		}
	}
	return m.out.String()
}

// dropModules drops import and export statements outside code. A statement ends before a blank
// line. The lines stay, so that warnings give the right ones.
func dropModules(text string) string {
	code := markdownCode(text)
	var out strings.Builder
	at, dropping := 0, false
	for line := range strings.Lines(text) {
		for len(code) > 0 && code[0].to <= at {
			code = code[1:]
		}
		inCode := len(code) > 0 && code[0].from <= at
		dropping = !inCode && strings.TrimSpace(line) != "" && (dropping || moduleLine.MatchString(line))
		if dropping {
			out.WriteString(strings.Repeat("\n", strings.Count(line, "\n")))
		} else {
			out.WriteString(line)
		}
		at += len(line)
	}
	return out.String()
}

// expression drops an expression in braces and returns the position after it. Text that is none,
// because its brace is not closed, stays.
func (m *mdx) expression(at int) int {
	if found := mdxComment.FindStringSubmatch(m.text[at:min(len(m.text), at+maxTemplateTag)]); found != nil {
		m.out.WriteString("<!--" + strings.ReplaceAll(found[1], "--", "") + "-->")
		return at + len(found[0])
	}
	end := closingBrace(m.text, at)
	if end < 0 {
		m.out.WriteByte('{')
		return at + 1
	}
	inner := strings.TrimSpace(m.text[at+1 : end-1])
	if plain := strings.Trim(inner, "'\"`"); len(inner) >= 2 && len(plain) == len(inner)-2 && !strings.Contains(plain, "${") { // {" "}
		m.out.WriteString(plain)
	} else if strings.HasPrefix(inner, "#") { // {#id} names a heading, as it does in Markdown
		if line := m.text[strings.LastIndexByte(m.text[:at], '\n')+1:]; strings.HasPrefix(line, "#") {
			m.out.WriteString("{" + inner + "}")
		}
	} else if inner != "" {
		m.warn(at, "an expression in JavaScript", "{"+inner+"}")
	}
	return end
}

// element copies an element without the attributes that are expressions, or drops the tag of a
// component. It returns the position after the tag.
func (m *mdx) element(at int) int {
	end := closingTag(m.text, at)
	if end < 0 {
		m.out.WriteByte('<')
		return at + 1
	}
	tag := m.text[at:end]
	name := strings.Trim(jsxStart.FindString(tag), "</>")
	switch {
	case name == "": // a fragment
	case name[0] >= 'A' && name[0] <= 'Z' || strings.Contains(name, "."):
		if !strings.HasPrefix(tag, "</") && !m.warned[name] {
			m.warned[name] = true
			m.warn(at, "the component "+name, tag)
		}
		m.out.WriteString(strings.Repeat("\n", strings.Count(tag, "\n")))
	default:
		m.out.WriteString(plainAttributes(tag))
	}
	return end
}

func (m *mdx) warn(at int, what, source string) {
	if m.im.warnedEnough() {
		return
	}
	line := m.line + strings.Count(m.text[:at], "\n")
	m.im.warn(line, fmt.Sprintf("%s is left out: %q", what, cutText(article.CleanLine(source), 60)), "write what it shows as Markdown or HTML")
}

// bracedAttribute matches the start of an attribute whose value is an expression.
var bracedAttribute = regexp.MustCompile(`\s+([A-Za-z][\w:-]*)=\{|\s+\{\.\.\.`)

// plainValue matches numbers and truth values. Names are those of variables.
var plainValue = regexp.MustCompile(`^(?:-?[0-9.]+|true|false)$`)

// plainAttributes rewrites the attributes of a tag as HTML: numbers and texts in braces become
// values, other expressions are dropped.
func plainAttributes(tag string) string {
	var out strings.Builder
	for {
		found := bracedAttribute.FindStringSubmatchIndex(tag)
		if found == nil {
			break
		}
		brace := found[0] + strings.IndexByte(tag[found[0]:], '{')
		end := closingBrace(tag, brace)
		if end < 0 {
			break
		}
		out.WriteString(tag[:found[0]])
		written := strings.TrimSpace(tag[brace+1 : end-1])
		value := strings.Trim(written, "'\"`")
		plain := value != written || plainValue.MatchString(value)
		if found[2] >= 0 && plain && !strings.ContainsAny(value, `{}()"'<>$`) {
			fmt.Fprintf(&out, ` %s="%s"`, tag[found[2]:found[3]], value)
		}
		tag = tag[end:]
	}
	out.WriteString(tag)
	return strings.ReplaceAll(out.String(), " className=", " class=")
}

// closingBrace returns the position after the brace that closes the one at a position, or -1.
func closingBrace(text string, at int) int {
	depth := 0
	for i := at; i < len(text) && i < at+maxTemplateTag; i++ {
		switch text[i] {
		case '{':
			depth++
		case '}':
			if depth--; depth == 0 {
				return i + 1
			}
		}
	}
	return -1
}

// closingTag returns the position after the tag that begins at a position, or -1.
func closingTag(text string, at int) int {
	var quote byte
	for i := at; i < len(text) && i < at+maxTemplateTag; i++ {
		switch c := text[i]; {
		case quote != 0:
			if c == quote {
				quote = 0
			}
		case c == '"' || c == '\'':
			quote = c
		case c == '{':
			end := closingBrace(text, i)
			if end < 0 {
				return -1
			}
			i = end - 1
		case c == '>':
			return i + 1
		}
	}
	return -1
}
