package store

import (
	"context"
	"database/sql"
	"errors"
	"time"

	"github.com/tidings-press/tidings/internal/subscriber"
)

// ErrLease reports that a job's lease expired and another node has claimed the job since.
var ErrLease = errors.New("the lease expired and another node has the job")

// Job is background work that is done at least once, such as a welcome mail or the
// notification of a hub.
type Job struct {
	ID      int64
	Kind    string
	Key     string // unique among the open jobs of a kind; a second job with it is the same job
	Payload []byte
	About   subscriber.Address // the subscriber it concerns, whose erasure deletes the job; may be zero
	Newest  bool               // an open job gets this payload; if it is in progress, it runs again
	Due     time.Time          // the earliest time to do it; now when zero
	Epoch   int64              // rises with every claim: a holder with an older one has lost the job
	Tries   int                // including the current one
	Created time.Time
	Error   string // of a failed one
	Ended   time.Time
}

// Enqueue stores a job and reports whether it is new. It adds none if a job of the same kind
// and key is open.
func (s *Store) Enqueue(ctx context.Context, job Job) (fresh bool, err error) {
	err = s.write(ctx, func(tx *conn) (err error) {
		fresh, err = s.enqueue(ctx, tx, job)
		return err
	})
	return fresh, err
}

// EnqueueAll stores jobs as Enqueue does, in one transaction.
func (s *Store) EnqueueAll(ctx context.Context, jobs []Job) error {
	return s.write(ctx, func(tx *conn) error { return s.enqueueAll(ctx, tx, jobs) })
}

func (s *Store) enqueueAll(ctx context.Context, tx *conn, jobs []Job) error {
	for _, job := range jobs {
		if _, err := s.enqueue(ctx, tx, job); err != nil {
			return err
		}
	}
	return nil
}

func (s *Store) enqueue(ctx context.Context, tx *conn, job Job) (fresh bool, err error) {
	job.Created, job.Epoch, job.Tries, job.Error, job.Ended = s.Now(), 0, 0, "", time.Time{}
	if job.Due.IsZero() {
		job.Due = job.Created
	}
	about := []byte{}
	if !job.About.IsZero() {
		keys, err := s.Keys(ctx)
		if err != nil {
			return false, err
		}
		about = keys.SuppressionHash(job.About)
	}
	query := "job.insert"
	if job.Newest {
		query = "job.replace"
	}
	var id int64
	return tx.One(ctx, query, jobValues(&job, about), &id)
}

// jobValues returns the values of columns(job) for an open job.
func jobValues(j *Job, about []byte) []any {
	return []any{j.Kind, j.Key, j.payload(), "open", millis(j.Due), j.Epoch, j.Tries, j.Error, millis(j.Created), millis(j.Ended), about}
}

// scanJob reads id and columns(job).
func scanJob(rows *sql.Rows) (Job, error) {
	var j Job
	var state string
	var about []byte
	var due, created, finished int64
	err := rows.Scan(&j.ID, &j.Kind, &j.Key, &j.Payload, &state, &due, &j.Epoch, &j.Tries, &j.Error, &created, &finished, &about)
	j.Due, j.Created, j.Ended = timeOf(due), timeOf(created), timeOf(finished)
	return j, err
}

// payload returns the payload, never nil, which the drivers would write as NULL.
func (j Job) payload() []byte {
	if j.Payload == nil {
		return []byte{}
	}
	return j.Payload
}

// ClaimJobs claims up to n due jobs of some kinds for the length of the lease. When a node
// dies, its jobs can be claimed again after that.
func (s *Store) ClaimJobs(ctx context.Context, kinds []string, n int, lease time.Duration) ([]Job, error) {
	var out []Job
	era := s.history.era.Load()
	err := s.write(ctx, func(tx *conn) error {
		out = out[:0]
		now := s.Now()
		args := []any{jsonList(kinds), millis(now), millis(now.Add(lease)), n}
		return tx.Each(ctx, "job.claim", args, func(rows *sql.Rows) error {
			j, err := scanJob(rows)
			out = append(out, j)
			return err
		})
	})
	if err == nil {
		err = s.checkReconnected(ctx, era)
	}
	return out, err
}

// FinishJob ends a claimed job that was done. A job that was enqueued again meanwhile
// stays open and is due at once. ErrLease reports that the job is no longer ours.
func (s *Store) FinishJob(ctx context.Context, job Job) error {
	return s.changeOwn(ctx, "job.finish", job.ID, job.Epoch, job.payload(), millis(s.Now()), []byte{})
}

// DropJob deletes a claimed job.
func (s *Store) DropJob(ctx context.Context, job Job) error {
	return s.changeOwn(ctx, "job.drop", job.ID, job.Epoch)
}

// FailJob marks a claimed job as failed.
func (s *Store) FailJob(ctx context.Context, job Job, reason string) error {
	return s.changeOwn(ctx, "job.fail", job.ID, job.Epoch, replyText(reason), millis(s.Now()), []byte{})
}

// ContinueJob releases a claimed job that succeeded and has more to do later.
func (s *Store) ContinueJob(ctx context.Context, job Job, delay time.Duration) error {
	return s.changeOwn(ctx, "job.continue", job.ID, job.Epoch, millis(s.Now().Add(delay)))
}

// RetryJob releases a claimed job that failed, to be tried again after a delay.
func (s *Store) RetryJob(ctx context.Context, job Job, delay time.Duration, reason string) error {
	return s.changeOwn(ctx, "job.retry", job.ID, job.Epoch, millis(s.Now().Add(delay)), replyText(reason))
}

// changeOwn changes a job if its epoch is still current.
func (s *Store) changeOwn(ctx context.Context, query string, args ...any) error {
	return s.write(ctx, func(tx *conn) error {
		n, err := tx.Exec(ctx, query, args...)
		if err == nil && n == 0 {
			err = ErrLease
		}
		return err
	})
}

// OpenJobs returns how many open jobs of a kind have a key with a prefix, counted up to
// limit. It bounds what the public may request.
func (s *Store) OpenJobs(ctx context.Context, kind, prefix string, limit int64) (int64, error) {
	var n int64
	_, err := s.readers.One(ctx, "job.open", []any{kind, prefix, limit, "\U0010FFFF"}, &n)
	return n, err
}

// PruneJobs removes the jobs that were done before one time, and those that failed before
// another, in small transactions.
func (s *Store) PruneJobs(ctx context.Context, done, failed time.Time) error {
	return errors.Join(s.pruneJobs(ctx, "done", done), s.pruneJobs(ctx, "failed", failed))
}

func (s *Store) pruneJobs(ctx context.Context, state string, before time.Time) error {
	for n := int64(rowsPerStep); n == rowsPerStep; {
		err := s.write(ctx, func(tx *conn) (err error) {
			n, err = tx.Exec(ctx, "job.prune", state, millis(before), rowsPerStep)
			return err
		})
		if err := errors.Join(err, ctx.Err()); err != nil {
			return err
		}
	}
	return nil
}
