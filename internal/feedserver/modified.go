package feedserver

import (
	"net/http"
	"sync/atomic"
	"time"
)

// settling is how long a time is too young to be told as Last-Modified. A change
// carries the moment at which it was made, and answers show it a little later: after
// its commit, the next Poll, or editionsPoll. An answer in between must not carry the
// second of that change, or nobody could tell the two apart by date (RFC 9110,
// section 8.8.2.2).
const settling = 2 * time.Second

// moment is a time in whole seconds, written as Last-Modified once.
type moment struct {
	second  int64 // Unix
	field   []string
	settled atomic.Bool
}

func newMoment(t time.Time) *moment {
	text := t.UTC().Format(http.TimeFormat)
	return &moment{second: t.Unix(), field: []string{text}}
}

// later returns the later of two moments; b may be nil.
func later(a, b *moment) *moment {
	if b != nil && b.second > a.second {
		return b
	}
	return a
}

// modified is a document's Last-Modified: the later of its own time and of when an
// article may last have left a feed. While that is too young, the newest second that
// is not stands in, and a date alone does not tell that nothing changed: settled is
// false then.
//
// The departure must have been read before the document was taken from the cache:
// new bytes with an old date cost one more answer, old bytes with a new date would
// stay with the client for good. So an old document, served because there is no
// new one, has its own time alone, and a node whose feeds are set up in an old way
// tells no time from after the new one came.
func (s *Server) modified(d *document, departed *moment) (m *moment, settled bool) {
	settled = !d.undated
	if m = later(d.modified, departed); d.Stale() {
		m, settled = d.modified, false
	}
	if newer := s.freshness.outdated.Load(); newer != nil && m.second > newer.second {
		m, settled = newer, false
	}
	if m.settled.Load() {
		return m, settled
	}
	newest := s.options.Now().Add(-settling).Unix() - 1
	if m.second <= newest {
		m.settled.Store(true)
		return m, settled
	}
	if last := s.newest.Load(); last != nil && last.second == newest {
		return last, false
	}
	m = newMoment(time.Unix(newest, 0))
	s.newest.Store(m)
	return m, false
}
