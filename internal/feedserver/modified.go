package feedserver

import (
	"net/http"
	"sync/atomic"
	"time"
)

// settling is the minimum age of a time that is sent as Last-Modified. A change has the time at
// which it was made, but responses show it a little later: after its commit, the next Poll or
// editionsPoll. A response before that must not have the second of the change as its date, or
// a client could not tell the two documents apart by date (RFC 9110, section 8.8.2.2).
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

// modified returns a document's Last-Modified: the later of its own time and of departed, the
// time at which an article may last have left a feed. It returns nil for a document without a
// date. While that time is younger than settling, it returns the newest second that is old
// enough, and settled is false: a request with that date must not be answered with 304.
//
// departed must be read before the document is taken from the cache. New bytes with an old
// date cost one more response, but a client would keep old bytes with a new date until the
// next change. For the same reason, a stale document that is served because there is no new
// one gets its own time only, and a node with old settings sends no time after those of the
// new settings.
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
