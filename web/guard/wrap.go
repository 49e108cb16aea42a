package guard

import (
	"log/slog"
	"net/http"
	"runtime/debug"
	"strings"
	"time"
)

// MaxBody is how many bytes of a request's body are read, unless its handler has
// a bound of its own.
const MaxBody = 1 << 20

// Options say what Wrap watches over.
type Options struct {
	Site    string   // public address
	Former  []string // addresses that it had before
	Proxies []string // networks whose X-Forwarded-For is believed
	Log     *slog.Logger
	// Quick returns the handler of requests that are served as they are, for speed:
	// feeds. Only those for former addresses are redirected. It may be nil.
	Quick func(*http.Request) http.Handler
	// Failed shows the page of an error that nobody expected.
	Failed http.HandlerFunc
}

// Wrap puts the guard before a handler.
func Wrap(next http.Handler, o Options) (http.Handler, error) {
	proxies, err := ParseProxies(o.Proxies)
	if err != nil {
		return nil, err
	}
	former, err := newFormerHosts(o.Site, o.Former)
	if err != nil {
		return nil, err
	}
	g := &gate{next: next, proxies: proxies, former: former, options: o, secure: strings.HasPrefix(o.Site, "https:")}
	return g, nil
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
	if g.options.Quick != nil {
		if quick := g.options.Quick(r); quick != nil {
			g.quick(quick, w, r)
			return
		}
	}
	start := time.Now()
	r, id := withKnown(r, g.proxies.Client(r))
	seen := &watched{ResponseWriter: w}
	defer g.log(seen, r, id, start)
	defer g.recover(seen, r)
	g.headers(w.Header(), id)
	if g.former.redirect(seen, r) {
		return
	}
	r.Body = http.MaxBytesReader(w, r.Body, MaxBody)
	g.next.ServeHTTP(seen, r)
}

func (g *gate) quick(next http.Handler, w http.ResponseWriter, r *http.Request) {
	w.Header()["X-Content-Type-Options"] = nosniff
	if !g.former.redirect(w, r) {
		next.ServeHTTP(w, r)
	}
}

// nosniff is shared by all answers, which saves them an allocation.
var nosniff = []string{"nosniff"}

func (g *gate) headers(h http.Header, id string) {
	h.Set("X-Request-Id", id)
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Referrer-Policy", "strict-origin-when-cross-origin")
	h.Set("Permissions-Policy", "camera=(), geolocation=(), microphone=(), payment=(), usb=()")
	if g.secure { // browsers ignore these over plain HTTP, and complain about the first
		h.Set("Cross-Origin-Opener-Policy", "same-origin")
		h.Set("Strict-Transport-Security", "max-age=31536000")
	}
}

func (g *gate) recover(w *watched, r *http.Request) {
	problem := recover()
	if problem == nil {
		return
	}
	if problem == http.ErrAbortHandler {
		panic(problem)
	}
	g.options.Log.Error("request failed", "path", Shown(r), "request", ID(r.Context()), "panic", problem, "stack", string(debug.Stack()))
	if w.status == 0 {
		g.options.Failed(w, r)
	}
}

func (g *gate) log(w *watched, r *http.Request, id string, start time.Time) {
	level := slog.LevelDebug
	if w.status >= 500 {
		level = slog.LevelError
	} else if r.Method != http.MethodGet && r.Method != http.MethodHead {
		level = slog.LevelInfo
	}
	g.options.Log.LogAttrs(r.Context(), level, "request", slog.String("method", r.Method), slog.String("path", Shown(r)),
		slog.Int("status", w.status), slog.Int64("bytes", w.bytes), slog.Duration("took", time.Since(start)), slog.String("request", id))
}

// watched notes what was answered.
type watched struct {
	http.ResponseWriter
	status int
	bytes  int64
}

// WriteHeader notes the status.
func (w *watched) WriteHeader(status int) {
	if w.status == 0 {
		w.status = status
	}
	w.ResponseWriter.WriteHeader(status)
}

// Write counts the bytes.
func (w *watched) Write(p []byte) (int, error) {
	if w.status == 0 {
		w.status = http.StatusOK
	}
	n, err := w.ResponseWriter.Write(p)
	w.bytes += int64(n)
	return n, err
}

// Unwrap is for http.ResponseController.
func (w *watched) Unwrap() http.ResponseWriter { return w.ResponseWriter }
