package delivery

import (
	"context"
	"slices"

	"github.com/tidings-press/tidings/internal/article"
	"github.com/tidings-press/tidings/internal/digest"
	"github.com/tidings-press/tidings/internal/schedule"
	"github.com/tidings-press/tidings/internal/store"
)

// newestArticles are the articles that wait for the last of several ticks, or the newest of them. With
// them all the ticks are planned, so that only one query reads articles.
type newestArticles struct {
	articles []article.Article // without their HTML
	all      bool              // no further article waits
}

// maxPlannedArticles bounds how many articles are read for a plan.
const maxPlannedArticles = 2000

// readNewest reads the articles for ticks. It reads none if these would not
// suffice: without a limit an edition takes all articles that wait, and only the store knows which articles are old
// enough for After.
func (p *planner) readNewest(ctx context.Context, ticks []schedule.Tick) error {
	n := p.def.Max * len(ticks)
	if n == 0 || n > maxPlannedArticles || p.def.After > 0 {
		return nil
	}
	w := waiting(ticks[len(ticks)-1].At, p.def, p.state, selection{})
	w.WithoutHTML, w.Limit = true, n+1
	found, err := p.Store.WaitingArticles(ctx, w)
	if all := len(found) <= n; err == nil && (all || !p.def.Oldest) {
		p.newest = &newestArticles{found, all}
	}
	return err
}

// candidates returns the articles from which those of a tick are chosen.
func (p *planner) candidates(ctx context.Context, w store.QueueQuery) ([]article.Article, error) {
	isTaken := func(a article.Article) bool { return p.taken[a.ID] }
	if p.newest != nil && w.Draft == "" {
		rest := slices.DeleteFunc(slices.Clone(p.newest.articles), isTaken)
		if found := digest.Choose(rest, digest.Rule{}, w.Now); p.newest.all || p.newest.suffice(found, p.def.Max) {
			return found, nil
		}
	}
	w.WithoutHTML = true
	if len(p.taken) == 0 && p.def.After == 0 {
		found, complete, err := p.chooseNewest(ctx, digest.Rule{Max: p.def.Max, Oldest: p.def.Oldest}, w)
		if complete || err != nil {
			return found, err
		}
	}
	w.Limit = maxCandidates + len(p.taken)
	found, err := p.Store.WaitingArticles(ctx, w)
	return slices.DeleteFunc(found, isTaken), err
}

// suffice reports whether no article that was not read can belong to an edition of n articles: there
// are as many, and newer than the last one that was read.
func (a *newestArticles) suffice(found []article.Article, n int) bool {
	return len(found) >= n && found[n-1].Published.After(a.articles[len(a.articles)-1].Published)
}
