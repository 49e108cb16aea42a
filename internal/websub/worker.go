package websub

import (
	"cmp"
	"context"
	"errors"
	"log/slog"
	"maps"
	"math/rand/v2"
	"slices"
	"time"
)

// Worker does jobs, several at once.
type Worker struct {
	Queue Queue
	Do    map[string]Task // by kind
	Log   *slog.Logger
	Hands int           // how many jobs it does at once; 8 when 0
	Poll  time.Duration // how often it looks for jobs; a second when 0
	// FirstDelay is the delay before the second try; it doubles from then on. Ten
	// seconds when 0.
	FirstDelay time.Duration
}

const (
	// lease is how long a job is a worker's. It begins with the job: no more jobs are
	// claimed than there are free hands.
	lease = 2 * time.Minute
	// turn is how long a worker may take for a job, which leaves the rest of the lease
	// for recording how it went.
	turn = time.Minute
	// recording is how long that may take when the worker is told to stop.
	recording = 5 * time.Second
)

// Run does jobs until ctx ends, and returns when those that it began have ended.
func (w *Worker) Run(ctx context.Context) error {
	hands := cmp.Or(w.Hands, 8)
	free, ended := hands, make(chan struct{}, hands)
	poll := time.NewTicker(cmp.Or(w.Poll, time.Second))
	defer poll.Stop()
	for {
		for _, job := range w.claim(ctx, free) {
			free--
			go func() {
				w.one(ctx, job)
				ended <- struct{}{}
			}()
		}
		select {
		case <-ctx.Done():
			for ; free < hands; free++ {
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
func (w *Worker) claim(ctx context.Context, n int) []Job {
	if n == 0 || ctx.Err() != nil {
		return nil
	}
	jobs, err := w.Queue.Claim(ctx, slices.Sorted(maps.Keys(w.Do)), n, lease)
	if err != nil && ctx.Err() == nil {
		w.Log.Error("WebSub jobs cannot be read", "error", err)
	}
	return jobs
}

// one has a turn at a job and records how it ended, also when the worker is told to
// stop: nobody has to wait for the end of its lease then.
func (w *Worker) one(ctx context.Context, job Job) {
	within, cancel := context.WithTimeout(ctx, turn)
	defer cancel()
	end := w.end(ctx, job, w.Do[job.Kind].Do(within, job.Payload))
	record, done := context.WithTimeout(context.WithoutCancel(ctx), recording)
	defer done()
	if err := w.Queue.Settle(record, job, end); err != nil {
		w.Log.Error("a WebSub job's end is not recorded; it will be done again", "kind", job.Kind, "error", err)
	}
}

// end decides what becomes of a job.
func (w *Worker) end(ctx context.Context, job Job, err error) End {
	var more gotOn
	task := w.Do[job.Kind]
	switch {
	case err == nil:
		return End{State: Done}
	case errors.As(err, &more) && more.wrong != nil:
		return End{State: GotOn, After: w.delay(task, 1), Reason: more.wrong.Error()}
	case errors.As(err, &more):
		return End{State: GotOn, After: more.after}
	case errors.Is(err, errGone), job.Tries >= cmp.Or(task.Tries, 20):
		w.Log.Warn("a WebSub job is given up", "kind", job.Kind, "tries", job.Tries, "error", err)
		return End{State: Failed, Reason: err.Error()}
	case ctx.Err() != nil: // it was cut short, by us
		return End{State: Stumbled, Reason: err.Error()}
	}
	return End{State: Stumbled, After: w.delay(task, job.Tries), Reason: err.Error()}
}

// delay doubles with every try, with a quarter of jitter either way, so that many
// jobs for one server that was down do not come back at once.
func (w *Worker) delay(task Task, tries int) time.Duration {
	delay := min(cmp.Or(w.FirstDelay, 10*time.Second)<<min(max(tries-1, 0), 12), cmp.Or(task.Rest, 6*time.Hour))
	return delay*3/4 + rand.N(delay/2+1)
}
