package feedserver

import (
	"context"
	"sync"
	"sync/atomic"
	"time"
)

// freshness tracks the changes of the source.
//
// Changed increments changesMade. A request that finds it above changesSeen waits for a
// check of the source that began after the change, so it never gets an older document.
// Otherwise one request per Poll starts a check, and the others do not wait.
//
// Only one check runs at a time, and requests wait for it at most Limits.Check. After a
// failed check there is none for retryDelay, and the old documents are served: an old feed is
// better than none.
type freshness struct {
	changesMade, changesSeen atomic.Int64
	nextCheck                atomic.Int64             // time of the next check, Unix nanoseconds
	retryAt                  atomic.Int64             // no check before this time, after a failure
	lastCheck                atomic.Int64             // when the last successful check began, Unix nanoseconds
	contentVersion           atomic.Int64             // number of changes so far; a rendering notes the one in which it began
	departed                 atomic.Pointer[httpDate] // when an article may last have left a feed
	outdated                 atomic.Pointer[httpDate] // the last second before another node served feeds with newer settings; nil if none does
	marking                  sync.Mutex               // held while documents are marked as stale, and while one is stored

	mu         sync.Mutex
	running    *check     // nil if none runs; guarded by mu
	failing    bool       // guarded by mu
	checkpoint Checkpoint // of the last check; used only by the running check
}

// check is one query of the source for changes. Any number of requests wait for it.
type check struct {
	changes  int64 // value of changesMade at its begin
	deadline time.Time
	done     chan struct{}
}

// retryDelay is the delay after a failed check.
const retryDelay = time.Second

// Changed records that articles changed on this node. The next response shows the change.
func (s *Server) Changed() { s.freshness.changesMade.Add(1) }

// ContentVersion returns the number of changes that this server has seen, including articles that
// appeared because their date was reached. Caches of pages with articles use it as their
// version. It is as fresh as the feeds are.
func (s *Server) ContentVersion() int64 {
	s.refresh()
	return s.freshness.contentVersion.Load()
}

// refresh brings the cache up to date with the source. It starts or joins a check of the
// source when one is due, and waits for its end.
func (s *Server) refresh() { s.refreshAt(s.options.Now()) }

func (s *Server) refreshAt(now time.Time) {
	f := &s.freshness
	changes := f.changesMade.Load()
	if changes == f.changesSeen.Load() && now.UnixNano() < f.nextCheck.Load() {
		return
	}
	running := s.startCheck(now, changes)
	running.wait()
	if running != nil && running.changes < changes { // the check began before the change, so wait for the next one
		s.startCheck(s.options.Now(), changes).wait()
	}
}

// startCheck starts a check of the source, or joins the running one if there are new changes.
// It returns the check to wait for, or nil.
func (s *Server) startCheck(now time.Time, changes int64) *check {
	f := &s.freshness
	f.mu.Lock()
	defer f.mu.Unlock()
	urgent := changes > f.changesSeen.Load()
	switch {
	case now.UnixNano() < f.retryAt.Load(), !urgent && now.UnixNano() < f.nextCheck.Load():
		return nil
	case f.running != nil && !urgent:
		return nil
	case f.running == nil:
		f.running = &check{changes: f.changesMade.Load(), deadline: time.Now().Add(s.options.Limits.Check), done: make(chan struct{})}
		go s.runCheck(f.running, now)
	}
	return f.running
}

// wait waits until the check ends, at most until its deadline.
func (c *check) wait() {
	if c == nil {
		return
	}
	timer := time.NewTimer(time.Until(c.deadline))
	defer timer.Stop()
	select {
	case <-c.done:
	case <-timer.C:
	}
}

// runCheck asks the source for changes and marks the documents that show them as stale. One
// clock reading decides which articles have appeared.
func (s *Server) runCheck(c *check, now time.Time) {
	f := &s.freshness
	// Not the context of a request, since all requests use the result.
	ctx, cancel := context.WithDeadline(context.Background(), c.deadline)
	defer cancel()
	change, err := s.options.Source.Changed(ctx, f.checkpoint, now)
	f.mu.Lock()
	defer f.mu.Unlock()
	f.running = nil
	defer close(c.done)
	if err != nil {
		f.retryAt.Store(s.options.Now().Add(retryDelay).UnixNano())
		if !f.failing {
			s.options.Log.Error("feeds may be outdated: changes cannot be read from the store", "error", err)
		}
		f.failing = true
		return
	}
	f.failing = false
	f.checkpoint = change.Checkpoint
	s.markChanged(change)
	f.lastCheck.Store(now.UnixNano())
	f.nextCheck.Store(now.Add(s.options.Poll).UnixNano())
	f.changesSeen.Store(c.changes)
}

// markChanged marks the documents that a change affects as stale. It stores departed last,
// so that a request that has read departed gets no older document.
func (s *Server) markChanged(change Change) {
	f := &s.freshness
	f.marking.Lock()
	defer f.marking.Unlock()
	if change.All || len(change.Articles) > 0 {
		f.contentVersion.Add(1)
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

// outdated returns the last second before another node served feeds with newer settings than
// this node's; nil if this node's are the newest.
func (s *Server) outdated(newest Settings) *httpDate {
	if s.options.Settings == "" || newest.Hash == "" || newest.Hash == s.options.Settings {
		return nil
	}
	if known := s.freshness.outdated.Load(); known != nil && known.second == newest.Since.Unix()-1 {
		return known
	}
	return newHTTPDate(newest.Since.Add(-time.Second))
}

// asOf returns the time as of which documents are rendered: now, but not before the time of
// the last check, even if the clock was set back since.
func (s *Server) asOf() time.Time {
	now := s.options.Now()
	if asked := s.freshness.lastCheck.Load(); asked > now.UnixNano() {
		return time.Unix(0, asked)
	}
	return now
}

// current reports whether a cached document may be served without further checks.
func (s *Server) current(d *document) bool {
	return !d.Stale() && !d.private() && (d.expires.IsZero() || s.options.Now().Before(d.expires))
}
