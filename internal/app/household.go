package app

import (
	"context"
	"errors"
	"time"

	"github.com/tidings-press/tidings/internal/article/ingest"
	"github.com/tidings-press/tidings/internal/feedserver"
	"github.com/tidings-press/tidings/internal/store"
	"github.com/tidings-press/tidings/internal/token"
)

// maintain erases who never confirmed, and forgets old counts, once an hour.
func (p *Service) maintain(ctx context.Context) {
	every(ctx, time.Hour, func() {
		const atOnce = 1000
		before := p.Store.Now().Add(-token.ConfirmFor)
		erased, err := p.Store.ErasePending(ctx, before, atOnce)
		if erased > 0 {
			p.Log.Info("erased people who never confirmed", "count", erased)
		}
		if err == nil {
			err = p.pruneWebSub(ctx)
		}
		if err == nil {
			err = p.Store.PrunePolls(ctx, p.Store.Now().AddDate(-1, 0, 0).Format(time.DateOnly))
		}
		if err == nil {
			_, err = p.Store.TruncateLog(ctx) // what readers kept an erasure from doing
		}
		if err == nil {
			_, err = p.Store.Prune(ctx, p.retention())
		}
		if err == nil {
			err = errors.Join(p.Store.CompactJournal(), p.Store.JournalProblem())
		}
		p.logError(ctx, "cannot keep house", err)
	})
}

// retention is until when the settings let what is past be removed.
func (p *Service) retention() store.Retention {
	ago := func(days int) time.Time {
		if days == 0 {
			return time.Time{}
		}
		return p.Store.Now().AddDate(0, 0, -days)
	}
	r := p.Config.Retention
	return store.Retention{Deliveries: ago(r.Deliveries), Feedback: ago(r.Feedback), Jobs: ago(r.Jobs)}
}

// pruneWebSub forgets subscriptions that ran out, which feeds articles left long ago,
// and jobs: those that were given up stay for a month, for people to see.
func (p *Service) pruneWebSub(ctx context.Context) error {
	now := p.Store.Now()
	return errors.Join(
		p.Store.PruneCallbacks(ctx),
		p.Store.PruneFeedDepartures(ctx, now.AddDate(0, 0, -7)),
		p.Store.PruneJobs(ctx, now.AddDate(0, 0, -1), now.AddDate(0, -1, 0)),
	)
}

// flushPolls stores the statistics of the feeds every minute, and at the end.
func (p *Service) flushPolls(ctx context.Context, feeds *feedserver.Server) {
	every(ctx, time.Minute, func() { p.logError(ctx, "cannot store the counts of polls", feeds.Flush(ctx)) })
	last, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
	defer cancel()
	p.logError(last, "cannot store the counts of polls", feeds.Flush(last))
}

// every does something now and again until the context ends.
func every(ctx context.Context, interval time.Duration, do func()) {
	ticker := time.NewTicker(interval)
	defer ticker.Stop()
	for {
		do()
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
	}
}

// logError logs an error, unless it is only the end.
func (p *Service) logError(ctx context.Context, what string, err error) {
	if err != nil && ctx.Err() == nil {
		p.Log.Error(what, "error", err)
	}
}

// watchSources imports again what changes in the configured sources with watch.
func (p *Service) watchSources(ctx context.Context, changed func()) {
	var paths []string
	for _, source := range p.Config.Import.Sources {
		if source.Watch {
			paths = append(paths, source.Path)
		}
	}
	if len(paths) == 0 {
		return
	}
	im := &ingest.Importer{Store: p.Store, Config: p.Config, Report: func(r ingest.FileReport) {
		p.logImport(r)
		changed()
	}}
	p.logError(ctx, "cannot watch the sources", im.Watch(ctx, paths, func() { p.Log.Info("watching", "folders", paths) }))
}

func (p *Service) logImport(r ingest.FileReport) {
	for _, problem := range r.Problems {
		p.Log.Warn("left out", "problem", problem.Error())
	}
	for _, one := range r.Articles {
		if one.Outcome != store.Unchanged {
			p.Log.Info("imported", "article", one.Slug, "outcome", string(one.Outcome), "file", r.File)
		}
	}
}
