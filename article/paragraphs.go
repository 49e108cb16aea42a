package article

import (
	"strings"

	"golang.org/x/net/html"
	"golang.org/x/net/html/atom"
)

// silent elements hold no sentences.
var silent = map[atom.Atom]bool{
	atom.Pre: true, atom.Table: true, atom.Figcaption: true, atom.Figure: true, atom.Sup: true,
	atom.H1: true, atom.H2: true, atom.H3: true, atom.H4: true, atom.H5: true, atom.H6: true,
}

// paragraphs returns the texts between block boundaries, without those of silent
// elements. When nothing is left it returns all texts.
func paragraphs(source string) []string {
	out := blockTexts(source, silent)
	if len(strings.Join(out, "")) == 0 {
		out = blockTexts(source, nil)
	}
	return out
}

func blockTexts(source string, skip map[atom.Atom]bool) []string {
	var out []string
	var now strings.Builder
	depth := 0
	z := html.NewTokenizer(strings.NewReader(source))
	for {
		kind := z.Next()
		if kind == html.ErrorToken {
			return append(out, now.String())
		}
		if kind == html.TextToken {
			if depth == 0 {
				now.Write(z.Text())
			}
			continue
		}
		name, _ := z.TagName()
		switch a := atom.Lookup(name); {
		case skip[a] && kind == html.StartTagToken:
			depth++
		case skip[a] && kind == html.EndTagToken && depth > 0:
			depth--
		}
		if depth == 0 && !inline[string(name)] {
			out = append(out, now.String())
			now.Reset()
		}
	}
}
