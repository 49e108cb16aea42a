package serve

import (
	"context"
	"sync"
	"sync/atomic"
	"time"

	"github.com/tidings-press/tidings/feed"
)

// freshness is what the server knows of its source's revision.
//
// Changed raises told; a request that finds told above heard asks the source and
// waits for the answer, so it never sees what was there before. Without that, one
// request per Poll asks, and the others go on with what is known.
type freshness struct {
	told, heard atomic.Int64
	next        atomic.Int64           // when to ask again, Unix nanoseconds
	generation  atomic.Int64           // changes so far; rendering remembers the one it began in
	departed    atomic.Pointer[moment] // when an article may last have left a feed
	marking     sync.Mutex             // held while documents are marked as stale, and while one is kept
	asking      sync.Mutex
	revision    int64     // the source's, as last heard; guarded by asking
	due         time.Time // when an article with a future date appears; guarded by asking
	failing     bool      // guarded by asking
}

// Changed says that articles were changed on this node: the next request sees it.
func (s *Server) Changed() { s.freshness.told.Add(1) }

// refresh brings the cache up to date with the source.
func (s *Server) refresh() {
	f := &s.freshness
	now := s.options.Now()
	told := f.told.Load()
	urgent := told != f.heard.Load()
	switch {
	case urgent:
		f.asking.Lock()
	case now.UnixNano() < f.next.Load() || !f.asking.TryLock():
		return
	}
	defer f.asking.Unlock()
	if urgent && f.heard.Load() >= told {
		return // another request asked while this one waited
	}
	told = f.told.Load()
	if !s.ask(now) {
		return
	}
	f.heard.Store(told)
}

// ask asks the source what changed and forgets the documents that show it. When
// the source does not answer, the documents stay: an old feed is better than
// none.
func (s *Server) ask(now time.Time) bool {
	f := &s.freshness
	// Not the request's context: all requests live on the answer.
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Second)
	defer cancel()
	change, err := s.options.Source.Changed(ctx, f.revision)
	if err != nil {
		f.next.Store(now.Add(time.Second).UnixNano())
		if !f.failing {
			s.options.Log.Error("feeds may be old: the store does not say what changed", "error", err)
		}
		f.failing = true
		return false
	}
	f.failing = false
	if !f.due.IsZero() && !now.Before(f.due) {
		change.All = true // an article's date has come
	}
	f.revision, f.due = change.Revision, change.Due
	s.mark(change)
	f.next.Store(now.Add(s.options.Poll).UnixNano())
	return true
}

// mark forgets the documents that show a change. The departure comes last: whoever
// has read it gets no document from before it.
func (s *Server) mark(change feed.Change) {
	f := &s.freshness
	f.marking.Lock()
	defer f.marking.Unlock()
	if change.All || len(change.Articles) > 0 {
		f.generation.Add(1)
		all, _ := s.cache.all()
		for _, d := range all {
			if change.All || d.touches(change.Articles) {
				d.stale.Store(true)
			}
		}
	}
	if known := f.departed.Load(); known == nil || change.Departed.Unix() > known.second {
		f.departed.Store(newMoment(change.Departed))
	}
}

// current reports whether a document may be served as it is.
func (s *Server) current(d *document) bool {
	return !d.stale.Load() && !d.private() && (d.expires.IsZero() || s.options.Now().Before(d.expires))
}
