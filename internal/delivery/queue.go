package delivery

import (
	"context"
	"sync"
	"time"

	"github.com/tidings-press/tidings/internal/delivery/relay"
	"github.com/tidings-press/tidings/internal/store"
)

// job is one mail to send.
type job struct {
	store.Recipient
	lease *lease
	size  int // of its mail in bytes, once it has exceeded a relay's limit; else 0
}

// queue hands jobs from the dispatcher to the connections.
type queue struct {
	mu    sync.Mutex
	jobs  []job
	added chan struct{} // closed and replaced when jobs come
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

// putBack returns a job that was not tried to the front of the queue.
func (q *queue) putBack(j job) {
	q.mu.Lock()
	q.jobs = append([]job{j}, q.jobs...)
	close(q.added)
	q.added = make(chan struct{})
	q.mu.Unlock()
}

// lookAhead is how many jobs are searched for one that a relay may send.
const lookAhead = 64

// take removes and returns the next job that routes to a relay, if there is one.
func (q *queue) take(r *relay.Relay) (job, bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	for i := range min(len(q.jobs), lookAhead) {
		j := q.jobs[i]
		if !r.Routes(relay.Mail{Address: j.Address, RefusedBy: j.RefusedBy, Size: j.size}) {
			continue
		}
		copy(q.jobs[1:i+1], q.jobs[:i])
		q.jobs = q.jobs[1:]
		select {
		case q.taken <- struct{}{}:
		default:
		}
		return j, true
	}
	return job{}, false
}

// await waits until the queue has jobs, the time limit is reached or the context ends.
func (q *queue) await(ctx context.Context, limit time.Duration) {
	q.mu.Lock()
	added, empty := q.added, len(q.jobs) == 0
	q.mu.Unlock()
	if !empty {
		return
	}
	timer := time.NewTimer(limit)
	defer timer.Stop()
	select {
	case <-added:
	case <-timer.C:
	case <-ctx.Done():
	}
}

// length returns the number of jobs in the queue.
func (q *queue) length() int {
	q.mu.Lock()
	defer q.mu.Unlock()
	return len(q.jobs)
}

// drain removes all jobs and returns them.
func (q *queue) drain() []job {
	q.mu.Lock()
	defer q.mu.Unlock()
	jobs := q.jobs
	q.jobs = nil
	return jobs
}
