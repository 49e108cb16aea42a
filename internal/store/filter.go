package store

import (
	"slices"

	"github.com/tidings-press/tidings/internal/article"
)

// maxClauses bounds how far an expression is multiplied out. Of a larger one a part
// is looked at in each article, or all of it.
const maxClauses = 64

// clause is one alternative of a filter: every term of must holds and none of
// mustNot, each a Tag, By, Language or Word, and all of the expressions in also.
type clause struct{ must, mustNot, also []article.Node }

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
	switch {
	case !both:
		out := slices.Concat(l, r)
		return out, okLeft && okRight && len(out) <= maxClauses
	case okLeft && okRight && len(l)*len(r) <= maxClauses:
		return multiply(l, r), true
	case okLeft && (!okRight || len(l) >= len(r)):
		// The side that has more alternatives is read by index: each of them is rarer.
		return sift(l, right, negated), true
	case okRight:
		return sift(r, left, negated), true
	}
	return nil, false
}

func multiply(l, r []clause) []clause {
	var out []clause
	for _, a := range l {
		for _, b := range r {
			out = append(out, clause{slices.Concat(a.must, b.must), slices.Concat(a.mustNot, b.mustNot), slices.Concat(a.also, b.also)})
		}
	}
	return out
}

// sift adds an expression that is looked at in each article.
func sift(clauses []clause, by article.Node, negated bool) []clause {
	if negated {
		by = article.Not{Of: by}
	}
	out := make([]clause, len(clauses))
	for i, c := range clauses {
		out[i] = clause{c.must, c.mustNot, append(slices.Clip(c.also), by)}
	}
	return out
}
