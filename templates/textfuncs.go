package templates

import (
	"html/template"
	"strings"
	texttemplate "text/template"

	"github.com/inbucket/html2text"
	"github.com/rivo/uniseg"
)

// textFuncs are the functions of text templates.
var textFuncs = texttemplate.FuncMap{
	"wrap":      wrap,
	"underline": underline,
	"rule":      func(mark string, width int) string { return strings.Repeat(mark, max(0, min(width, 200))) },
	"indent":    indent,
	"plain":     plain,
}

// wrap breaks text into lines of at most width columns, at the places where its
// script allows. A word that is longer, such as an address, stays whole.
func wrap(width int, text string) string {
	var out strings.Builder
	for i, line := range strings.Split(text, "\n") {
		if i > 0 {
			out.WriteByte('\n')
		}
		wrapLine(&out, width, line)
	}
	return out.String()
}

func wrapLine(out *strings.Builder, width int, line string) {
	column, state := 0, -1
	var pending string // spaces that only count when a word follows on the same line
	for line != "" {
		var segment string
		segment, line, _, state = uniseg.FirstLineSegmentInString(line, state)
		word := strings.TrimRight(segment, " \t")
		if wide := uniseg.StringWidth(word); column > 0 && column+len(pending)+wide > width {
			out.WriteByte('\n')
			column = 0
		} else {
			out.WriteString(pending)
			column += len(pending)
		}
		out.WriteString(word)
		column += uniseg.StringWidth(word)
		pending = segment[len(word):]
	}
}

// indent puts spaces before every line but the first.
func indent(width int, text string) string {
	return strings.ReplaceAll(text, "\n", "\n"+strings.Repeat(" ", max(0, min(width, 72))))
}

// underline puts a line of marks under a text, as wide as its widest line.
func underline(mark, text string) string {
	width := 0
	for _, line := range strings.Split(text, "\n") {
		width = max(width, uniseg.StringWidth(line))
	}
	return text + "\n" + strings.Repeat(mark, min(width, 72))
}

// plain turns an article's HTML into text.
func plain(body template.HTML) (string, error) {
	return html2text.FromString(string(body))
}
