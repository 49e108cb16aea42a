package templates

import (
	"html/template"
	"strings"
	texttemplate "text/template"

	"github.com/rivo/uniseg"

	"github.com/tidings-press/tidings/internal/plaintext"
)

// textFuncs are the functions of text templates.
var textFuncs = texttemplate.FuncMap{
	"wrap":      plaintext.Wrap,
	"underline": underline,
	"rule":      rule,
	"indent":    indent,
	"plain":     plain,
	"excerpt":   excerpt,
}

// rule returns a line of a repeated character, at most 200 of them.
func rule(char string, width int) string { return strings.Repeat(char, max(0, min(width, 200))) }

// indent inserts spaces before every line but the first.
func indent(width int, text string) string {
	return strings.ReplaceAll(text, "\n", "\n"+strings.Repeat(" ", max(0, min(width, 72))))
}

// underline appends a line of a repeated character, as wide as the widest line of the text.
func underline(char, text string) string {
	width := 0
	for _, line := range strings.Split(text, "\n") {
		width = max(width, uniseg.StringWidth(line))
	}
	return text + "\n" + strings.Repeat(char, min(width, 72))
}

// excerpt shortens a text to about that many columns: it ends with a sentence, or with a word and an
// ellipsis. Chinese, Japanese and Korean characters take two columns.
func excerpt(columns int, text string) string {
	width := uniseg.StringWidth(text)
	if width <= columns {
		return text
	}
	return plaintext.Shorten(text, columns*uniseg.GraphemeClusterCount(text)/width)
}

// plain converts an article's HTML to text.
func plain(body template.HTML) (string, error) { return plaintext.FromHTML(string(body)) }
