// Package middleware contains the HTTP middleware of all routes: the client's address behind
// proxies, request ids, the access log without private tokens, security headers, limits on
// bodies and time, and redirects from former hosts. Wrap puts it before a handler; Limiter is a
// rate limit for single handlers.
package middleware

import (
	"cmp"
	"log/slog"
	"net/http"
	"runtime/debug"
	"strings"
	"time"

	"github.com/tidings-press/tidings/internal/cpulimit"
	"github.com/tidings-press/tidings/internal/metrics"
)

// Options are the options of Wrap.
type Options struct {
	Site    string   // public address
	Former  []string // former public addresses
	Proxies []string // networks whose X-Forwarded-For header is trusted
	// HSTS is when answers carry Strict-Transport-Security: "auto" over TLS connections to this
	// server, "always" whenever Site has an https address, "never".
	HSTS string
	Log  *slog.Logger
	// AccessLog logs every request at level info, not only those that change something or fail.
	AccessLog bool
	// Share limits the processor time of requests while mail is sent; nil sets no limits.
	CPULimiter *cpulimit.Limiter
	// FromMemory answers a request with a cached document, or does nothing and returns
	// false. It runs before all work that such a response does not need. It may be nil.
	FromMemory func(http.ResponseWriter, *http.Request) bool
	// LargestBody returns the size up to which the body of a request may be larger than MaxBody, in
	// bytes, or 0. It may be nil.
	LargestBody func(*http.Request) int64
	// Failed answers with an error page after a panic.
	Failed http.HandlerFunc
}

// Wrap returns a handler with the middleware before next: redirects from former hosts, headers,
// access log and limits, the same for all routes. Responses from the cache have no request id,
// since shared caches may keep them.
func Wrap(next http.Handler, o Options) (http.Handler, error) {
	proxies, err := ParseProxies(o.Proxies)
	if err != nil {
		return nil, err
	}
	former, err := newFormerHosts(o.Site, o.Former)
	if err != nil {
		return nil, err
	}
	secure := strings.HasPrefix(o.Site, "https:")
	return &wrapped{
		next: next, proxies: proxies, former: former, options: o, secure: secure,
		strict: secure && o.HSTS == "always", strictOverTLS: secure && o.HSTS == "auto",
	}, nil
}

type wrapped struct {
	next    http.Handler
	proxies Proxies
	former  *formerHosts
	options Options
	secure  bool
	// When Strict-Transport-Security is set. Browsers obey it only on connections whose certificate they
	// trust, so that it cannot lock readers out of a site whose HTTPS does not work.
	strict, strictOverTLS bool
}

// ServeHTTP implements http.Handler.
func (m *wrapped) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	answer := &response{ResponseWriter: w, request: r, start: time.Now()}
	defer m.finish(answer)
	answer.limitWriting()
	h := w.Header()
	h["X-Content-Type-Options"] = nosniff
	if m.strict || m.strictOverTLS && r.TLS != nil {
		h["Strict-Transport-Security"] = strict
	}
	if m.former.redirect(answer, r) {
		return
	}
	if err := m.options.CPULimiter.Request(r.Context()); err != nil {
		busy(answer)
		return
	}
	hasBody := r.Body != nil && r.Body != http.NoBody
	if !hasBody && m.options.FromMemory != nil && m.options.FromMemory(answer, r) {
		answer.fromMemory = true
		return
	}
	answer.request = withInfo(r, m.proxies)
	h["X-Request-Id"] = []string{ID(answer.request.Context())}
	PageHeaders(h, m.secure)
	if LogPath(r) != r.URL.Path {
		h["Referrer-Policy"] = sameOrigin // tokens must not reach other sites
	}
	until := time.Time{} // clears the server's deadline for the header
	if hasBody {
		until = answer.start.Add(bodyTime)
	}
	_ = http.NewResponseController(w).SetReadDeadline(until) // not supported only in tests without a connection
	if !hasBody {
		m.next.ServeHTTP(answer, answer.request)
		return
	}
	m.withBody(answer, answer.request)
}

// Header values that all responses share, which saves allocations.
var (
	nosniff     = []string{"nosniff"}
	referrer    = []string{"strict-origin-when-cross-origin"}
	permissions = []string{"camera=(), geolocation=(), microphone=(), payment=(), usb=()"}
	sameOrigin  = []string{"same-origin"}
	strict      = []string{"max-age=31536000"}
)

// PageHeaders sets the security headers of pages. secure reports whether the site is served over
// HTTPS.
func PageHeaders(h http.Header, secure bool) {
	h["Referrer-Policy"] = referrer
	h["Permissions-Policy"] = permissions
	if secure { // browsers log a warning about it over plain HTTP
		h["Cross-Origin-Opener-Policy"] = sameOrigin
	}
}

// finish ends a request: it answers a panic with an error page and writes the access log.
func (m *wrapped) finish(w *response) {
	problem := recover()
	if problem == http.ErrAbortHandler {
		panic(problem)
	}
	if problem != nil {
		m.failed(w, w.request, problem)
	}
	m.options.CPULimiter.Answered(w.bytes, w.fromMemory)
	took := time.Duration(0)
	if !w.fromMemory {
		took = time.Since(w.start)
	}
	metrics.HTTPRequest(w.status, took)
	m.log(w, w.request)
}

// busy answers 503, since too many requests are waiting.
func busy(w http.ResponseWriter) {
	w.Header().Set("Retry-After", "10")
	w.Header().Set("Cache-Control", "no-store")
	http.Error(w, "Too many requests at the moment. Please try again in a few seconds.", http.StatusServiceUnavailable)
}

func (m *wrapped) failed(w *response, r *http.Request, problem any) {
	m.options.Log.Error("request failed", "path", LogPath(r), "request", ID(r.Context()), "panic", problem, "stack", string(debug.Stack()))
	if w.status == 0 {
		m.options.Failed(w, r)
	}
}

// log writes the line of a request. One that was answered from memory has no id, since caches of others
// may keep its answer.
func (m *wrapped) log(w *response, r *http.Request) {
	level := slog.LevelDebug
	if w.status >= 500 {
		level = slog.LevelError
	} else if m.options.AccessLog || r.Method != http.MethodGet && r.Method != http.MethodHead {
		level = slog.LevelInfo
	}
	if !m.options.Log.Enabled(r.Context(), level) {
		return
	}
	coding := cmp.Or(w.Header().Get("Content-Encoding"), "identity")
	client := Client(r.Context())
	if !client.IsValid() {
		client = m.proxies.Client(r)
	}
	attributes := []slog.Attr{
		slog.String("method", r.Method), slog.String("path", LogPath(r)), slog.Int("status", w.status), slog.Int64("bytes", w.bytes),
		slog.Duration("took", time.Since(w.start)), slog.String("coding", coding),
	}
	if client.IsValid() {
		attributes = append(attributes, slog.String("client", client.String()))
	}
	if id := ID(r.Context()); id != "" {
		attributes = append(attributes, slog.String("request", id))
	}
	m.options.Log.LogAttrs(r.Context(), level, "request", attributes...)
}

// response is a ResponseWriter that records status and size.
type response struct {
	http.ResponseWriter
	request    *http.Request
	start      time.Time
	connection *connection // nil if the server has no ConnContext
	fromMemory bool
	status     int
	bytes      int64
	body       *limitedBody // body of the request; nil if there is none
	refuse     bool         // 413 replaces the handler's response
}

// WriteHeader records the status. If the request body was too large, it answers 413 in
// place of the handler.
func (w *response) WriteHeader(status int) {
	if w.status != 0 {
		w.ResponseWriter.WriteHeader(status)
		return
	}
	if w.body != nil && w.body.tooLarge && status != http.StatusRequestEntityTooLarge {
		w.refuse = true
		w.status = http.StatusRequestEntityTooLarge
		refuseBody(w.ResponseWriter, w.body.most)
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
