package ingest

import (
	"strings"

	"golang.org/x/net/html"
	"golang.org/x/net/html/atom"

	"github.com/tidings-press/tidings/internal/article"
	"github.com/tidings-press/tidings/internal/plaintext"
)

// SummaryLength is the maximum length of a generated summary, in letters (grapheme clusters).
const SummaryLength = 280

// Summarize returns a summary of HTML with at most that many letters: the sentences at its start
// that fit, or words of the first sentence if that does not fit. Sentences and words are split
// by UAX 29, which works for scripts without spaces, too.
func Summarize(source string, letters int) string {
	return plaintext.Shorten(openingText(source, letters), letters)
}

// openingText returns the text of the first paragraphs on one line, with enough bytes for a
// summary.
func openingText(source string, letters int) string {
	var parts []string
	size := 0
	// A letter can have many bytes; this is enough for any script.
	enough := letters*16 + 100
	for _, p := range paragraphs(source, enough) {
		p = cutText(article.CleanLine(p), enough)
		parts = append(parts, p)
		if size += len(p); size > enough {
			break
		}
	}
	return plaintext.Join(parts...)
}

// skippedElements holds the elements that contain no sentences.
var skippedElements = map[atom.Atom]bool{
	atom.Pre: true, atom.Table: true, atom.Figcaption: true, atom.Figure: true, atom.Sup: true,
	atom.H1: true, atom.H2: true, atom.H3: true, atom.H4: true, atom.H5: true, atom.H6: true,
}

// paragraphs returns the first texts between block boundaries, until they have enough bytes. It
// leaves out footnotes and the elements in skippedElements; if there is no other text, it
// returns the text of those elements.
func paragraphs(source string, enough int) []string {
	source, _, _ = strings.Cut(source, `<div class="footnotes"`)
	out := blockTexts(source, skippedElements, enough)
	if len(out) == 0 {
		out = blockTexts(source, nil, enough)
	}
	return out
}

func blockTexts(source string, skip map[atom.Atom]bool, enough int) []string {
	var out []string
	var block strings.Builder
	depth, size := 0, 0
	flush := func() {
		if text := block.String(); strings.TrimSpace(text) != "" {
			out = append(out, text)
			size += len(text)
		}
		block.Reset()
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
				block.Write(z.Text())
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
