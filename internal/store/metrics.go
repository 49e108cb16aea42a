package store

import (
	"context"
	"database/sql"
	"slices"
	"time"

	"github.com/tidings-press/tidings/internal/digest"
)

// Backlog is what waits in the store, for monitoring.
type Backlog struct {
	Editions   map[digest.State]int64 // number of editions of each state, at most 10,000
	OldestMail time.Duration          // age of the oldest edition with waiting mails
	Jobs       int64                  // number of jobs that are due, at most 10,000
	Lag        Lag

	BackedUp     time.Time // end of the last backup on schedule that succeeded; zero without one
	BackupFailed bool      // the last try of a backup failed
	HasBackups   bool      // there were any
}

// Backlog returns what waits in the store. Its queries take a time that does not grow with the store.
func (s *Store) Backlog(ctx context.Context, digests []string) (Backlog, error) {
	out := Backlog{Editions: map[digest.State]int64{}}
	now := s.Now()
	err := s.readers.Each(ctx, "metrics.editions", []any{jsonList(digest.States)}, func(rows *sql.Rows) error {
		var state digest.State
		var n int64
		err := rows.Scan(&state, &n)
		out.Editions[state] = n
		return err
	})
	var since int64
	if err == nil {
		_, err = s.readers.One(ctx, "metrics.oldestMail", []any{millis(now)}, &since)
	}
	if since > 0 {
		out.OldestMail = now.Sub(timeOf(since))
	}
	if err == nil {
		_, err = s.readers.One(ctx, "metrics.jobs", []any{millis(now)}, &out.Jobs)
	}
	if err == nil {
		out.Lag, err = s.Lag(ctx, digests)
	}
	if err == nil {
		err = s.addBackups(ctx, &out)
	}
	return out, err
}

// searchedBackups bounds how many of the latest backups are searched for the last success.
const searchedBackups = 50

// addBackups adds the results of backups on schedule.
func (s *Store) addBackups(ctx context.Context, out *Backlog) error {
	latest, err := s.ScheduledBackups(ctx, searchedBackups)
	if err != nil || len(latest) == 0 {
		return err
	}
	out.HasBackups, out.BackupFailed = true, latest[0].Error != ""
	if i := slices.IndexFunc(latest, func(b ScheduledBackup) bool { return b.State == BackupDone }); i >= 0 {
		out.BackedUp = latest[i].Finished
	}
	return nil
}
