package templates

import (
	"html/template"
	"strings"
	texttemplate "text/template"
	"unicode/utf8"

	"github.com/inbucket/html2text"
	"github.com/rivo/uniseg"
)

// textFuncs are the functions of text templates.
var textFuncs = texttemplate.FuncMap{
	"wrap":      wrap,
	"underline": underline,
	"rule":      rule,
	"indent":    indent,
	"plain":     plain,
}

// wrap breaks text into lines of at most width columns, at spaces and between the
// characters of scripts that have none. A longer word, such as an address, stays
// whole, so that it can be pressed on.
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
	column := 0
	spaces := "" // they only count when a word follows on the same line
	for line != "" {
		var piece string
		piece, line = nextPiece(line)
		word := strings.TrimRight(piece, " \t")
		wide := uniseg.StringWidth(word)
		if column > 0 && column+len(spaces)+wide > width {
			out.WriteByte('\n')
			column, spaces = 0, ""
		}
		out.WriteString(spaces + word)
		column += len(spaces) + wide
		spaces = piece[len(word):]
	}
}

// nextPiece splits a line at the first place where we break it. UAX 14 would also
// break after the slashes and hyphens of an address.
func nextPiece(line string) (piece, rest string) {
	rest = line
	for state := -1; rest != ""; {
		var segment string
		segment, rest, _, state = uniseg.FirstLineSegmentInString(rest, state)
		last, _ := utf8.DecodeLastRuneInString(segment)
		if last == ' ' || last == '\t' || uniseg.StringWidth(string(last)) == 2 {
			break
		}
	}
	return line[:len(line)-len(rest)], rest
}

// rule is a line of marks.
func rule(mark string, width int) string { return strings.Repeat(mark, max(0, min(width, 200))) }

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
