package serve

import (
	"net/http"
	"strings"
	"time"
)

var (
	varyEncoding = []string{"Accept-Encoding"}
	anyOrigin    = []string{"*"}
	nosniff      = []string{"nosniff"}
)

// respond serves a document. The headers are slices made once; net/http only reads
// them, and setting them costs no allocation.
func (s *Server) respond(w http.ResponseWriter, r *http.Request, d *document, departed *moment) {
	if s.options.Browser != nil && !d.opml && navigation(r) {
		w.Header().Set("Cache-Control", "private, no-store")
		s.options.Browser(w, r, d.definition)
		return
	}
	q := s.requestOf(r)
	q.departed = departed
	a := s.answer(&q, d)
	if a.wait > 0 {
		slowDown(w, a.wait)
		return
	}
	rep := a.rep
	h := w.Header()
	h["Etag"] = rep.header.etag
	h["Cache-Control"] = d.cacheControl
	h["Last-Modified"] = a.modified.field
	h["Vary"] = varyEncoding
	h["Access-Control-Allow-Origin"] = anyOrigin
	h["X-Content-Type-Options"] = nosniff
	if d.robots != nil {
		h["X-Robots-Tag"] = d.robots
	}
	if a.unchanged {
		w.WriteHeader(http.StatusNotModified)
		return
	}
	h["Content-Type"] = d.contentType
	h["Content-Length"] = rep.header.length
	if rep.header.encoding != nil {
		h["Content-Encoding"] = rep.header.encoding
	}
	if d.link != nil {
		h["Link"] = d.link
	}
	if q.head {
		return
	}
	// An error here is the client's connection: there is nobody to tell.
	_, _ = w.Write(rep.body)
}

// answer is what a request gets: a representation, or word that the one it has is
// unchanged, or how long it has to wait.
type answer struct {
	rep       *representation
	modified  *moment
	unchanged bool
	wait      time.Duration
}

// answer decides what a request gets, and makes it.
func (s *Server) answer(q *request, d *document) answer {
	a := s.decide(q, d)
	if a.wait == 0 && !a.unchanged {
		s.coded(d, a.rep)
	}
	return a
}

// decide says what a request gets, in a coding that may not be made yet. It keeps the
// statistics.
func (s *Server) decide(q *request, d *document) answer {
	modified, settled := s.modified(d, q.departed)
	conditional, unchanged := d.condition(q, modified, settled)
	s.count(q, d, unchanged)
	if wait := s.rude(q, d, conditional); wait > 0 {
		return answer{wait: wait}
	}
	return answer{rep: &d.codings[choose(q.accept)], modified: modified, unchanged: unchanged}
}

// coded makes a coding on first use and lets the cache know how it grew.
func (s *Server) coded(d *document, rep *representation) {
	if rep.size.Load() > 0 {
		return
	}
	for c := range d.codings {
		if &d.codings[c] == rep {
			d.in(coding(c))
		}
	}
	s.cache.grew(d)
}

// condition evaluates a conditional request (RFC 9110, section 13): If-None-Match
// wins over If-Modified-Since, which an unsettled time cannot answer.
func (d *document) condition(q *request, modified *moment, settled bool) (conditional, unchanged bool) {
	if len(q.noneMatch) > 0 {
		for _, list := range q.noneMatch {
			if matches(list, d.codings[identity].etag) {
				return true, true
			}
		}
		return true, false
	}
	if q.since == "" {
		return false, false
	}
	if !settled {
		return true, false
	}
	if q.since == modified.field[0] {
		return true, true
	}
	at, err := http.ParseTime(q.since)
	return true, err == nil && modified.second <= at.Unix()
}

// matches compares the tags of If-None-Match weakly, and takes the tag of any
// coding for the same: what is asked is whether the content has changed. That
// covers the "-gzip" that proxies put at the end of a tag, inside the quotes or
// after them.
func matches(list, etag string) bool {
	bare := strings.Trim(etag, `"`)
	for tag := range strings.SplitSeq(list, ",") {
		tag = strings.TrimPrefix(strings.TrimSpace(tag), "W/")
		if tag == etag || tag == "*" {
			return true
		}
		for _, suffix := range [...]string{"-gzip", "-br", "-zstd", ";gzip", ";br"} {
			tag = strings.TrimSuffix(tag, suffix)
			if head, quoted := strings.CutSuffix(tag, suffix+`"`); quoted {
				tag = head + `"`
			}
		}
		if strings.Trim(tag, `"`) == bare {
			return true
		}
	}
	return false
}

// navigation reports whether a person opened the address in a browser. Only
// browsers send Sec-Fetch headers, and no program that reads feeds does; a page
// that fetches one is told apart by its mode. "?raw" shows the document.
func navigation(r *http.Request) bool {
	h := r.Header
	return len(h["Sec-Fetch-Mode"]) == 1 && h["Sec-Fetch-Mode"][0] == "navigate" &&
		h.Get("Sec-Fetch-Dest") == "document" && strings.Contains(h.Get("Accept"), "text/html") && r.URL.RawQuery != "raw"
}
