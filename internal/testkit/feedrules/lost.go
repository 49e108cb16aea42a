package feedrules

import (
	"encoding/json"
	"fmt"
	"strings"
	"unicode"

	"golang.org/x/net/html"
	"golang.org/x/net/html/atom"

	"github.com/tidings-press/tidings/feed"
	"github.com/tidings-press/tidings/internal/article"
)

// MissingText reports the articles whose text a document lacks: every letter of the text
// must be in the content, in the same order. Articles longer than feed.MaxBody are skipped.
func MissingText(f feed.Format, data []byte, items []feed.Item) (problems []string) {
	bodies, err := Bodies(f, data)
	if err != nil {
		return []string{err.Error()}
	}
	for i := range items {
		a := &items[i].Article
		if len(a.HTML) > feed.MaxBody {
			continue
		}
		want, got := []rune(Letters(a.HTML)), []rune(Letters(bodies[feed.EntryID(a.ID)]))
		if at := firstMissing(want, got); at >= 0 {
			problems = append(problems, fmt.Sprintf("article %q lacks its text from %.60q on, of %d letters", a.Slug, string(want[at:]), len(want)))
		}
	}
	return problems
}

// Bodies returns the full contents in a document, by the ids of the entries.
func Bodies(f feed.Format, data []byte) (map[string]string, error) {
	bodies := map[string]string{}
	if f == feed.FormatJSON {
		var doc struct {
			Items []struct {
				ID   string
				HTML string `json:"content_html"`
			}
		}
		err := json.Unmarshal(data, &doc)
		for _, item := range doc.Items {
			bodies[item.ID] = item.HTML
		}
		return bodies, err
	}
	root, err := Parse(data)
	if err != nil {
		return nil, err
	}
	for _, entry := range root.All("atom:entry") {
		bodies[entry.Value("atom:id")] = entry.Value("atom:content")
	}
	for _, channel := range root.All("channel") {
		for _, item := range channel.All("item") {
			bodies[item.Value("guid")] = item.Value("content:encoded")
		}
	}
	return bodies, nil
}

// firstMissing returns the index of the first wanted letter that is not found in order, or
// -1 if all are found.
func firstMissing(want, got []rune) int {
	at := 0
	for _, r := range got {
		if at < len(want) && want[at] == r {
			at++
		}
	}
	if at < len(want) {
		return at
	}
	return -1
}

// Letters returns the letters and digits of the visible text of HTML.
func Letters(markup string) string {
	return strings.Map(func(r rune) rune {
		if r == unicode.ReplacementChar || !unicode.IsLetter(r) && !unicode.IsNumber(r) {
			return -1
		}
		return r
	}, visibleText(markup))
}

// hiddenElements are the elements whose content is not text for a person.
var hiddenElements = map[string]bool{
	"script": true, "style": true, "template": true, "iframe": true, "noembed": true, "noframes": true, "head": true, "frameset": true,
	"svg": true, "annotation": true, "annotation-xml": true,
}

// visibleText returns the text of HTML as a browser without scripts shows it. If the HTML
// cannot be parsed, it returns the text between the tags.
func visibleText(source string) string {
	context := &html.Node{Type: html.ElementNode, Data: "div", DataAtom: atom.Div}
	source = article.CleanText(strings.ToValidUTF8(source, "")) // documents cannot contain the other characters
	if article.CostlyToParse(source) {
		return html.UnescapeString(textOnly(source))
	}
	nodes, err := html.ParseFragmentWithOptions(strings.NewReader(source), context, html.ParseOptionEnableScripting(false))
	if err != nil {
		return html.UnescapeString(textOnly(source))
	}
	var out strings.Builder
	var walk func(n *html.Node)
	walk = func(n *html.Node) {
		if n.Type == html.TextNode {
			out.WriteString(n.Data)
		}
		if n.Type != html.CommentNode && !hiddenElements[n.Data] {
			for child := n.FirstChild; child != nil; child = child.NextSibling {
				walk(child)
			}
		}
	}
	for _, n := range nodes {
		walk(n)
	}
	return out.String()
}
