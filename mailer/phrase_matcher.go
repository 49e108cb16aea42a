package mailer

import (
	"regexp/syntax"
	"strings"
)

// phraseMatcher finds phrases in a text, all in one pass. Each line is a phrase: a small regular
// expression over words with alternatives, optional groups and character classes, and these symbols:
//
//	WHO  any of the words that newPhraseMatcher was given
//	*    at the end of a word: any ending
//	~    up to two words in between
//	_    up to six words in between
//
// Each phrase is expanded to the sequences of words that it matches, which are stored in a tree. A
// regular expression of this size would take milliseconds for each refusal.
type phraseMatcher struct {
	root  phraseNode
	who   phraseNode // a tree of depth one with the words that WHO stands for
	nodes int
}

// phraseNode is a node of the tree: the words that may follow, and the causes of the phrases that
// end here.
type phraseNode struct {
	words    map[string]*phraseNode
	prefixes []phraseEdge
	who      *phraseNode
	gaps     []phraseGap
	causes   uint16
}

type phraseEdge struct {
	prefix string
	to     *phraseNode
}

type phraseGap struct {
	most int
	to   *phraseNode
}

// The symbols of the notation while an expression is expanded.
const (
	anyEnd   = "\x01"
	shortGap = "\x02"
	longGap  = "\x03"
	whoWord  = "WHO"
)

var phraseNotation = strings.NewReplacer(`\S*`, anyEnd, "*", anyEnd, "~", shortGap, "_", longGap)

// newPhraseMatcher returns an empty matcher. whoWords is an expression for the words that WHO stands
// for.
func newPhraseMatcher(whoWords string) *phraseMatcher {
	b := &phraseMatcher{}
	if whoWords != "" {
		b.insert(&b.who, whoWords, 1)
	}
	return b
}

// add adds phrases, one on each line, that have the given meaning.
func (m *phraseMatcher) add(lines string, meaning uint16) {
	for line := range strings.Lines(lines) {
		if line = strings.TrimSpace(line); line != "" {
			m.insert(&m.root, line, meaning)
		}
	}
}

func (m *phraseMatcher) insert(root *phraseNode, line string, meaning uint16) {
	marked := phraseNotation.Replace(stripAccents(line))
	expression, err := syntax.Parse(marked, syntax.Perl)
	if err != nil {
		panic("mailer: phrase " + line + ": " + err.Error()) // phrases are constants of this package
	}
	for _, phrase := range spellOut(expression) {
		n := root
		for word := range strings.FieldsSeq(phrase) {
			n = n.child(word)
			m.nodes++
		}
		n.causes |= meaning
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
	panic("mailer: a phrase has " + e.String()) // phrases are constants of this package
}

// child returns the node after a word, and creates it if needed.
func (n *phraseNode) child(word string) *phraseNode {
	switch {
	case word == whoWord:
		if n.who == nil {
			n.who = &phraseNode{}
		}
		return n.who
	case word == shortGap:
		return n.gapChild(2)
	case word == longGap:
		return n.gapChild(6)
	case strings.HasSuffix(word, anyEnd):
		return n.prefixChild(strings.TrimSuffix(word, anyEnd))
	}
	if n.words == nil {
		n.words = map[string]*phraseNode{}
	}
	if n.words[word] == nil {
		n.words[word] = &phraseNode{}
	}
	return n.words[word]
}

func (n *phraseNode) gapChild(most int) *phraseNode {
	for _, g := range n.gaps {
		if g.most == most {
			return g.to
		}
	}
	n.gaps = append(n.gaps, phraseGap{most, &phraseNode{}})
	return n.gaps[len(n.gaps)-1].to
}

func (n *phraseNode) prefixChild(prefix string) *phraseNode {
	for _, e := range n.prefixes {
		if e.prefix == prefix {
			return e.to
		}
	}
	n.prefixes = append(n.prefixes, phraseEdge{prefix, &phraseNode{}})
	return n.prefixes[len(n.prefixes)-1].to
}

// find returns the meanings of all phrases in a text, which must be as normalizeWords returns it.
func (m *phraseMatcher) find(text string) (meaning uint16) {
	words := strings.Fields(text)
	who := make([]bool, len(words))
	for i := range words {
		who[i] = m.walk(&m.who, words[i:i+1], nil) != 0
	}
	for i := range words {
		meaning |= m.walk(&m.root, words[i:], who[i:])
	}
	return meaning
}

// walk returns the meanings of the phrases that start with the path to n and go on with words. who
// tells for each word whether WHO stands for it.
func (m *phraseMatcher) walk(n *phraseNode, words []string, who []bool) uint16 {
	meaning := n.causes
	for _, g := range n.gaps {
		for skip := 0; skip <= g.most && skip < len(words); skip++ {
			meaning |= m.walk(g.to, words[skip:], who[skip:])
		}
	}
	if len(words) == 0 {
		return meaning
	}
	rest := who
	if who != nil {
		rest = who[1:]
	}
	if to := n.words[words[0]]; to != nil {
		meaning |= m.walk(to, words[1:], rest)
	}
	if n.who != nil && who != nil && who[0] {
		meaning |= m.walk(n.who, words[1:], rest)
	}
	for _, e := range n.prefixes {
		if strings.HasPrefix(words[0], e.prefix) {
			meaning |= m.walk(e.to, words[1:], rest)
		}
	}
	return meaning
}
