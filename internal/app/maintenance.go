package app

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/tidings-press/tidings/internal/article/ingest"
	"github.com/tidings-press/tidings/internal/backups"
	"github.com/tidings-press/tidings/internal/copies"
	"github.com/tidings-press/tidings/internal/feedserver"
	"github.com/tidings-press/tidings/internal/metrics"
	"github.com/tidings-press/tidings/internal/store"
	"github.com/tidings-press/tidings/internal/token"
)

// maintain erases subscribers who never confirmed, and removes old records, once an hour.
func (s *Service) maintain(ctx context.Context) {
	every(ctx, time.Hour, func() {
		const atOnce = 1000
		before := s.Store.Now().Add(-token.ConfirmFor)
		erased, err := s.Store.ErasePending(ctx, before, atOnce)
		if erased > 0 {
			s.Log.Info("erased subscribers who never confirmed", "count", erased)
		}
		if err == nil {
			err = s.pruneWebSub(ctx)
		}
		if err == nil {
			err = s.Store.PrunePolls(ctx, s.Store.Now().AddDate(-1, 0, 0).Format(time.DateOnly))
		}
		if err == nil {
			err = s.Store.PruneUploads(ctx)
		}
		if err == nil {
			_, err = s.Store.TruncateLog(ctx) // erased data may still be in the log when a reader blocked it
		}
		if err == nil {
			var removed store.Removed
			if removed, err = s.prune(ctx); removed.Media > 0 {
				s.Log.Info("removed media that no document names", "count", removed.Media)
			}
		}
		if err == nil {
			err = errors.Join(s.Store.CompactJournal(), s.Store.JournalProblem())
		}
		s.logError(ctx, "maintenance failed", err)
	})
}

// figuresInterval is how often the subscribers are counted for pages, on one of the nodes.
const figuresInterval = 5 * time.Minute

// countSubscribers keeps the numbers of subscribers that pages show, until the context ends.
func (s *Service) countSubscribers(ctx context.Context) {
	every(ctx, figuresInterval, func() {
		s.logError(ctx, "cannot count the subscribers", s.Store.UpdateSubscriberFigures(ctx))
	})
}

// prune removes what is older than the configured retention.
func (s *Service) prune(ctx context.Context) (store.Removed, error) {
	r := s.retention()
	texts, err := s.configuredTexts()
	if r.MediaNamedIn = texts; err != nil {
		r.Media = time.Time{} // it is not known which media are in use
	}
	removed, failed := s.Store.Prune(ctx, r)
	return removed, errors.Join(err, failed)
}

// configuredTexts returns the configuration and the site's own templates, which can name media.
func (s *Service) configuredTexts() ([]string, error) {
	text, err := s.Config.JSON()
	if err != nil {
		return nil, err
	}
	texts := []string{string(text)}
	if s.Config.Templates == "" {
		return texts, nil
	}
	err = filepath.WalkDir(s.Config.Templates, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || !entry.Type().IsRegular() {
			return err
		}
		info, err := entry.Info()
		if err != nil || info.Size() > 1<<20 { // larger than a template may be
			return err
		}
		source, err := os.ReadFile(path)
		texts = append(texts, string(source))
		return err
	})
	return texts, err
}

// retention returns the times before which old records are removed.
func (s *Service) retention() store.Retention {
	ago := func(days int) time.Time {
		if days == 0 {
			return time.Time{}
		}
		return s.Store.Now().AddDate(0, 0, -days)
	}
	r := s.Config.Retention
	return store.Retention{Deliveries: ago(r.Deliveries), Feedback: ago(r.Feedback), Jobs: ago(r.Jobs), Audit: ago(r.Audit),
		Revisions: ago(r.Revisions), Media: ago(r.Media)}
}

// pruneWebSub removes expired subscriptions, old records of articles that left feeds, and
// finished jobs. Jobs that were given up stay for a month.
func (s *Service) pruneWebSub(ctx context.Context) error {
	now := s.Store.Now()
	return errors.Join(
		s.Store.PruneHubSubscriptions(ctx),
		s.Store.PruneFeedDepartures(ctx, now.AddDate(0, 0, -7)),
		s.Store.PruneJobs(ctx, now.AddDate(0, 0, -1), now.AddDate(0, -1, 0)),
	)
}

// flushPolls stores the statistics of feeds every minute, and at the end.
func (s *Service) flushPolls(ctx context.Context, feeds *feedserver.Server) {
	every(ctx, time.Minute, func() { s.logError(ctx, "cannot store the statistics of feeds", feeds.Flush(ctx)) })
	last, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
	defer cancel()
	s.logError(last, "cannot store the statistics of feeds", feeds.Flush(last))
}

// every calls do at once and after each interval, until the context ends.
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

// logError logs an error, unless the context has ended.
func (s *Service) logError(ctx context.Context, what string, err error) {
	if err != nil && ctx.Err() == nil {
		s.Log.Error(what, "error", err)
	}
}

// watchSources imports files that change in the configured sources with watch.
func (s *Service) watchSources(ctx context.Context, changed func()) {
	var paths []string
	for _, source := range s.Config.Import.Sources {
		if source.Watch {
			paths = append(paths, source.Path)
			metrics.Source(source.Path)
		}
	}
	if len(paths) == 0 {
		return
	}
	im := &ingest.Importer{Store: s.Store, Config: s.Config, Report: func(r ingest.FileReport) {
		s.logImport(r)
		s.imports.note(r)
		s.countSourceFile(r)
		changed()
	}}
	s.logError(ctx, "cannot watch the sources", im.Watch(ctx, paths, func() { s.Log.Info("watching", "folders", paths) }))
}

// countSourceFile counts a file of a watched folder for the metrics.
func (s *Service) countSourceFile(r ingest.FileReport) {
	source := ""
	for _, one := range s.Config.Import.Sources {
		if below, err := filepath.Rel(one.Path, r.File); err == nil && filepath.IsLocal(below) && len(one.Path) > len(source) {
			source = one.Path
		}
	}
	if source != "" {
		metrics.SourceFile(source, len(r.Problems) == 0, s.Store.Now())
	}
}

func (s *Service) logImport(r ingest.FileReport) {
	for _, problem := range r.Problems {
		s.Log.Warn("left out", "problem", problem.Error())
	}
	for _, one := range r.Articles {
		if one.Outcome != store.Unchanged {
			s.Log.Info("imported", "article", one.Slug, "outcome", string(one.Outcome), "file", r.File)
		}
	}
}

// copiesInterval is how often the store is asked for images without copies. The query reads an index
// that is empty when there are none.
const copiesInterval = 2 * time.Second

// makeCopies makes the smaller copies of imported images, until the context ends.
func (s *Service) makeCopies(ctx context.Context) {
	every(ctx, copiesInterval, func() {
		err := copies.MakeMissing(ctx, s.Store, func(name string, problem error) {
			if problem != nil {
				s.Log.Warn("an image has no smaller copies and is left out of mails", "image", name, "problem", problem)
			}
		})
		s.logError(ctx, "cannot make copies of images", err)
	})
}

// makeBackups makes the backups on schedule, until the context ends.
func (s *Service) makeBackups(ctx context.Context) {
	if s.Config.Backup.Schedule == "" {
		return
	}
	runner, err := s.Backups()
	if err != nil {
		s.logError(ctx, "no backups are made", err)
		return
	}
	if len(s.Config.Backup.Recipients) == 0 {
		s.Log.Warn("the backups on schedule are not encrypted and hold the addresses of subscribers; set backup.recipients")
	}
	runner.Run(ctx)
}

// Backups returns what makes the backups of the configuration.
func (s *Service) Backups() (*backups.Runner, error) { return backups.New(s.Store, s.Config, s.Log) }

// expiryInterval is how often the store is searched for expired articles. The query reads a small
// index.
const expiryInterval = time.Second

// withdrawExpired withdraws articles at their expiry date, until the context ends.
func (s *Service) withdrawExpired(ctx context.Context) {
	every(ctx, expiryInterval, func() {
		n, err := s.Store.WithdrawExpired(ctx)
		if n > 0 {
			s.Log.Info("withdrew expired articles", "count", n)
		}
		s.logError(ctx, "cannot withdraw expired articles", err)
	})
}
