package feedserver

import (
	"net/http"
	"sync/atomic"
	"time"
)

// settling is how old a time must be before it is sent as Last-Modified. A change
// carries the time at which it was made, and answers show it a little later: after
// its commit, the next Poll, or editionsPoll. An answer in between must not carry the
// second of that change, or a client could not tell the two apart by date (RFC 9110,
// section 8.8.2.2).
const settling = 2 * time.Second

// httpDate is a time in whole seconds, formatted once.
type httpDate struct {
	second  int64 // Unix
	field   []string
	settled atomic.Bool
}

func newHTTPDate(t time.Time) *httpDate {
	text := t.UTC().Format(http.TimeFormat)
	return &httpDate{second: t.Unix(), field: []string{text}}
}

// later returns the later of two dates; b may be nil.
func later(a, b *httpDate) *httpDate {
	if b != nil && b.second > a.second {
		return b
	}
	return a
}

// modified is a document's Last-Modified: the later of its own time and of the time
// when an article may last have left a feed. It is nil for a document that cannot be
// dated. While the time is too young, the newest second that is old enough stands in,
// and a date alone does not prove that nothing changed: settled is false then.
//
// The departure must have been read before the document was taken from the cache:
// new bytes with an old date cost one more answer, old bytes with a new date would
// stay with the client until the next change. So an old document, served because
// there is no new one, has its own time alone, and a node with old settings sends no
// time after the new ones came.
func (s *Server) modified(d *document, departed *httpDate) (date *httpDate, settled bool) {
	if d.modified == nil {
		return nil, false
	}
	settled = true
	if date = later(d.modified, departed); d.Stale() {
		date, settled = d.modified, false
	}
	if newer := s.freshness.outdated.Load(); newer != nil && date.second > newer.second {
		date, settled = newer, false
	}
	if date.settled.Load() {
		return date, settled
	}
	newest := s.options.Now().Add(-settling).Unix() - 1
	if date.second <= newest {
		date.settled.Store(true)
		return date, settled
	}
	if last := s.newest.Load(); last != nil && last.second == newest {
		return last, false
	}
	date = newHTTPDate(time.Unix(newest, 0))
	s.newest.Store(date)
	return date, false
}
