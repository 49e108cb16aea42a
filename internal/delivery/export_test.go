package delivery

import (
	"context"

	"github.com/tidings-press/tidings/internal/article"
	"github.com/tidings-press/tidings/internal/digest"
	"github.com/tidings-press/tidings/internal/store"
	"github.com/tidings-press/tidings/mailer"
)

// Compiled returns the compiled variants of an edition that the engine has in its cache.
func (e *Engine) Compiled(edition store.Edition) []*mailer.Compiled {
	var out []*mailer.Compiled
	for number := range 1000 {
		if variant, ok := e.compiled.Get(keyOf(edition, number)); ok {
			out = append(out, variant.Compiled)
		}
	}
	return out
}

// RunSchedule decides on due drafts and fires due ticks once.
func (e *Engine) RunSchedule(ctx context.Context) error { return e.runSchedule(ctx) }

// ApproveDrafts approves once the drafts that need no editor any more.
func (e *Engine) ApproveDrafts(ctx context.Context) error { return e.approveDrafts(ctx) }

// ApproveUnchanged approves a draft from the command line.
func (e *Engine) ApproveUnchanged(ctx context.Context, id string, was Fingerprint) (store.Edition, error) {
	return e.ApproveAs(ctx, id, CommandLine, was)
}

// ReviewApprovals looks once for approvals of content that has changed since.
func (e *Engine) ReviewApprovals(ctx context.Context) error { return e.reviewApprovals(ctx) }

// ChosenTwice returns the ids of the articles of a digest's next edition: as they are chosen, and as
// they follow from all articles that wait.
func (e *Engine) ChosenTwice(ctx context.Context, name string) (chosen, fromAll []string, err error) {
	def, err := e.definition(name)
	if err != nil {
		return nil, nil, err
	}
	state, err := e.Store.DigestState(ctx, name)
	if err != nil {
		return nil, nil, err
	}
	w := e.waiting(def, state, selection{})
	w.Remember = true
	if _, err := e.Store.CountWaiting(ctx, w); err != nil {
		return nil, nil, err
	}
	made, err := e.chosen(ctx, def, w)
	if err != nil {
		return nil, nil, err
	}
	w.Remember, w.IgnoreWatermark = false, true
	all, err := e.Store.WaitingArticles(ctx, w)
	return idsOf(made), idsOf(digest.Choose(all, def.rule(), w.Now)), err
}

func idsOf(articles []article.Article) []string {
	var ids []string
	for i := range articles {
		ids = append(ids, articles[i].ID)
	}
	return ids
}

// PauseReason returns the cause for which an edition with these rates is paused, and why.
func (l RateLimits) PauseReason(r store.Rates) (store.PauseCause, string) {
	cause, reason := l.pauseReason(r)
	return cause, reason.String()
}

// CachedReferences returns the number of entries in the cache of links and images: one for each mail, with those
// of other languages.
func (e *Engine) CachedReferences() int64 { return e.referenceCache.Size() }
