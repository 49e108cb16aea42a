package store

import (
	"slices"

	"github.com/tidings-press/tidings/article"
)

// maxClauses bounds how far an expression is multiplied out. Larger ones are
// answered by a walk over all articles.
const maxClauses = 32

// clause is one alternative of a filter: every term of must holds and none of
// mustNot. Each term is a Tag, By, Language or Word.
type clause struct{ must, mustNot []article.Node }

// clausesOf multiplies an expression out into alternatives, so that each can be
// read by the index of its rarest term. ok is false when there are too many.
// No clauses at all select nothing.
func clausesOf(node article.Node, negated bool) (out []clause, ok bool) {
	switch n := node.(type) {
	case nil, article.All:
		return always(!negated), true
	case article.Not:
		return clausesOf(n.Of, !negated)
	case article.And:
		return combine(n.Left, n.Right, negated, !negated)
	case article.Or:
		return combine(n.Left, n.Right, negated, negated)
	case article.Word:
		if len(article.Words(n.Text)) == 0 {
			return always(!negated), true
		}
	}
	if negated {
		return []clause{{mustNot: []article.Node{node}}}, true
	}
	return []clause{{must: []article.Node{node}}}, true
}

// always is the filter of everything, or of nothing.
func always(yes bool) []clause {
	if yes {
		return []clause{{}}
	}
	return nil
}

// combine joins two sides: both must hold (each with each), or one of them.
func combine(left, right article.Node, negated, both bool) ([]clause, bool) {
	l, okLeft := clausesOf(left, negated)
	r, okRight := clausesOf(right, negated)
	if !okLeft || !okRight {
		return nil, false
	}
	if !both {
		out := append(slices.Clone(l), r...)
		return out, len(out) <= maxClauses
	}
	if len(l)*len(r) > maxClauses {
		return nil, false
	}
	var out []clause
	for _, a := range l {
		for _, b := range r {
			out = append(out, clause{append(slices.Clone(a.must), b.must...), append(slices.Clone(a.mustNot), b.mustNot...)})
		}
	}
	return out, true
}
