package store

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/tidings-press/tidings/internal/article"
	"github.com/tidings-press/tidings/internal/store/sqldb"
)

// maxClauses bounds the alternatives of an expression. If there would be more, a part or all
// of the expression is checked for each article instead.
const maxClauses = 64

// clause is one alternative of a filter: every term of must holds and none of
// mustNot, each a Tag, By, Language, From or Word, and all of the expressions in also.
type clause struct{ must, mustNot, also []article.Node }

// clausesOf converts an expression to disjunctive form: alternatives that can each be read
// by the index of their rarest term. ok is false when there are too many. An empty list
// selects nothing.
func clausesOf(node article.Node, negated bool) (out []clause, ok bool) {
	switch n := node.(type) {
	case nil, article.All:
		return constantClauses(!negated), true
	case article.Not:
		return clausesOf(n.Of, !negated)
	case article.And:
		return combine(n.Left, n.Right, negated, !negated)
	case article.Or:
		return combine(n.Left, n.Right, negated, negated)
	case article.HasFile:
		return addCheck(constantClauses(true), n, negated), true
	case article.Word:
		if len(article.Words(n.Text)) == 0 {
			return constantClauses(!negated), true
		}
	}
	if negated {
		return []clause{{mustNot: []article.Node{node}}}, true
	}
	return []clause{{must: []article.Node{node}}}, true
}

// constantClauses returns the clauses that select everything, or nothing.
func constantClauses(yes bool) []clause {
	if yes {
		return []clause{{}}
	}
	return nil
}

// combine returns the alternatives of two sides of which both must hold, or one.
func combine(left, right article.Node, negated, both bool) ([]clause, bool) {
	l, okLeft := clausesOf(left, negated)
	r, okRight := clausesOf(right, negated)
	switch {
	case !both:
		out := slices.Concat(l, r)
		return out, okLeft && okRight && len(out) <= maxClauses
	case okLeft && okRight && len(l)*len(r) <= maxClauses:
		return multiply(l, r), true
	case okLeft && (!okRight || len(l) >= len(r)):
		// Read the side with more alternatives by index, since each of them is rarer.
		return addCheck(l, right, negated), true
	case okRight:
		return addCheck(r, left, negated), true
	}
	return nil, false
}

// multiply pairs each clause of one side with each of the other.
func multiply(l, r []clause) []clause {
	var out []clause
	for _, a := range l {
		for _, b := range r {
			out = append(out, clause{slices.Concat(a.must, b.must), slices.Concat(a.mustNot, b.mustNot), slices.Concat(a.also, b.also)})
		}
	}
	return out
}

// addCheck adds an expression to each clause, to be checked for each article.
func addCheck(clauses []clause, by article.Node, negated bool) []clause {
	if negated {
		by = article.Not{Of: by}
	}
	out := make([]clause, len(clauses))
	for i, c := range clauses {
		out[i] = clause{c.must, c.mustNot, append(slices.Clip(c.also), by)}
	}
	return out
}

// statement is SQL that is composed in Go, with its arguments. Only constant text goes
// into the SQL; every value is an argument.
type statement struct {
	engine Engine
	args   []any
}

// arg adds a value and returns its placeholder.
func (st *statement) arg(value any) string {
	st.args = append(st.args, value)
	sqldb.CleanArgs(st.args[len(st.args)-1:])
	return "$" + strconv.Itoa(len(st.args))
}

// labelOf returns the label of a term; ok is false for words.
func labelOf(term article.Node) (l label, ok bool) {
	switch n := term.(type) {
	case article.Tag:
		return label{kind: tagLabel, key: n.Key}, true
	case article.By:
		return label{kind: authorLabel, key: n.Key}, true
	case article.Language:
		return label{kind: languageLabel, key: strings.ToLower(n.Tag)}, true
	case article.From:
		return label{kind: sourceLabel, key: n.Key}, true
	}
	return label{}, false
}

// wordsOf returns the phrase of a term in the form of SearchText, empty for other terms.
func wordsOf(term article.Node) string {
	if w, ok := term.(article.Word); ok {
		return strings.Join(article.Words(w.Text), " ")
	}
	return ""
}

// matches returns the condition that a term holds for the article in a row of a table. It
// is a scalar subquery about that one article: with EXISTS, the planner would join a new
// table with all articles of the term, each time.
func (st *statement) matches(term article.Node, table string) string {
	if l, ok := labelOf(term); ok {
		same := "f.kind = %s AND f.key = %s"
		if st.engine == Postgres {
			same = "f.kind || '' = %s AND f.key || '' = %s" // not by the index of the label
		}
		return fmt.Sprintf("coalesce((SELECT 1 FROM article_labels f WHERE f.seq = %s.seq AND "+same+" LIMIT 1), 0) = 1",
			table, st.arg(l.kind), st.arg(l.key))
	}
	return fmt.Sprintf("coalesce((SELECT %s FROM article_words f WHERE f.seq = %s.seq), 0) > 0", st.phrasePosition("f.words", wordsOf(term)), table)
}

// phrasePosition returns the SQL for the position of a phrase in a text, 0 for none.
func (st *statement) phrasePosition(column, phrase string) string {
	function := "instr"
	if st.engine == Postgres {
		function = "strpos"
	}
	return fmt.Sprintf("%s(%s, %s)", function, column, st.arg(" "+phrase+" "))
}

// expression returns the condition of an expression that is not converted to clauses.
func (st *statement) expression(node article.Node, table string) string {
	switch n := node.(type) {
	case nil, article.All:
		return "1 = 1"
	case article.Not:
		return "NOT (" + st.expression(n.Of, table) + ")"
	case article.And:
		return "(" + st.expression(n.Left, table) + " AND " + st.expression(n.Right, table) + ")"
	case article.Or:
		return "(" + st.expression(n.Left, table) + " OR " + st.expression(n.Right, table) + ")"
	case article.HasFile:
		return fmt.Sprintf("coalesce((SELECT f.enclosures FROM articles f WHERE f.seq = %s.seq), '') NOT IN ('', '[]')", table)
	case article.Word:
		if wordsOf(n) == "" {
			return "1 = 1"
		}
	}
	return st.matches(node, table)
}

// matchAll returns the MATCH expression of SQLite's index for articles with all these words.
func matchAll(phrase string) string {
	return `"` + strings.Join(strings.Fields(phrase), `" AND "`) + `"`
}
