package ingest

import (
	"strings"

	"golang.org/x/net/html"
	"golang.org/x/net/html/atom"

	"github.com/tidings-press/tidings/internal/article"
)

// silent elements hold no sentences.
var silent = map[atom.Atom]bool{
	atom.Pre: true, atom.Table: true, atom.Figcaption: true, atom.Figure: true, atom.Sup: true,
	atom.H1: true, atom.H2: true, atom.H3: true, atom.H4: true, atom.H5: true, atom.H6: true,
}

// paragraphs returns the texts between block boundaries, without those of silent
// elements and the footnotes, from the start until there are enough bytes of them. When nothing is
// left it returns all texts.
func paragraphs(source string, enough int) []string {
	source, _, _ = strings.Cut(source, `<div class="footnotes"`)
	out := blockTexts(source, silent, enough)
	if len(out) == 0 {
		out = blockTexts(source, nil, enough)
	}
	return out
}

func blockTexts(source string, skip map[atom.Atom]bool, enough int) []string {
	var out []string
	var now strings.Builder
	depth, size := 0, 0
	flush := func() {
		if text := now.String(); strings.TrimSpace(text) != "" {
			out = append(out, text)
			size += len(text)
		}
		now.Reset()
	}
	z := html.NewTokenizer(strings.NewReader(source))
	for {
		kind := z.Next()
		if kind == html.ErrorToken || size > enough {
			flush()
			return out
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
		if depth == 0 && !article.Inline[string(name)] {
			flush()
		}
	}
}
