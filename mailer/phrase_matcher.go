package mailer

import (
	"regexp/syntax"
	"strings"
)

// phraseMatcher finds phrases in a text, all in one pass. A phrase is written as a small
// regular expression over words, one a line: alternatives, optional groups and
// letters in brackets, and these marks:
//
//	WHO  any of the words that the book was made with
//	*    at the end of a word: any ending
//	~    up to two words between
//	_    up to six words between
//
// Each phrase is spelled out into its sequences of words, which stand in a tree. A
// regular expression of this size would take milliseconds for each refusal.
type phraseMatcher struct {
	root  phraseNode
	who   phraseNode // one word deep: which words WHO stands for
	nodes int
}

// phraseNode is a place in phrases: what may follow there, and what a phrase that ends
// there means.
type phraseNode struct {
	words    map[string]*phraseNode
	prefixes []phraseEdge
	who      *phraseNode
	gaps     []phraseGap
	topics   uint16
}

type phraseEdge struct {
	prefix string
	to     *phraseNode
}

type phraseGap struct {
	most int
	to   *phraseNode
}

// The notation's marks while an expression is spelled out.
const (
	anyEnd   = "\x01"
	shortGap = "\x02"
	longGap  = "\x03"
	whoWord  = "WHO"
)

var phraseMarks = strings.NewReplacer(`\S*`, anyEnd, "*", anyEnd, "~", shortGap, "_", longGap)

// newPhraseMatcher makes an empty book. who is an expression of the words that WHO
// stands for.
func newPhraseMatcher(who string) *phraseMatcher {
	b := &phraseMatcher{}
	if who != "" {
		b.insert(&b.who, who, 1)
	}
	return b
}

// add puts phrases in, one a line.
func (b *phraseMatcher) add(lines string, means uint16) {
	for line := range strings.Lines(lines) {
		if line = strings.TrimSpace(line); line != "" {
			b.insert(&b.root, line, means)
		}
	}
}

func (b *phraseMatcher) insert(root *phraseNode, line string, means uint16) {
	marked := phraseMarks.Replace(stripAccents(line))
	expression, err := syntax.Parse(marked, syntax.Perl)
	if err != nil {
		panic("mailer: phrase " + line + ": " + err.Error()) // they stand in the code
	}
	for _, phrase := range spellOut(expression) {
		n := root
		for word := range strings.FieldsSeq(phrase) {
			n = n.follow(word)
			b.nodes++
		}
		n.topics |= means
	}
}

// spellOut lists all texts that an expression without repetitions matches.
func spellOut(e *syntax.Regexp) []string {
	switch e.Op {
	case syntax.OpLiteral:
		return []string{string(e.Rune)}
	case syntax.OpCharClass:
		var all []string
		for i := 0; i < len(e.Rune); i += 2 {
			for r := e.Rune[i]; r <= e.Rune[i+1]; r++ {
				all = append(all, string(r))
			}
		}
		return all
	case syntax.OpCapture:
		return spellOut(e.Sub[0])
	case syntax.OpQuest:
		return append(spellOut(e.Sub[0]), "")
	case syntax.OpAlternate:
		var all []string
		for _, sub := range e.Sub {
			all = append(all, spellOut(sub)...)
		}
		return all
	case syntax.OpConcat:
		all := []string{""}
		for _, sub := range e.Sub {
			var next []string
			for _, begin := range all {
				for _, end := range spellOut(sub) {
					next = append(next, begin+end)
				}
			}
			all = next
		}
		return all
	case syntax.OpEmptyMatch:
		return []string{""}
	}
	panic("mailer: a phrase has " + e.String()) // they stand in the code
}

// follow is the node behind a word, which is made if it is not there.
func (n *phraseNode) follow(word string) *phraseNode {
	switch {
	case word == whoWord:
		if n.who == nil {
			n.who = &phraseNode{}
		}
		return n.who
	case word == shortGap:
		return n.gap(2)
	case word == longGap:
		return n.gap(6)
	case strings.HasSuffix(word, anyEnd):
		return n.prefixed(strings.TrimSuffix(word, anyEnd))
	}
	if n.words == nil {
		n.words = map[string]*phraseNode{}
	}
	if n.words[word] == nil {
		n.words[word] = &phraseNode{}
	}
	return n.words[word]
}

func (n *phraseNode) gap(most int) *phraseNode {
	for _, g := range n.gaps {
		if g.most == most {
			return g.to
		}
	}
	n.gaps = append(n.gaps, phraseGap{most, &phraseNode{}})
	return n.gaps[len(n.gaps)-1].to
}

func (n *phraseNode) prefixed(prefix string) *phraseNode {
	for _, e := range n.prefixes {
		if e.prefix == prefix {
			return e.to
		}
	}
	n.prefixes = append(n.prefixes, phraseEdge{prefix, &phraseNode{}})
	return n.prefixes[len(n.prefixes)-1].to
}

// find returns what the phrases in a text mean, as spaced gives it.
func (b *phraseMatcher) find(text string) (means uint16) {
	words := strings.Fields(text)
	who := make([]bool, len(words))
	for i := range words {
		who[i] = b.walk(&b.who, words[i:i+1], nil) != 0
	}
	for i := range words {
		means |= b.walk(&b.root, words[i:], who[i:])
	}
	return means
}

func (b *phraseMatcher) walk(n *phraseNode, words []string, who []bool) uint16 {
	means := n.topics
	for _, g := range n.gaps {
		for skip := 0; skip <= g.most && skip < len(words); skip++ {
			means |= b.walk(g.to, words[skip:], who[skip:])
		}
	}
	if len(words) == 0 {
		return means
	}
	rest := who
	if who != nil {
		rest = who[1:]
	}
	if to := n.words[words[0]]; to != nil {
		means |= b.walk(to, words[1:], rest)
	}
	if n.who != nil && who != nil && who[0] {
		means |= b.walk(n.who, words[1:], rest)
	}
	for _, e := range n.prefixes {
		if strings.HasPrefix(words[0], e.prefix) {
			means |= b.walk(e.to, words[1:], rest)
		}
	}
	return means
}
