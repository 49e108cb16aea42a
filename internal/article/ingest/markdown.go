package ingest

import (
	"strconv"
	"strings"

	"github.com/yuin/goldmark"
	"github.com/yuin/goldmark/ast"
	"github.com/yuin/goldmark/extension"
	"github.com/yuin/goldmark/parser"
	"github.com/yuin/goldmark/renderer/html"
	"github.com/yuin/goldmark/text"

	"github.com/tidings-press/tidings/internal/article"
)

// markdown is CommonMark with tables, footnotes, strikethrough, bare links, task
// lists, definition lists and ids on headings. Raw HTML passes: everything is
// sanitized afterwards.
var markdown = newMarkdown(
	extension.Linkify, extension.Strikethrough, extension.TaskList, extension.Footnote, extension.DefinitionList,
	// The sanitizer drops styles, so columns are aligned by an attribute.
	extension.NewTable(extension.WithTableCellAlignMethod(extension.TableCellAlignAttribute)),
)

func newMarkdown(extensions ...goldmark.Extender) goldmark.Markdown {
	md := goldmark.New(goldmark.WithExtensions(extensions...), goldmark.WithRendererOptions(html.WithUnsafe(), html.WithEastAsianLineBreaks(html.EastAsianLineBreaksCSS3Draft)))
	md.SetParser(boundedParser(extensions))
	return md
}

// checkboxes replaces those of task lists, which the sanitizer would drop with every other
// control.
var checkboxes = strings.NewReplacer(
	`<input checked="" disabled="" type="checkbox"> `, "☑ ",
	`<input disabled="" type="checkbox"> `, "☐ ",
)

func fromMarkdown(source []byte) (string, error) {
	out := boundedBuilder{limit: min(maxRendered, 8*len(source)+4<<20), limitError: errRendered}
	context := parser.NewContext(parser.WithIDs(&headingIDs{used: map[string]bool{}, last: map[string]int{}}))
	tree := markdown.Parser().Parse(text.NewReader(source), parser.WithContext(context))
	if wide, ok := context.Get(tableErrorKey).(*tableError); ok {
		return "", wide
	}
	if linksSize(tree) > out.limit {
		return "", errRendered
	}
	if err := markdown.Renderer().Render(&out, source, tree); err != nil {
		return "", err
	}
	return checkboxes.Replace(out.text.String()), nil
}

// linksSize returns how long the addresses and titles of all links are together. One
// definition can be named by many links, and the renderer writes it out for each, even
// when what it writes is refused.
func linksSize(tree ast.Node) int {
	size := 0
	_ = ast.Walk(tree, func(n ast.Node, entering bool) (ast.WalkStatus, error) { // the function below never fails
		switch link := n.(type) {
		case *ast.Link:
			size += len(link.Destination) + len(link.Title)
		case *ast.Image:
			size += len(link.Destination) + len(link.Title)
		}
		return ast.WalkContinue, nil
	})
	return size / 2 // each is met when it begins and when it ends
}

// headingIDs makes ids of headings in any script, where goldmark's own know Latin
// letters only. It counts on from the last number, so that many equal headings
// take no longer than different ones.
type headingIDs struct {
	used map[string]bool
	last map[string]int
}

func (ids *headingIDs) Generate(heading []byte, _ ast.NodeKind) []byte {
	base := article.Slugify(string(heading))
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
