package websub

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"time"

	"github.com/tidings-press/tidings/internal/backoff"
	"github.com/tidings-press/tidings/internal/metrics"
	"github.com/tidings-press/tidings/internal/store"
)

// Worker runs jobs of the store, several at once.
type Worker struct {
	Store    *store.Store
	Tasks    map[string]Task // by kind of job
	Log      *slog.Logger
	Parallel int           // maximum number of jobs that run at once; 8 when 0
	Poll     time.Duration // interval of checks for jobs; a second when 0
	// FirstDelay is the delay before the second try; it doubles with each try. Ten seconds
	// when 0.
	FirstDelay time.Duration
}

// Task runs the jobs of one kind.
type Task struct {
	// Run runs a job. It returns moreToDo if a part of the job remains.
	Run      func(ctx context.Context, payload []byte) error
	Tries    int           // maximum number of tries without progress; 20 when 0, which takes about three days
	MaxDelay time.Duration // the longest delay between tries; six hours when 0
}

// errPermanent is returned for a job that cannot succeed, so that it is not tried again.
var errPermanent = errors.New("permanent failure")

// moreToDo is returned when a part of a job remains. It is due after this time, or, if the
// last step failed, after the first delay of a retry.
type moreToDo struct {
	after  time.Duration
	failed error
}

func (m moreToDo) Error() string {
	return fmt.Sprintf("more to do in %v: %v", m.after, m.failed)
}

const (
	// lease is how long a claimed job belongs to a worker. A job begins when it is claimed,
	// since a worker claims no more jobs than it can run at once.
	lease = 2 * time.Minute
	// runTimeout is the time limit of a run. The rest of the lease is for recording its result.
	runTimeout = time.Minute
	// recordTimeout is the time limit for recording the result.
	recordTimeout = 5 * time.Second
)

// Run runs jobs until ctx ends, waits for the running ones and returns.
func (w *Worker) Run(ctx context.Context) error {
	parallel := cmp.Or(w.Parallel, 8)
	free, ended := parallel, make(chan struct{}, parallel)
	poll := time.NewTicker(cmp.Or(w.Poll, time.Second))
	defer poll.Stop()
	for {
		for _, job := range w.claim(ctx, free) {
			free--
			go func() {
				w.run(ctx, job)
				ended <- struct{}{}
			}()
		}
		select {
		case <-ctx.Done():
			for ; free < parallel; free++ {
				<-ended
			}
			return nil
		case <-ended:
			free++
		case <-poll.C:
		}
	}
}

// claim takes up to n jobs that are due.
func (w *Worker) claim(ctx context.Context, n int) []store.Job {
	if n == 0 || ctx.Err() != nil {
		return nil
	}
	jobs, err := w.Store.ClaimJobs(ctx, slices.Sorted(maps.Keys(w.Tasks)), n, lease)
	if err != nil && ctx.Err() == nil {
		w.Log.Error("WebSub jobs cannot be claimed", "error", err)
	}
	return jobs
}

// run runs a job and records its result, also when the worker is stopped, so that another
// worker can take the job before the end of its lease.
func (w *Worker) run(ctx context.Context, job store.Job) {
	limited, cancel := context.WithTimeout(ctx, runTimeout)
	defer cancel()
	err := w.Tasks[job.Kind].Run(limited, job.Payload)
	recording, done := context.WithTimeout(context.WithoutCancel(ctx), recordTimeout)
	defer done()
	if err := w.record(recording, job, err, ctx.Err() != nil); err != nil {
		w.Log.Error("result of a WebSub job not recorded; the job will run again", "kind", job.Kind, "error", err)
	}
}

// record stores the result of a job. stopped reports that the worker is being stopped.
func (w *Worker) record(ctx context.Context, job store.Job, err error, stopped bool) error {
	var more moreToDo
	task := w.Tasks[job.Kind]
	switch {
	case err == nil:
		metrics.WebSubJob(job.Kind, "done")
		return w.Store.FinishJob(ctx, job)
	case errors.As(err, &more) && more.failed != nil:
		return w.Store.ContinueJob(ctx, job, w.delay(task, 1))
	case errors.As(err, &more):
		return w.Store.ContinueJob(ctx, job, more.after)
	case errors.Is(err, errPermanent), job.Tries >= cmp.Or(task.Tries, 20):
		metrics.WebSubJob(job.Kind, "given_up")
		w.Log.Warn("WebSub job given up", "kind", job.Kind, "tries", job.Tries, "error", err)
		return w.Store.FailJob(ctx, job, err.Error())
	case stopped:
		return w.Store.RetryJob(ctx, job, 0, err.Error())
	}
	metrics.WebSubJob(job.Kind, "retried")
	return w.Store.RetryJob(ctx, job, w.delay(task, job.Tries), err.Error())
}

// delay returns the delay before the next try; see backoff.Delay.
func (w *Worker) delay(task Task, tries int) time.Duration {
	return backoff.Delay(cmp.Or(w.FirstDelay, 10*time.Second), cmp.Or(task.MaxDelay, 6*time.Hour), tries)
}

func encode(payload any) []byte {
	data, err := json.Marshal(payload)
	if err != nil {
		panic("websub: payloads of this package are plain structs: " + err.Error())
	}
	return data
}

func decode(payload []byte, into any) error {
	if err := json.Unmarshal(payload, into); err != nil {
		return fmt.Errorf("%w: payload %q: %v", errPermanent, payload, err)
	}
	return nil
}
