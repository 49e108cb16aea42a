package ingest

import (
	"regexp"
	"strings"
	"unicode/utf8"

	"github.com/rivo/uniseg"
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
	text := openingText(source, letters)
	var out strings.Builder
	count, state := 0, -1
	for rest := text; rest != ""; {
		var sentence string
		sentence, rest, state = nextSentence(rest, state)
		n := uniseg.GraphemeClusterCount(sentence)
		if count+uniseg.GraphemeClusterCount(strings.TrimSpace(sentence)) > letters {
			if count == 0 {
				return cutWords(sentence, letters)
			}
			break
		}
		out.WriteString(sentence)
		count += n
	}
	return strings.TrimSpace(out.String())
}

// abbreviated matches a text that ends with a full stop that does not end a sentence: after an
// initial, a day of the month in German, or a common abbreviation.
var abbreviated = regexp.MustCompile(`(?:^|[\s(«“"'’.])(?:\p{Lu}|\d{1,2}|Mrs?|Ms|Dr|Prof|St|No|vs|etc|[eE]\.g|[iI]\.e|cf|Mme|Mlle|MM|Nr|bzw|ca|usw|z\. ?B|d\. ?h)\.\s+$`)

// nextSentence splits a text after its first sentence.
func nextSentence(text string, state int) (sentence, rest string, after int) {
	rest = text
	for rest != "" {
		var part string
		part, rest, state = uniseg.FirstSentenceInString(rest, state)
		sentence = text[:len(text)-len(rest)]
		if !abbreviated.MatchString(part) {
			break
		}
	}
	return sentence, rest, state
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

// cutWords cuts a sentence after the last word that fits, and adds an ellipsis.
func cutWords(sentence string, letters int) string {
	var out strings.Builder
	count, state := 0, -1
	for rest := sentence; rest != ""; {
		var word string
		word, rest, state = uniseg.FirstWordInString(rest, state)
		n := uniseg.GraphemeClusterCount(word)
		if count+n > letters-1 {
			break
		}
		out.WriteString(word)
		count += n
	}
	cut := strings.TrimRight(cutAtClause(out.String()), " ,;:–—-(«“\"'、，،؛；：「『（")
	if cut == "" {
		return ""
	}
	return cut + "…"
}

// cutAtClause cuts a text in a script without spaces after its last clause, since the end of a
// word cannot be found without a dictionary.
func cutAtClause(text string) string {
	last, _ := utf8.DecodeLastRuneInString(text)
	if !article.Unspaced(last) {
		return text
	}
	if at := strings.LastIndexAny(text, "、，；：。！？）」』 "); at > len(text)/3 {
		return text[:at]
	}
	return text
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
