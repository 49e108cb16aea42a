package digest

import (
	"cmp"
	"slices"
	"time"

	"github.com/tidings-press/tidings/internal/article"
)

// Rule says which candidates an edition takes.
type Rule struct {
	Min, Max int // articles; fewer than Min make no edition, 0 is no bound
	// Oldest gives the places of an edition that cannot take all to those that have
	// waited longest, and not to the newest.
	Oldest bool
	// Filter is the digest's filter; nil takes every article.
	Filter func(*article.Article) bool
}

// Choose picks an edition's articles from those that no edition of the digest has
// had, and returns them newest first, as they are shown. When there are more than
// rule.Max, the newest are taken: what readers expect of a digest is what is new. The
// others wait for the next edition. An article dated after now waits. Fewer than
// rule.Min articles give none.
func Choose(candidates []article.Article, rule Rule, now time.Time) []article.Article {
	chosen := eligible(candidates, rule, now)
	if len(chosen) == 0 || len(chosen) < rule.Min {
		return nil
	}
	slices.SortStableFunc(chosen, byNewest)
	if rule.Max <= 0 || len(chosen) <= rule.Max {
		return chosen
	}
	if rule.Oldest {
		slices.SortStableFunc(chosen, byAvailability)
	}
	chosen = chosen[:rule.Max]
	slices.SortStableFunc(chosen, byNewest)
	return chosen
}

// eligible returns the candidates that may be sent now, each once.
func eligible(candidates []article.Article, rule Rule, now time.Time) []article.Article {
	seen := make(map[string]bool, len(candidates))
	var out []article.Article
	for i := range candidates {
		a := &candidates[i]
		if !a.Listed(now) || seen[a.ID] {
			continue
		}
		if rule.Filter != nil && !rule.Filter(a) {
			continue
		}
		seen[a.ID] = true
		out = append(out, *a)
	}
	return out
}

// byAvailability orders by the moment an article could first have been sent. That is
// when it came in, or its own date when that was later.
func byAvailability(a, b article.Article) int {
	return cmp.Or(available(a).Compare(available(b)), a.Published.Compare(b.Published), cmp.Compare(a.ID, b.ID))
}

func byNewest(a, b article.Article) int {
	return cmp.Or(b.Published.Compare(a.Published), b.Ingested.Compare(a.Ingested), cmp.Compare(a.ID, b.ID))
}

func available(a article.Article) time.Time {
	if a.Published.After(a.Ingested) {
		return a.Published
	}
	return a.Ingested
}
