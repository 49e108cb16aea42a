package websub

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"time"
)

// Job is a piece of work that is done at least once.
type Job struct {
	Kind    string
	Key     string // of open jobs of a kind each key is there once
	Payload []byte
	After   time.Duration // when it may be done, from now on
	Tries   int           // of a claimed one, this one included
	Handle  any           // the queue's own
}

// Queue keeps jobs durably; the store has one.
type Queue interface {
	Enqueue(ctx context.Context, job Job) error
	// Claim takes up to n due jobs of some kinds for the length of the lease.
	Claim(ctx context.Context, kinds []string, n int, lease time.Duration) ([]Job, error)
	Finish(ctx context.Context, job Job) error
	Retry(ctx context.Context, job Job, delay time.Duration, reason string) error
	Fail(ctx context.Context, job Job, reason string) error
}

// errGone says that a job cannot succeed, however often it is tried.
var errGone = errors.New("no use trying again")

// Worker does jobs.
type Worker struct {
	Queue Queue
	Do    map[string]func(ctx context.Context, payload []byte) error // by kind
	Log   *slog.Logger
	// Poll is how often it looks for jobs; a second when 0.
	Poll time.Duration
	// FirstDelay is the delay before the second try; it doubles from then on, up to
	// six hours. Ten seconds when 0.
	FirstDelay time.Duration
	// Tries is how often a job is tried; 20 when 0, which is about three days.
	Tries int
}

// lease is how long a worker may take for one job.
const lease = 2 * time.Minute

// Run does jobs until ctx ends.
func (w *Worker) Run(ctx context.Context) error {
	poll := time.NewTicker(cmp.Or(w.Poll, time.Second))
	defer poll.Stop()
	for {
		for w.once(ctx) > 0 && ctx.Err() == nil {
		}
		select {
		case <-ctx.Done():
			return nil
		case <-poll.C:
		}
	}
}

// once does the jobs that are due and returns how many there were.
func (w *Worker) once(ctx context.Context) int {
	kinds := make([]string, 0, len(w.Do))
	for kind := range w.Do {
		kinds = append(kinds, kind)
	}
	jobs, err := w.Queue.Claim(ctx, kinds, 4, lease)
	if err != nil {
		if ctx.Err() == nil {
			w.Log.Error("WebSub jobs cannot be read", "error", err)
		}
		return 0
	}
	for _, job := range jobs {
		if err := w.one(ctx, job); err != nil && ctx.Err() == nil {
			w.Log.Error("a WebSub job's end is not recorded; it will be done again", "kind", job.Kind, "error", err)
		}
	}
	return len(jobs)
}

func (w *Worker) one(ctx context.Context, job Job) error {
	within, cancel := context.WithTimeout(ctx, lease/2)
	defer cancel()
	err := w.Do[job.Kind](within, job.Payload)
	switch {
	case err == nil:
		return w.Queue.Finish(ctx, job)
	case errors.Is(err, errGone), job.Tries >= cmp.Or(w.Tries, 20):
		w.Log.Warn("a WebSub job is given up", "kind", job.Kind, "tries", job.Tries, "error", err)
		return w.Queue.Fail(ctx, job, err.Error())
	}
	return w.Queue.Retry(ctx, job, w.delay(job.Tries), err.Error())
}

// delay doubles with every try, with a quarter of jitter either way, so that many
// jobs for one hub that was down do not come back at once.
func (w *Worker) delay(tries int) time.Duration {
	delay := min(cmp.Or(w.FirstDelay, 10*time.Second)<<min(max(tries-1, 0), 12), 6*time.Hour)
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
		return fmt.Errorf("%w: payload %q: %v", errGone, payload, err)
	}
	return nil
}
