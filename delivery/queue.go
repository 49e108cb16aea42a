package delivery

import (
	"context"
	"sync"

	"github.com/tidings-press/tidings/store"
)

// job is one mail to send.
type job struct {
	store.Recipient
	lease *lease
}

// queue hands jobs from the dispatcher to the connections.
type queue struct {
	mu    sync.Mutex
	jobs  []job
	added chan struct{} // closed and made anew when jobs come
	taken chan struct{} // one token: a job was taken
}

func newQueue() *queue {
	return &queue{added: make(chan struct{}), taken: make(chan struct{}, 1)}
}

// put adds jobs at the end.
func (q *queue) put(jobs []job) {
	q.mu.Lock()
	q.jobs = append(q.jobs, jobs...)
	close(q.added)
	q.added = make(chan struct{})
	q.mu.Unlock()
}

// back returns a job that was not tried, so that it comes next.
func (q *queue) back(j job) {
	q.mu.Lock()
	q.jobs = append([]job{j}, q.jobs...)
	close(q.added)
	q.added = make(chan struct{})
	q.mu.Unlock()
}

// try takes the next job if there is one.
func (q *queue) try() (job, bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if len(q.jobs) == 0 {
		return job{}, false
	}
	j := q.jobs[0]
	q.jobs = q.jobs[1:]
	select {
	case q.taken <- struct{}{}:
	default:
	}
	return j, true
}

// take waits for a job. It returns false when the context ends.
func (q *queue) take(ctx context.Context) (job, bool) {
	for {
		q.mu.Lock()
		added := q.added
		q.mu.Unlock()
		if j, ok := q.try(); ok {
			return j, true
		}
		select {
		case <-added:
		case <-ctx.Done():
			return job{}, false
		}
	}
}

// length is the number of jobs that wait.
func (q *queue) length() int {
	q.mu.Lock()
	defer q.mu.Unlock()
	return len(q.jobs)
}

// drain takes all jobs away.
func (q *queue) drain() []job {
	q.mu.Lock()
	defer q.mu.Unlock()
	jobs := q.jobs
	q.jobs = nil
	return jobs
}
