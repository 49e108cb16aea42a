package article

import (
	"strconv"
	"strings"
	"unicode"

	"github.com/tidings-press/tidings/internal/words"
)

// Limits of an expression. They are far above what people write, and protect the store from
// expensive queries.
const (
	maxFilter = 2000 // bytes
	maxTerms  = 100
	maxDepth  = 50
)

// ParseFilter reads an expression such as
//
//	golang AND NOT (jobs OR "tips and tricks") AND lang:en
//
// A word or a quoted text is a tag. The prefixes author:, lang:, source:, text: and tag: select another
// field, * stands for all articles, and has:file for those with an enclosure. NOT binds closest, then AND, then OR. An empty
// expression selects all articles.
func ParseFilter(expr string) (Filter, error) {
	if len(expr) > maxFilter {
		return Filter{}, words.Errorf("the filter has {0} characters; at most {1} are read", len(expr), maxFilter)
	}
	p := &filterParser{}
	if err := p.split(expr); err != nil {
		return Filter{}, err
	}
	if len(p.tokens) == 0 {
		return Filter{}, nil
	}
	node, err := p.or(0)
	if err != nil {
		return Filter{}, err
	}
	if p.more() {
		return Filter{}, words.Errorf("filter: AND, OR or the end is expected before {0}", strconv.Quote(p.tokens[p.at].text))
	}
	return Filter{node}, nil
}

// token is an operator or a term.
type token struct {
	text     string // of a term, without quotes
	kind     string // prefix of a term, such as "tag:"; empty for operators
	operator bool
}

type filterParser struct {
	tokens []token
	at     int
}

// split splits the expression into tokens.
func (p *filterParser) split(expr string) error {
	for rest := strings.TrimSpace(CleanText(expr)); rest != ""; rest = strings.TrimLeftFunc(rest, unicode.IsSpace) {
		if rest[0] == '(' || rest[0] == ')' {
			p.tokens = append(p.tokens, token{text: rest[:1], operator: true})
			rest = rest[1:]
			continue
		}
		next, tail, err := cutTerm(rest)
		if err != nil {
			return err
		}
		p.tokens, rest = append(p.tokens, next), tail
		if len(p.tokens) > 2*maxTerms {
			return words.Errorf("filter: more than {0} terms", maxTerms)
		}
	}
	return nil
}

// cutTerm reads one term or operator, and returns the rest of the expression.
func cutTerm(s string) (token, string, error) {
	kind := ""
	for _, prefix := range []string{"tag:", "author:", "lang:", "source:", "text:"} {
		if tail, ok := strings.CutPrefix(s, prefix); ok {
			kind, s = prefix, tail
			break
		}
	}
	if strings.HasPrefix(s, `"`) {
		text, tail, err := cutQuoted(s[1:])
		return token{text: text, kind: kindOrTag(kind)}, tail, err
	}
	end := strings.IndexFunc(s, func(r rune) bool { return unicode.IsSpace(r) || r == '(' || r == ')' || r == '"' })
	if end < 0 {
		end = len(s)
	}
	word, tail := s[:end], s[end:]
	if word == "" {
		return token{}, "", words.Errorf("filter: {0} needs a word after it, such as {1}golang", kind, kind)
	}
	if kind == "" && (word == "AND" || word == "OR" || word == "NOT") {
		return token{text: word, operator: true}, tail, nil
	}
	if kind == "" && word == hasFile {
		return token{kind: hasFile}, tail, nil
	}
	return token{text: word, kind: kindOrTag(kind)}, tail, nil
}

// hasFile is the term of HasFile. In quotes it is a tag.
const hasFile = "has:file"

func kindOrTag(kind string) string {
	if kind == "" {
		return "tag:"
	}
	return kind
}

// cutQuoted reads up to the closing quote. A backslash escapes the next character.
func cutQuoted(s string) (text, tail string, err error) {
	var out strings.Builder
	for i := 0; i < len(s); i++ {
		switch s[i] {
		case '"':
			return out.String(), s[i+1:], nil
		case '\\':
			if i++; i == len(s) {
				continue
			}
		}
		out.WriteByte(s[i])
	}
	return "", "", words.Errorf("filter: the quote before {0} is never closed", strconv.Quote(s))
}

func (p *filterParser) more() bool { return p.at < len(p.tokens) }

// take consumes an operator if it is the next token, and reports whether it was.
func (p *filterParser) take(operator string) bool {
	if p.more() && p.tokens[p.at].operator && p.tokens[p.at].text == operator {
		p.at++
		return true
	}
	return false
}

func (p *filterParser) or(depth int) (Node, error) {
	left, err := p.and(depth)
	for err == nil && p.take("OR") {
		var right Node
		right, err = p.and(depth)
		left = Or{left, right}
	}
	return left, err
}

func (p *filterParser) and(depth int) (Node, error) {
	left, err := p.not(depth)
	for err == nil && p.take("AND") {
		var right Node
		right, err = p.not(depth)
		left = And{left, right}
	}
	return left, err
}

func (p *filterParser) not(depth int) (Node, error) {
	if depth > maxDepth {
		return nil, words.Errorf("filter: nested deeper than {0}", maxDepth)
	}
	if p.take("NOT") {
		of, err := p.not(depth + 1)
		return Not{of}, err
	}
	if p.take("(") {
		inner, err := p.or(depth + 1)
		if err == nil && !p.take(")") {
			err = words.Errorf("filter: a bracket is never closed")
		}
		return inner, err
	}
	if !p.more() {
		return nil, words.Errorf("filter: a tag is expected at the end")
	}
	t := p.tokens[p.at]
	if t.operator {
		return nil, words.Errorf("filter: a tag is expected before {0}", strconv.Quote(t.text))
	}
	p.at++
	return t.node()
}

func (t token) node() (Node, error) {
	switch {
	case t.kind == "tag:" && t.text == "*":
		return All{}, nil
	case t.kind == "lang:":
		return Language{strings.ToLower(strings.TrimSpace(t.text))}, nil
	case t.kind == "text:" && len(Words(t.text)) == 0: // would select all articles
		return nil, words.Errorf("filter: {0} needs a word after it, such as {1}golang", t.kind, t.kind)
	case t.kind == "text:":
		return Word{strings.Join(Words(t.text), " ")}, nil
	case t.kind == hasFile:
		return HasFile{}, nil
	case key(t.text) == "":
		return nil, words.Errorf("filter: empty quotes; write a tag between them")
	case t.kind == "author:":
		return By{AuthorKey(t.text)}, nil
	case t.kind == "source:":
		return From{strings.TrimSpace(t.text)}, nil
	}
	return Tag{TagKey(t.text)}, nil
}
