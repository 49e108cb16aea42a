package rendercache

import (
	"crypto/sha256"
	"encoding/base64"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
)

// Document is a rendered document and its compressed forms. It does not change, except that
// each compressed form is made on first use.
type Document struct {
	Key string

	headers     []header // of all answers
	bodyHeaders []header // of answers with a body
	extra       int64    // bytes of memory that the struct around the document needs
	codings     [codingCount]representation
	stale       atomic.Bool
	addresses   []string // addresses that lead to it; guarded by the cache's lock
}

// header is a response header. Its values are made once and shared by all answers:
// net/http only reads them, and setting them allocates nothing.
type header struct {
	name   string
	values []string
}

// representation is a document in one coding.
type representation struct {
	once     sync.Once
	body     []byte
	size     atomic.Int64
	etag     []string
	length   []string
	encoding []string // nil for identity
}

// overhead is the estimated memory of a document without its bodies, in bytes.
const overhead = 2 << 10

// New makes a document. Its ETag is a hash of the body, so that the same bytes have the
// same ETag on every node and after every restart. Headers that describe the body
// (Content-…, Link) are omitted from answers without a body. extra is the memory that the
// caller keeps with the document, in bytes.
func New(key string, body []byte, headers http.Header, extra int64) *Document {
	d := &Document{Key: key, extra: extra}
	for name, values := range headers {
		if strings.HasPrefix(name, "Content-") && name != "Content-Security-Policy" || name == "Link" {
			d.bodyHeaders = append(d.bodyHeaders, header{name, values})
			continue
		}
		d.headers = append(d.headers, header{name, values})
	}
	sum := sha256.Sum256(body)
	tag := base64.RawURLEncoding.EncodeToString(sum[:15])
	for c := range d.codings {
		rep := &d.codings[c]
		rep.etag = []string{`"` + tag + codingSuffix[c] + `"`}
		if Coding(c) != Identity {
			rep.encoding = []string{codingName[c]}
		}
	}
	rep := &d.codings[Identity]
	rep.once.Do(func() { rep.set(body) })
	return d
}

func (r *representation) set(body []byte) {
	r.body = body
	r.length = []string{strconv.Itoa(len(body))}
	r.size.Store(int64(len(body)))
}

// Rendered returns the document itself, so that a struct that embeds a Document is an Entry.
func (d *Document) Rendered() *Document { return d }

// Body returns the body in a coding. It is compressed on first use.
func (d *Document) Body(c Coding) []byte {
	rep := &d.codings[c]
	rep.once.Do(func() { rep.set(compress(c, d.codings[Identity].body)) })
	return rep.body
}

// ETag returns the entity tag of the uncompressed document.
func (d *Document) ETag() string { return d.codings[Identity].etag[0] }

// Size returns the memory that the document takes, in bytes.
func (d *Document) Size() int64 {
	total := overhead + d.extra
	for c := range d.codings {
		total += d.codings[c].size.Load()
	}
	return total
}

// MarkStale records that the document is out of date.
func (d *Document) MarkStale() { d.stale.Store(true) }

// Stale reports whether the document was marked as stale or evicted.
func (d *Document) Stale() bool { return d.stale.Load() }

// Reuse copies the compressed forms of an older document if it has the same body.
func (d *Document) Reuse(old *Document) {
	if d.ETag() != old.ETag() {
		return
	}
	for c := range old.codings {
		if rep := &old.codings[c]; rep.size.Load() > 0 {
			d.codings[c].once.Do(func() { d.codings[c].set(rep.body) })
		}
	}
}

func (d *Document) setHeaders(h http.Header, rep *representation) {
	h["Etag"] = rep.etag
	h["Vary"] = varyEncoding
	for i := range d.headers {
		h[d.headers[i].name] = d.headers[i].values
	}
}

func (d *Document) setBodyHeaders(h http.Header, rep *representation) {
	h["Content-Length"] = rep.length
	if rep.encoding != nil {
		h["Content-Encoding"] = rep.encoding
	}
	for i := range d.bodyHeaders {
		h[d.bodyHeaders[i].name] = d.bodyHeaders[i].values
	}
}

// Send sends the document in the coding that the request prefers, with a status other than 200:
// without an ETag, since no one asks whether such an answer has changed.
func (d *Document) Send(w http.ResponseWriter, r *http.Request, status int) {
	coding := Choose(r.Header.Get("Accept-Encoding"))
	body := d.Body(coding)
	w.Header()["Vary"] = varyEncoding
	d.setBodyHeaders(w.Header(), &d.codings[coding])
	w.WriteHeader(status)
	if r.Method != http.MethodHead {
		_, _ = w.Write(body) // an error means that the client has disconnected
	}
}

var varyEncoding = []string{"Accept-Encoding"}

// Unchanged reports whether a request has an If-None-Match header, and whether the
// header names the document (RFC 9110, section 13.1.2).
func (d *Document) Unchanged(r *http.Request) (conditional, unchanged bool) {
	lists := r.Header["If-None-Match"]
	for _, list := range lists {
		if matches(list, d.ETag()) {
			return true, true
		}
	}
	return len(lists) > 0, false
}

// matches reports whether a list of If-None-Match contains an ETag. It compares weakly and
// ignores the suffixes of codings, since only a change of the content matters. That includes
// the "-gzip" that proxies append to a tag, inside or after the quotes.
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
