package feedserver

import (
	"net/http"
	"strings"

	"github.com/tidings-press/tidings/internal/metrics"
	"github.com/tidings-press/tidings/internal/rendercache"
)

// respond answers with a document, with 304, or with 429, and counts the poll. departed must
// have been read before the document was looked up; see Server.modified.
func (s *Server) respond(w http.ResponseWriter, r *http.Request, d *document, departed *httpDate) {
	if s.options.Browser != nil && !d.opml && navigation(r) {
		w.Header().Set("Cache-Control", "private, no-store")
		s.options.Browser(w, r, d.definition)
		return
	}
	modified, settled := s.modified(d, departed)
	conditional, unchanged := d.condition(r, modified, settled)
	s.count(r, d, unchanged)
	if wait := s.pollWait(r, d, conditional); wait > 0 {
		answerTooManyPolls(w, wait)
		metrics.FeedRequest(http.StatusTooManyRequests, int(rendercache.Identity))
		return
	}
	if modified != nil {
		w.Header()["Last-Modified"] = modified.field
	}
	coding := s.cache.Answer(w, r, d, unchanged)
	status := http.StatusOK
	if unchanged {
		status = http.StatusNotModified
	}
	metrics.FeedRequest(status, int(coding))
}

// condition evaluates a conditional request (RFC 9110, section 13): If-None-Match
// wins over If-Modified-Since. If settled is false, no date gives 304.
func (d *document) condition(r *http.Request, modified *httpDate, settled bool) (conditional, unchanged bool) {
	if conditional, unchanged = d.Unchanged(r); conditional {
		return conditional, unchanged
	}
	since := r.Header.Get("If-Modified-Since")
	switch {
	case since == "":
		return false, false
	case !settled:
		return true, false
	case since == modified.field[0]:
		return true, true
	}
	at, err := http.ParseTime(since)
	return true, err == nil && modified.second <= at.Unix()
}

// navigation reports whether a person opened the address in a browser. Browsers send Sec-Fetch
// headers, and feed readers do not; scripts in a page have another Sec-Fetch-Mode. "?raw" shows
// the document.
func navigation(r *http.Request) bool {
	h := r.Header
	return len(h["Sec-Fetch-Mode"]) == 1 && h["Sec-Fetch-Mode"][0] == "navigate" &&
		h.Get("Sec-Fetch-Dest") == "document" && strings.Contains(h.Get("Accept"), "text/html") && r.URL.RawQuery != "raw"
}
