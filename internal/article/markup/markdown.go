package markup

import (
	"errors"
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

// markdown converts CommonMark with tables, footnotes, strikethrough, bare links, task lists,
// definition lists and heading ids. It keeps raw HTML, since its output is sanitized.
var markdown = newMarkdown(
	extension.Linkify, extension.Strikethrough, extension.TaskList, extension.Footnote, extension.DefinitionList,
	// The sanitizer drops styles, so columns are aligned by an attribute.
	extension.NewTable(extension.WithTableCellAlignMethod(extension.TableCellAlignAttribute)),
)

func newMarkdown(extensions ...goldmark.Extender) goldmark.Markdown {
	md := goldmark.New(goldmark.WithExtensions(extensions...), goldmark.WithRendererOptions(html.WithUnsafe()))
	md.SetParser(boundedParser(extensions))
	return md
}

// checkboxes replaces the checkboxes of task lists by characters, since the sanitizer drops all
// form controls.
var checkboxes = strings.NewReplacer(
	`<input checked="" disabled="" type="checkbox"> `, "☑ ",
	`<input disabled="" type="checkbox"> `, "☐ ",
)

// maxRendered is the maximum size of the HTML of one text in bytes.
const maxRendered = 16 << 20

// errRendered is returned if the HTML of a text becomes too large, for example because many
// links refer to one long definition.
var errRendered = errors.New("it would become much more HTML than there is text")

// Markdown converts Markdown to HTML, which has yet to be sanitized. The HTML may be at most 4 MB larger
// than 8 times the text, and at most 16 MB. The error about tables with too many cells is a *TableError.
func Markdown(source []byte) (string, error) {
	out := boundedBuilder{limit: min(maxRendered, 8*len(source)+4<<20), limitError: errRendered}
	context := parser.NewContext(parser.WithIDs(&headingIDs{used: map[string]bool{}, last: map[string]int{}}))
	tree := markdown.Parser().Parse(text.NewReader(source), parser.WithContext(context))
	if wide, ok := context.Get(tableErrorKey).(*TableError); ok {
		return "", wide
	}
	if linksSize(tree) > out.limit {
		return "", errRendered
	}
	joinLines(tree, source)
	if err := markdown.Renderer().Render(&out, source, tree); err != nil {
		return "", err
	}
	return checkboxes.Replace(out.text.String()), nil
}

// linksSize returns the total size of the URLs and titles of all links. Many links can refer to
// one long definition, and the renderer would spend time on each of them even after the output
// limit is reached.
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
	return size / 2 // Walk visits every link twice, on entering and on leaving
}

// headingIDs generates heading ids in any script; those of goldmark have Latin letters only. It
// stores the last number for each id, so that many equal headings take linear time.
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
