package feedserver

import (
	"context"
	"sync"
	"sync/atomic"
	"time"
)

// freshness is what the server knows of its source's revision.
//
// Changed raises told; a request that finds told above heard waits for a question
// to the source that began after that, so it never sees what was there before.
// Without that, one request per Poll asks, and the others go on with what is known.
//
// However many wait, there is one question at a time, and nobody waits for one
// longer than it may take. After one that failed the source is left alone for a
// while, and the documents stay as they are: an old feed is better than none.
type freshness struct {
	told, heard atomic.Int64
	next        atomic.Int64             // when to ask again, Unix nanoseconds
	rest        atomic.Int64             // when to ask again after a failure, whatever was told
	asked       atomic.Int64             // when the last answered question was asked, Unix nanoseconds
	generation  atomic.Int64             // changes so far; rendering remembers the one it began in
	departed    atomic.Pointer[httpDate] // when an article may last have left a feed
	outdated    atomic.Pointer[httpDate] // the last second before other nodes served feeds set up in a newer way; nil when none does
	marking     sync.Mutex               // held while documents are marked as stale, and while one is kept

	asking   sync.Mutex
	question *question // the one under way; guarded by asking
	failing  bool      // guarded by asking
	mark     Mark      // of the last question under way
}

// question is one question to the source, which any number of requests wait for.
type question struct {
	told  int64 // what it covers of what was told
	until time.Time
	done  chan struct{}
}

// How long the source has to answer, and is left alone after it did not.
const (
	answerTimeout = 2 * time.Second
	restAfter     = time.Second
)

// Changed says that articles were changed on this node: the next request sees it.
func (s *Server) Changed() { s.freshness.told.Add(1) }

// Generation counts the changes of articles, and the moments when one of them appeared by
// its date, that this server has seen. Pages that are made of articles change with it. Like a
// feed it is up to date with changes on this node, and with those on others within Poll.
func (s *Server) Generation() int64 {
	s.refresh()
	return s.freshness.generation.Load()
}

// refresh brings the cache up to date with the source. It begins or joins a question
// to the source when one is due, and waits for its answer.
func (s *Server) refresh() { s.refreshAt(s.options.Now()) }

func (s *Server) refreshAt(now time.Time) {
	f := &s.freshness
	told := f.told.Load()
	if told == f.heard.Load() && now.UnixNano() < f.next.Load() {
		return
	}
	q := s.ask(now, told)
	q.wait()
	if q != nil && q.told < told { // it may have begun before the change; the one after it did not
		s.ask(s.options.Now(), told).wait()
	}
}

// ask asks the source what changed, or joins the question under way if something
// new was told. It returns what to wait for, nil for nothing.
func (s *Server) ask(now time.Time, told int64) *question {
	f := &s.freshness
	f.asking.Lock()
	defer f.asking.Unlock()
	urgent := told > f.heard.Load()
	switch {
	case now.UnixNano() < f.rest.Load(), !urgent && now.UnixNano() < f.next.Load():
		return nil
	case f.question != nil && !urgent:
		return nil
	case f.question == nil:
		f.question = &question{told: f.told.Load(), until: time.Now().Add(answerTimeout), done: make(chan struct{})}
		go s.hear(f.question, now)
	}
	return f.question
}

// wait waits until a question is answered, no longer than that may take.
func (q *question) wait() {
	if q == nil {
		return
	}
	timer := time.NewTimer(time.Until(q.until))
	defer timer.Stop()
	select {
	case <-q.done:
	case <-timer.C:
	}
}

// hear puts a question to the source and forgets the documents that show what
// changed. One clock reading decides what has appeared by now.
func (s *Server) hear(q *question, now time.Time) {
	f := &s.freshness
	// Not a request's context: all requests live on the answer.
	ctx, cancel := context.WithDeadline(context.Background(), q.until)
	defer cancel()
	change, err := s.options.Source.Changed(ctx, f.mark, now)
	f.asking.Lock()
	defer f.asking.Unlock()
	f.question = nil
	defer close(q.done)
	if err != nil {
		f.rest.Store(s.options.Now().Add(restAfter).UnixNano())
		if !f.failing {
			s.options.Log.Error("feeds may be old: the store does not say what changed", "error", err)
		}
		f.failing = true
		return
	}
	f.failing = false
	f.mark = change.Mark
	s.mark(change)
	f.asked.Store(now.UnixNano())
	f.next.Store(now.Add(s.options.Poll).UnixNano())
	f.heard.Store(q.told)
}

// mark forgets the documents that show a change. The departure comes last: whoever
// has read it gets no document from before it.
func (s *Server) mark(change Change) {
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
	if asked := s.freshness.asked.Load(); asked > now.UnixNano() {
		return time.Unix(0, asked)
	}
	return now
}

// current reports whether a document may be served as it is.
func (s *Server) current(d *document) bool {
	return !d.Stale() && !d.private() && (d.expires.IsZero() || s.options.Now().Before(d.expires))
}
