package middleware

import (
	"log/slog"
	"net/http"
	"runtime/debug"
	"strings"
	"time"

	"github.com/tidings-press/tidings/internal/loadshare"
)

// Options say what Wrap watches over.
type Options struct {
	Site    string   // public address
	Former  []string // addresses that it had before
	Proxies []string // networks whose X-Forwarded-For is believed
	Log     *slog.Logger
	// Share is the part of the machine that requests may use; nil sets no limits.
	Share *loadshare.Share
	// FromMemory answers a request with a document that is ready in memory, or returns
	// false having done nothing. It comes before everything that such an answer does
	// not need. It may be nil.
	FromMemory func(http.ResponseWriter, *http.Request) bool
	// Failed shows the page of an error that nobody expected.
	Failed http.HandlerFunc
}

// Wrap puts the middleware before a handler: the redirect from former hosts, headers, the
// access log, and bounds of what is read. They are the same for all routes. Answers from
// memory carry no number of the request, since shared caches may keep them.
func Wrap(next http.Handler, o Options) (http.Handler, error) {
	proxies, err := ParseProxies(o.Proxies)
	if err != nil {
		return nil, err
	}
	former, err := newFormerHosts(o.Site, o.Former)
	if err != nil {
		return nil, err
	}
	return &gate{next: next, proxies: proxies, former: former, options: o, secure: strings.HasPrefix(o.Site, "https:")}, nil
}

type gate struct {
	next    http.Handler
	proxies Proxies
	former  *formerHosts
	options Options
	secure  bool
}

// ServeHTTP implements http.Handler.
func (g *gate) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	seen := &response{ResponseWriter: w, request: r, start: time.Now()}
	defer g.finish(seen)
	seen.limitWriting()
	h := w.Header()
	h["X-Content-Type-Options"] = nosniff
	if g.secure { // browsers ignore it over plain HTTP
		h["Strict-Transport-Security"] = strict
	}
	if g.former.redirect(seen, r) {
		return
	}
	if err := g.options.Share.Request(r.Context()); err != nil {
		busy(seen)
		return
	}
	hasBody := r.Body != nil && r.Body != http.NoBody
	if !hasBody && g.options.FromMemory != nil && g.options.FromMemory(seen, r) {
		seen.fromMemory = true
		return
	}
	seen.request = withKnown(r, g.proxies)
	h["X-Request-Id"] = []string{ID(seen.request.Context())}
	PageHeaders(h, g.secure)
	if LogPath(r) != r.URL.Path {
		h["Referrer-Policy"] = sameOrigin // other sites must not learn a token
	}
	until := time.Time{} // the server's own limit is for the head
	if hasBody {
		until = seen.start.Add(bodyTime)
	}
	_ = http.NewResponseController(w).SetReadDeadline(until) // not supported only in tests without a connection
	if !hasBody {
		g.next.ServeHTTP(seen, seen.request)
		return
	}
	g.withBody(seen, seen.request)
}

// The values of headers are shared by all answers, which saves allocations.
var (
	nosniff     = []string{"nosniff"}
	referrer    = []string{"strict-origin-when-cross-origin"}
	permissions = []string{"camera=(), geolocation=(), microphone=(), payment=(), usb=()"}
	sameOrigin  = []string{"same-origin"}
	strict      = []string{"max-age=31536000"}
)

// PageHeaders sets the headers that browsers protect readers of pages by. secure says that the
// site is served over HTTPS.
func PageHeaders(h http.Header, secure bool) {
	h["Referrer-Policy"] = referrer
	h["Permissions-Policy"] = permissions
	if secure { // browsers complain about it over plain HTTP
		h["Cross-Origin-Opener-Policy"] = sameOrigin
	}
}

// finish ends a request: a panic becomes a page and a line in the log.
func (g *gate) finish(w *response) {
	problem := recover()
	if problem == http.ErrAbortHandler {
		panic(problem)
	}
	if problem != nil {
		g.failed(w, w.request, problem)
	}
	g.options.Share.Answered(w.bytes, w.fromMemory)
	g.log(w, w.request)
}

// busy answers when too many requests wait for their turn.
func busy(w http.ResponseWriter) {
	w.Header().Set("Retry-After", "10")
	w.Header().Set("Cache-Control", "no-store")
	http.Error(w, "There are too many requests right now. Please try again in a few seconds.", http.StatusServiceUnavailable)
}

func (g *gate) failed(w *response, r *http.Request, problem any) {
	g.options.Log.Error("request failed", "path", LogPath(r), "request", ID(r.Context()), "panic", problem, "stack", string(debug.Stack()))
	if w.status == 0 {
		g.options.Failed(w, r)
	}
}

func (g *gate) log(w *response, r *http.Request) {
	level := slog.LevelDebug
	if w.status >= 500 {
		level = slog.LevelError
	} else if r.Method != http.MethodGet && r.Method != http.MethodHead {
		level = slog.LevelInfo
	}
	if !g.options.Log.Enabled(r.Context(), level) {
		return
	}
	g.options.Log.LogAttrs(r.Context(), level, "request", slog.String("method", r.Method), slog.String("path", LogPath(r)),
		slog.Int("status", w.status), slog.Int64("bytes", w.bytes), slog.Duration("took", time.Since(w.start)), slog.String("request", ID(r.Context())))
}

// response notes what was answered.
type response struct {
	http.ResponseWriter
	request    *http.Request
	start      time.Time
	connection *connection // nil when the server has no ConnContext
	fromMemory bool
	status     int
	bytes      int64
	body       *limitedBody // of the request; nil without one
	refuse     bool         // the handler's answer is replaced by 413
}

// WriteHeader notes the status. A handler that could not read the whole request, because
// it was too large, does not decide on the answer.
func (w *response) WriteHeader(status int) {
	if w.status != 0 {
		w.ResponseWriter.WriteHeader(status)
		return
	}
	if w.body != nil && w.body.tooLarge && status != http.StatusRequestEntityTooLarge {
		w.refuse = true
		w.status = http.StatusRequestEntityTooLarge
		refuseBody(w.ResponseWriter)
		return
	}
	w.status = status
	w.ResponseWriter.WriteHeader(status)
}

// Write counts the bytes.
func (w *response) Write(p []byte) (int, error) {
	if w.status == 0 {
		w.WriteHeader(http.StatusOK)
	}
	if w.refuse {
		return len(p), nil
	}
	n, err := w.ResponseWriter.Write(p)
	w.bytes += int64(n)
	return n, err
}

// Unwrap is for http.ResponseController.
func (w *response) Unwrap() http.ResponseWriter { return w.ResponseWriter }
