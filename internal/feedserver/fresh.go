package feedserver

import (
	"context"
	"sync"
	"sync/atomic"
	"time"
)

// freshness is what the server knows of its source's revision.
//
// Changed increments changesMade. A request that finds it above changesSeen waits for a
// check of the source that began after the change, so it never gets an older document.
// Otherwise one request per Poll starts a check, and the others do not wait.
//
// Only one check runs at a time, and requests wait for it at most answerTimeout. After a
// failed check the source is not asked again for retryDelay, and the documents stay as they
// are: an old feed is better than none.
type freshness struct {
	changesMade, changesSeen atomic.Int64
	nextCheck                atomic.Int64             // when to ask again, Unix nanoseconds
	retryAt                  atomic.Int64             // when to ask again after a failure, whatever was told
	lastCheck                atomic.Int64             // when the last answered question was asked, Unix nanoseconds
	generation               atomic.Int64             // changes so far; rendering remembers the one it began in
	departed                 atomic.Pointer[httpDate] // when an article may last have left a feed
	outdated                 atomic.Pointer[httpDate] // the last second before other nodes served feeds set up in a newer way; nil when none does
	marking                  sync.Mutex               // held while documents are marked as stale, and while one is kept

	mu      sync.Mutex
	running *check // the one under way; guarded by mu
	failing bool   // guarded by mu
	mark    Mark   // of the last question under way
}

// check is one request to the source for changes. Any number of requests wait for it.
type check struct {
	changes  int64 // what it covers of what was told
	deadline time.Time
	done     chan struct{}
}

// How long a check may take, and how long after a failure the next one may begin.
const (
	answerTimeout = 2 * time.Second
	retryDelay    = time.Second
)

// Changed records that articles were changed on this node. The next request shows the change.
func (s *Server) Changed() { s.freshness.changesMade.Add(1) }

// Generation counts the changes of articles, and the moments when one of them appeared by
// its date, that this server has seen. Pages that are made of articles change with it. Like a
// feed it is up to date with changes on this node, and with those on others within Poll.
func (s *Server) Generation() int64 {
	s.refresh()
	return s.freshness.generation.Load()
}

// refresh brings the cache up to date with the source. It starts or joins a check of the
// source when one is due, and waits for its end.
func (s *Server) refresh() { s.refreshAt(s.options.Now()) }

func (s *Server) refreshAt(now time.Time) {
	f := &s.freshness
	told := f.changesMade.Load()
	if told == f.changesSeen.Load() && now.UnixNano() < f.nextCheck.Load() {
		return
	}
	q := s.startCheck(now, told)
	q.wait()
	if q != nil && q.changes < told { // it may have begun before the change; the one after it did not
		s.startCheck(s.options.Now(), told).wait()
	}
}

// startCheck starts a check of the source, or joins the running one if there are new changes.
// It returns the check to wait for, or nil.
func (s *Server) startCheck(now time.Time, told int64) *check {
	f := &s.freshness
	f.mu.Lock()
	defer f.mu.Unlock()
	urgent := told > f.changesSeen.Load()
	switch {
	case now.UnixNano() < f.retryAt.Load(), !urgent && now.UnixNano() < f.nextCheck.Load():
		return nil
	case f.running != nil && !urgent:
		return nil
	case f.running == nil:
		f.running = &check{changes: f.changesMade.Load(), deadline: time.Now().Add(answerTimeout), done: make(chan struct{})}
		go s.runCheck(f.running, now)
	}
	return f.running
}

// wait waits until the check ends, at most until its deadline.
func (q *check) wait() {
	if q == nil {
		return
	}
	timer := time.NewTimer(time.Until(q.deadline))
	defer timer.Stop()
	select {
	case <-q.done:
	case <-timer.C:
	}
}

// runCheck asks the source for changes and marks the documents that show them as stale. One
// clock reading decides which articles have appeared.
func (s *Server) runCheck(q *check, now time.Time) {
	f := &s.freshness
	// Not a request's context: all requests live on the answer.
	ctx, cancel := context.WithDeadline(context.Background(), q.deadline)
	defer cancel()
	change, err := s.options.Source.Changed(ctx, f.mark, now)
	f.mu.Lock()
	defer f.mu.Unlock()
	f.running = nil
	defer close(q.done)
	if err != nil {
		f.retryAt.Store(s.options.Now().Add(retryDelay).UnixNano())
		if !f.failing {
			s.options.Log.Error("feeds may be old: the store does not say what changed", "error", err)
		}
		f.failing = true
		return
	}
	f.failing = false
	f.mark = change.Mark
	s.markChanged(change)
	f.lastCheck.Store(now.UnixNano())
	f.nextCheck.Store(now.Add(s.options.Poll).UnixNano())
	f.changesSeen.Store(q.changes)
}

// markChanged marks the documents that show a change as stale. It stores the departure last,
// so that a request that has read it gets no older document.
func (s *Server) markChanged(change Change) {
	f := &s.freshness
	f.marking.Lock()
	defer f.marking.Unlock()
	if change.All || len(change.Articles) > 0 {
		f.generation.Add(1)
		for _, d := range s.cache.All() {
			if change.All || d.touches(change.Articles) {
				d.MarkStale()
			}
		}
	}
	if known := f.departed.Load(); known == nil || change.Departed.Unix() > known.second {
		f.departed.Store(newHTTPDate(change.Departed))
	}
	f.outdated.Store(s.outdated(change.Settings))
}

// outdated is the last second before another node served feeds that are set up in
// another way than ours; nil when ours are the newest.
func (s *Server) outdated(newest Settings) *httpDate {
	if s.options.Settings == "" || newest.Fingerprint == "" || newest.Fingerprint == s.options.Settings {
		return nil
	}
	if known := s.freshness.outdated.Load(); known != nil && known.second == newest.Since.Unix()-1 {
		return known
	}
	return newHTTPDate(newest.Since.Add(-time.Second))
}

// asOf is the moment that documents show: now, and no earlier than the moment that
// decided which of them are stale, should the clock have been set back since.
func (s *Server) asOf() time.Time {
	now := s.options.Now()
	if asked := s.freshness.lastCheck.Load(); asked > now.UnixNano() {
		return time.Unix(0, asked)
	}
	return now
}

// current reports whether a document may be served as it is.
func (s *Server) current(d *document) bool {
	return !d.Stale() && !d.private() && (d.expires.IsZero() || s.options.Now().Before(d.expires))
}
