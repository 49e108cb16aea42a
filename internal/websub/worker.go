package websub

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/tidings-press/tidings/internal/store"
)

// Worker runs jobs of the store, several at once.
type Worker struct {
	Store    *store.Store
	Tasks    map[string]Task // by kind of job
	Log      *slog.Logger
	Parallel int           // how many jobs run at once; 8 when 0
	Poll     time.Duration // how often it looks for jobs; a second when 0
	// FirstDelay is the delay before the second try, which doubles from then on. Ten
	// seconds when 0.
	FirstDelay time.Duration
}

// Task is how jobs of a kind are run.
type Task struct {
	// Run runs a job, or a part of it and returns moreToDo.
	Run      func(ctx context.Context, payload []byte) error
	Tries    int           // how often it is tried without progress; 20 when 0, which is about three days
	MaxDelay time.Duration // the longest delay between tries; six hours when 0
}

// errPermanent says that a job cannot succeed, however often it is tried.
var errPermanent = errors.New("no use trying again")

// moreToDo says that a job was done in part. The rest is due after a while, or after
// the delay of a first try if the last step failed.
type moreToDo struct {
	after  time.Duration
	failed error
}

func (m moreToDo) Error() string {
	return fmt.Sprintf("there is more to do in %v, %v", m.after, m.failed)
}

const (
	// lease is how long a job belongs to a worker. It begins with the job: no more jobs
	// are claimed than can begin at once.
	lease = 2 * time.Minute
	// runTimeout is how long a job may run, which leaves the rest of the lease for
	// recording its end.
	runTimeout = time.Minute
	// recordTimeout is how long recording may take when the worker stops.
	recordTimeout = 5 * time.Second
)

// Run runs jobs until ctx ends, and returns when the jobs that it began have ended.
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
		w.Log.Error("WebSub jobs cannot be read", "error", err)
	}
	return jobs
}

// run runs a job and records how it ended. It records also when the worker is told to
// stop, so that the job need not wait for the end of its lease.
func (w *Worker) run(ctx context.Context, job store.Job) {
	limited, cancel := context.WithTimeout(ctx, runTimeout)
	defer cancel()
	err := w.Tasks[job.Kind].Run(limited, job.Payload)
	recording, done := context.WithTimeout(context.WithoutCancel(ctx), recordTimeout)
	defer done()
	if err := w.record(recording, job, err, ctx.Err() != nil); err != nil {
		w.Log.Error("a WebSub job's end is not recorded; it will run again", "kind", job.Kind, "error", err)
	}
}

// record stores how a job ended. stopped says that the worker was told to stop.
func (w *Worker) record(ctx context.Context, job store.Job, err error, stopped bool) error {
	var more moreToDo
	task := w.Tasks[job.Kind]
	switch {
	case err == nil:
		return w.Store.FinishJob(ctx, job)
	case errors.As(err, &more) && more.failed != nil:
		return w.Store.ContinueJob(ctx, job, w.delay(task, 1))
	case errors.As(err, &more):
		return w.Store.ContinueJob(ctx, job, more.after)
	case errors.Is(err, errPermanent), job.Tries >= cmp.Or(task.Tries, 20):
		w.Log.Warn("a WebSub job is given up", "kind", job.Kind, "tries", job.Tries, "error", err)
		return w.Store.FailJob(ctx, job, err.Error())
	case stopped:
		return w.Store.RetryJob(ctx, job, 0, err.Error())
	}
	return w.Store.RetryJob(ctx, job, w.delay(task, job.Tries), err.Error())
}

// delay doubles with each try. A quarter of jitter either way keeps many jobs for one
// server that was down from coming back at once.
func (w *Worker) delay(task Task, tries int) time.Duration {
	delay := min(cmp.Or(w.FirstDelay, 10*time.Second)<<min(max(tries-1, 0), 12), cmp.Or(task.MaxDelay, 6*time.Hour))
	return delay*3/4 + rand.N(delay/2+1)
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
