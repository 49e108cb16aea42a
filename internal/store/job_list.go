package store

import (
	"context"
	"database/sql"
	"errors"
	"time"
)

// NextJob is when the next job of some kinds is due; the zero time when there is none.
func (s *Store) NextJob(ctx context.Context, kinds []string) (time.Time, error) {
	var due int64
	_, err := s.readers.One(ctx, "job.nextDue", []any{jsonList(kinds)}, &due)
	return timeOf(due), err
}

// FailedJobs are the newest jobs that were given up.
func (s *Store) FailedJobs(ctx context.Context, limit int) ([]Job, error) {
	var out []Job
	err := s.readers.Each(ctx, "job.failed", []any{limit}, func(rows *sql.Rows) error {
		var j Job
		var created, finished int64
		err := rows.Scan(&j.ID, &j.Kind, &j.Key, &j.Payload, &j.Epoch, &j.Tries, &created, &j.Error, &finished)
		j.Created, j.Ended = timeOf(created), timeOf(finished)
		out = append(out, j)
		return err
	})
	return out, err
}

// JobCounts is how many jobs of a kind there are.
type JobCounts struct{ Open, Done, Failed int64 }

// CountJobs says how many jobs there are of each kind.
func (s *Store) CountJobs(ctx context.Context) (map[string]JobCounts, error) {
	out := map[string]JobCounts{}
	err := s.readers.Each(ctx, "job.counts", nil, func(rows *sql.Rows) error {
		var kind, state string
		var n int64
		if err := rows.Scan(&kind, &state, &n); err != nil {
			return err
		}
		counts := out[kind]
		switch state {
		case "open":
			counts.Open = n
		case "done":
			counts.Done = n
		case "failed":
			counts.Failed = n
		}
		out[kind] = counts
		return nil
	})
	return out, err
}

// OpenJobs says how many open jobs of a kind have a key that begins with a prefix,
// counted no further than limit: for a bound on what strangers may ask for.
func (s *Store) OpenJobs(ctx context.Context, kind, prefix string, limit int64) (int64, error) {
	var n int64
	_, err := s.readers.One(ctx, "job.open", []any{kind, prefix, limit, "\U0010FFFF"}, &n)
	return n, err
}

// PruneJobs removes the jobs that were done before a time, and those that were given
// up before another, in small steps.
func (s *Store) PruneJobs(ctx context.Context, done, failed time.Time) error {
	return errors.Join(s.pruneJobs(ctx, "done", done), s.pruneJobs(ctx, "failed", failed))
}

func (s *Store) pruneJobs(ctx context.Context, state string, before time.Time) error {
	for removed, last := int64(0), int64(-1); last != removed && ctx.Err() == nil; {
		last = removed
		if err := s.step(ctx, &removed, "job.prune", state, millis(before), removeAtOnce); err != nil {
			return err
		}
	}
	return ctx.Err()
}
