package article

import (
	"bytes"
	"strconv"
	"strings"

	"github.com/yuin/goldmark"
	"github.com/yuin/goldmark/ast"
	"github.com/yuin/goldmark/extension"
	"github.com/yuin/goldmark/parser"
	"github.com/yuin/goldmark/renderer/html"
)

// markdown is CommonMark with tables, footnotes, strikethrough, bare links, task
// lists, definition lists and ids on headings. Raw HTML passes: everything is
// cleaned afterwards.
var markdown = newMarkdown(
	extension.Linkify, extension.Strikethrough, extension.TaskList, extension.Footnote, extension.DefinitionList,
	// Cleaning drops styles, so columns are aligned by an attribute.
	extension.NewTable(extension.WithTableCellAlignMethod(extension.TableCellAlignAttribute)),
)

func newMarkdown(extensions ...goldmark.Extender) goldmark.Markdown {
	md := goldmark.New(goldmark.WithExtensions(extensions...), goldmark.WithRendererOptions(html.WithUnsafe()))
	md.SetParser(boundedParser(extensions))
	return md
}

// checkboxes stand for those of task lists, which cleaning would drop with every
// other control.
var checkboxes = strings.NewReplacer(
	`<input checked="" disabled="" type="checkbox"> `, "☑ ",
	`<input disabled="" type="checkbox"> `, "☐ ",
)

func fromMarkdown(source []byte) (string, error) {
	var out bytes.Buffer
	context := parser.NewContext(parser.WithIDs(&headingIDs{used: map[string]bool{}, last: map[string]int{}}))
	if err := markdown.Convert(source, &out, parser.WithContext(context)); err != nil {
		return "", err
	}
	return checkboxes.Replace(out.String()), nil
}

// headingIDs makes ids of headings in any script, where goldmark's own know Latin
// letters only. It counts on from the last number, so that many equal headings
// take no longer than different ones.
type headingIDs struct {
	used map[string]bool
	last map[string]int
}

func (ids *headingIDs) Generate(heading []byte, _ ast.NodeKind) []byte {
	base := Slugify(string(heading))
	if base == "" {
		base = "heading"
	}
	id := base
	for ids.used[id] {
		ids.last[base]++
		id = base + "-" + strconv.Itoa(ids.last[base])
	}
	ids.used[id] = true
	return []byte(id)
}

func (ids *headingIDs) Put(id []byte) { ids.used[string(id)] = true }
