package plaintext

import (
	"bytes"
	"cmp"
	"slices"
	"strconv"
	"strings"

	"github.com/rivo/uniseg"
	"golang.org/x/net/html"
	"golang.org/x/net/html/atom"
)

// lineWidth is the width of a line in columns. Code and addresses may be wider.
const lineWidth = 72

// FromHTML converts HTML to text: paragraphs in lines of at most 72 columns, lists with their marks,
// quotes after "> ", tables in columns, code as it is, the alternative texts of images in brackets,
// and the addresses of links after their texts. The result has no line break at its end. HTML that
// cannot be parsed is an error.
func FromHTML(source string) (string, error) {
	body := &html.Node{Type: html.ElementNode, Data: "body", DataAtom: atom.Body}
	nodes, err := html.ParseFragment(strings.NewReader(source), body)
	if err != nil {
		return "", err
	}
	w := &writer{}
	for _, n := range nodes {
		w.node(n)
	}
	w.endParagraph()
	return strings.TrimRight(w.out.String(), "\n"), nil
}

// lineBreak stands for a br element until a paragraph is written. Articles contain no control
// characters.
const lineBreak = "\x01"

// writer writes the text of a document from its start to its end.
type writer struct {
	out        strings.Builder
	paragraph  bytes.Buffer // the inline text since the last block
	paragraphs int          // number of paragraphs that were taken
	prefix     string       // of every line, such as "> "
	mark       string       // of the next line, in place of the end of the prefix, such as "* "
	blank      bool         // an empty line has to precede the next line,
	between    string       // with this prefix
	tight      bool         // no empty lines between blocks, as in a list of short items
}

// blocks are the elements that begin and end a paragraph and need nothing else.
var blocks = map[atom.Atom]bool{
	atom.P: true, atom.Div: true, atom.Section: true, atom.Article: true, atom.Aside: true, atom.Header: true, atom.Footer: true,
	atom.Main: true, atom.Nav: true, atom.Address: true, atom.Figure: true, atom.Figcaption: true, atom.Details: true, atom.Summary: true,
	atom.Dt: true, atom.Form: true, atom.Fieldset: true, atom.Center: true, atom.Caption: true, atom.Hgroup: true,
}

// skipped are the elements whose content is no text of the article.
var skipped = map[atom.Atom]bool{
	atom.Script: true, atom.Style: true, atom.Template: true, atom.Head: true, atom.Title: true, atom.Rp: true,
	atom.Noscript: true, atom.Audio: true, atom.Video: true, atom.Object: true, atom.Iframe: true, atom.Svg: true, atom.Math: true,
}

func (w *writer) node(n *html.Node) {
	switch {
	case n.Type == html.TextNode:
		w.paragraph.WriteString(n.Data)
	case n.Type != html.ElementNode || skipped[n.DataAtom]:
	case blocks[n.DataAtom]:
		w.block(n)
	default:
		w.element(n)
	}
}

func (w *writer) children(n *html.Node) {
	for child := n.FirstChild; child != nil; child = child.NextSibling {
		w.node(child)
	}
}

// block writes an element as paragraphs of its own.
func (w *writer) block(n *html.Node) {
	w.endParagraph()
	w.children(n)
	w.endParagraph()
}

func (w *writer) element(n *html.Node) {
	switch n.DataAtom {
	case atom.H1, atom.H2, atom.H3, atom.H4, atom.H5, atom.H6:
		w.heading(n)
	case atom.Ul, atom.Ol, atom.Menu:
		w.list(n)
	case atom.Dl:
		w.definitions(n)
	case atom.Dd:
		w.nested("  ", "  ", n)
	case atom.Blockquote:
		w.nested("> ", "> ", n)
	case atom.Pre:
		w.code(n)
	case atom.Table:
		w.table(n)
	case atom.Hr:
		w.endParagraph()
		w.lines("* * *")
	case atom.Br:
		w.paragraph.WriteString(lineBreak)
	default:
		w.inline(n)
	}
}

// inline writes the text of an element inside a paragraph.
func (w *writer) inline(n *html.Node) {
	before, after := "", ""
	switch n.DataAtom {
	case atom.A:
		w.link(n)
		return
	case atom.Img:
		if alt := OneLine(attribute(n, "alt")); alt != "" {
			before = "[" + alt + "]"
		}
	case atom.Q:
		before, after = "“", "”"
	case atom.Del, atom.S:
		before, after = "~~", "~~"
	case atom.Sup:
		if child := n.FirstChild; child != nil && child.Type == html.TextNode {
			before = "^"
		}
	case atom.Rt:
		before, after = "(", ")"
	}
	w.paragraph.WriteString(before)
	w.children(n)
	w.paragraph.WriteString(after)
}

// link writes the text of a link and, unless it is the same, its address. Links inside the page lead
// nowhere in a mail: those to footnotes are written as [1], and those back are left out.
func (w *writer) link(n *html.Node) {
	address := attribute(n, "href")
	begin, paragraphs := w.paragraph.Len(), w.paragraphs
	w.children(n)
	if w.paragraphs != paragraphs { // a block inside the link has ended the paragraph before
		begin = 0
	}
	content := string(w.paragraph.Bytes()[begin:])
	w.paragraph.Truncate(begin)
	w.paragraph.WriteString(linkText(content, address))
}

// linkText returns the text of a link, with its address unless it is the same.
func linkText(content, address string) string {
	text := OneLine(strings.ReplaceAll(content, lineBreak, "\n"))
	switch inside := strings.HasPrefix(address, "#"); {
	case inside && strings.HasPrefix(text, "↩"):
		return ""
	case inside && isNumber(strings.TrimPrefix(text, "^")):
		return "[" + strings.TrimPrefix(text, "^") + "]"
	case inside || address == "" || address == text || strings.TrimPrefix(address, "mailto:") == text:
		return content
	case text == "":
		return "<" + address + ">"
	}
	trimmed := strings.TrimRight(content, " \n"+lineBreak)
	breaks := strings.Repeat(lineBreak, strings.Count(content[len(trimmed):], lineBreak)) // they stand behind the address
	return trimmed + " <" + address + ">" + breaks
}

func isNumber(text string) bool {
	_, err := strconv.Atoi(text)
	return err == nil
}

// heading writes a heading with a line below.
func (w *writer) heading(n *html.Node) {
	w.endParagraph()
	w.children(n)
	text := w.takeParagraph()
	if text == "" {
		return
	}
	lines := w.wrapped(text)
	width := 0
	for _, line := range lines {
		width = max(width, uniseg.StringWidth(line))
	}
	w.lines(append(lines, strings.Repeat("-", min(width, lineWidth)))...)
}

// list writes a list. A list inside an item is indented.
func (w *writer) list(n *html.Node) {
	w.endParagraph()
	number, step := 1, 1
	if hasAttribute(n, "reversed") {
		number, step = items(n), -1
	}
	if start, err := strconv.Atoi(attribute(n, "start")); err == nil {
		number = start
	}
	before := w.tight
	w.tight = isTight(n)
	if before {
		w.blank = false
	}
	for item := n.FirstChild; item != nil; item = item.NextSibling {
		switch {
		case item.DataAtom != atom.Li:
			w.node(item) // text without an item is not valid, but browsers show it
		case n.DataAtom == atom.Ol:
			if value, err := strconv.Atoi(attribute(item, "value")); err == nil {
				number = value
			}
			mark := strconv.Itoa(number) + ". "
			w.nested(mark, strings.Repeat(" ", len(mark)), item)
			number += step
		default:
			w.nested("* ", "  ", item)
		}
	}
	w.endParagraph()
	w.tight = before
	w.endBlock()
}

// items returns the number of items of a list.
func items(list *html.Node) (n int) {
	for item := list.FirstChild; item != nil; item = item.NextSibling {
		if item.DataAtom == atom.Li {
			n++
		}
	}
	return n
}

// definitions writes a list of terms; their definitions are indented.
func (w *writer) definitions(n *html.Node) {
	w.endParagraph()
	before := w.tight
	w.tight = isTight(n)
	w.block(n)
	w.tight = before
	w.endBlock()
}

// isTight reports whether no item of a list has paragraphs.
func isTight(list *html.Node) bool {
	for item := list.FirstChild; item != nil; item = item.NextSibling {
		for child := item.FirstChild; child != nil; child = child.NextSibling {
			switch child.DataAtom {
			case atom.P, atom.Blockquote, atom.Pre, atom.Table:
				return false
			}
		}
	}
	return true
}

// nested writes an element with a mark before its first line and a prefix before the others.
func (w *writer) nested(mark, prefix string, n *html.Node) {
	w.endParagraph()
	outerMark, outerPrefix := w.mark, w.prefix
	w.mark, w.prefix = cmp.Or(outerMark, outerPrefix)+mark, outerPrefix+prefix
	inner := w.mark
	w.children(n)
	w.endParagraph()
	if w.mark != inner {
		outerMark = ""
	}
	w.mark, w.prefix = outerMark, outerPrefix
	w.endBlock()
}

// code writes preformatted text: each line as it is.
func (w *writer) code(n *html.Node) {
	w.endParagraph()
	var text strings.Builder
	collect(&text, n)
	if strings.TrimSpace(text.String()) == "" {
		return
	}
	w.lines(strings.Split(strings.TrimRight(text.String(), "\n"), "\n")...)
}

func collect(out *strings.Builder, n *html.Node) {
	if n.Type == html.TextNode {
		out.WriteString(n.Data)
	}
	if n.DataAtom == atom.Br {
		out.WriteByte('\n')
	}
	for child := n.FirstChild; child != nil; child = child.NextSibling {
		collect(out, child)
	}
}

// takeParagraph returns the inline text so far and begins a new paragraph.
func (w *writer) takeParagraph() string {
	lines := strings.Split(w.paragraph.String(), lineBreak)
	w.paragraph.Reset()
	w.paragraphs++
	for i, line := range lines {
		lines[i] = OneLine(line)
	}
	return strings.TrimSpace(strings.Join(lines, "\n"))
}

func (w *writer) endParagraph() {
	if text := w.takeParagraph(); text != "" {
		w.lines(w.wrapped(text)...)
	}
}

func (w *writer) wrapped(text string) []string {
	return strings.Split(Wrap(max(lineWidth-uniseg.StringWidth(w.prefix), 20), text), "\n")
}

// lines writes the lines of a block. An empty line follows before the next block, except in a tight
// list.
func (w *writer) lines(lines ...string) {
	if w.blank && w.out.Len() > 0 {
		w.out.WriteString(strings.TrimRight(w.between, " ") + "\n")
	}
	for _, line := range lines {
		prefix := w.prefix
		if w.mark != "" {
			prefix, w.mark = w.mark, ""
		}
		w.out.WriteString(strings.TrimRight(prefix+line, " ") + "\n")
	}
	w.endBlock()
}

// endBlock asks for an empty line before the next block.
func (w *writer) endBlock() { w.blank, w.between = !w.tight, w.prefix }

func attribute(n *html.Node, name string) string {
	for _, at := range n.Attr {
		if at.Key == name {
			return at.Val
		}
	}
	return ""
}

func hasAttribute(n *html.Node, name string) bool {
	return slices.ContainsFunc(n.Attr, func(at html.Attribute) bool { return at.Key == name })
}
