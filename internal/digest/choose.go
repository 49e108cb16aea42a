package digest

import (
	"cmp"
	"slices"
	"time"

	"github.com/tidings-press/tidings/internal/article"
)

// Rule selects the articles of an edition from the candidates.
type Rule struct {
	Min, Max int // number of articles; fewer than Min make no edition, a Max of 0 is no limit
	// Oldest takes those that have waited longest, not the newest, when there are more than Max.
	Oldest bool
	// After is the waiting period of an article: it is taken only when it has been available for so long.
	After time.Duration
	// Filter is the digest's filter; nil takes every article.
	Filter func(*article.Article) bool
}

// Choose picks an edition's articles from candidates, the articles that have been in no edition
// of the digest. It returns them newest first, in the order shown. If there are more than
// rule.Max it takes the newest, unless rule.Oldest is set; the others wait for the next edition,
// as do articles dated after now and those in their waiting period. It returns none if there are fewer than rule.Min.
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
		if !a.Listed(now) || seen[a.ID] || available(*a).Add(rule.After).After(now) {
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

// byAvailability orders articles by the time at which they could first have been sent: when they
// were imported, or their own date if that is later.
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
