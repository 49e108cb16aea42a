package feedserver

import (
	"cmp"
	"context"
	"log/slog"
	"net"
	"net/http"
	"time"

	"github.com/tidings-press/tidings/feed"
	"github.com/tidings-press/tidings/internal/cpulimit"
)

// Options are the options of a Server. Source and Site are required.
type Options struct {
	Source Source
	Site   feed.Site
	// Feeds are the configured feeds and those of the digests. One of kind
	// Everything replaces the defaults of the feed at the root.
	Feeds []feed.Definition
	// Settings is a hash of the settings that the bytes of documents depend on. It is compared
	// with the newest settings of all nodes, which the source returns; "" turns that off.
	Settings string
	// Named returns the feeds of all tags, authors and languages, for OPML; if nil, they are
	// left out.
	Named func(ctx context.Context) ([]feed.Definition, error)
	// Private returns the feed of a subscriber's token, or ErrUnknown if the token was never
	// issued or is revoked. If nil, there are no private feeds.
	Private func(ctx context.Context, token string) (feed.Definition, error)
	// Polls stores the poll statistics; if nil, nothing is counted.
	Polls PollRecorder
	// PollKey is the key of the hashes by which distinct clients are counted.
	PollKey []byte
	// Browser answers requests of people who open a feed's address in a browser; if nil, they
	// get the document. Requests of feed readers are never passed to it.
	Browser func(http.ResponseWriter, *http.Request, feed.Definition)

	// Share limits the processor time for rendering while mail is sent; if nil, a new one that
	// knows of no mail.
	CPULimiter *cpulimit.Limiter

	Memory     int64         // capacity of the cache in bytes; 24 MB when 0
	MaxAge     time.Duration // of documents whose feed has none; 5 minutes when 0
	RetryAfter time.Duration // minimum interval of polls without a condition; 0 is off
	Poll       time.Duration // interval of checks for changes; 200 ms when 0
	Limits     Limits        // of waiting for the store and for renderings

	Client func(*http.Request) string // returns the client's address; the connection's when nil
	Now    func() time.Time
	Log    *slog.Logger
}

// Limits are the times after which a request gets an older document or an error. 0 is the default.
// Tests of what documents contain set longer ones, so that they do not depend on the machine's speed.
type Limits struct {
	Find      time.Duration // finding out which document a request asks for; 2 s
	Check     time.Duration // a check of the source for changes; 2 s
	Render    time.Duration // a rendering; 30 s
	WaitNew   time.Duration // a request for a rendering, if there is an old document; 2 s
	WaitFirst time.Duration // a request for a rendering, if there is none; 10 s
}

func (l Limits) withDefaults() Limits {
	return Limits{
		Find:      cmp.Or(l.Find, 2*time.Second),
		Check:     cmp.Or(l.Check, 2*time.Second),
		Render:    cmp.Or(l.Render, 30*time.Second),
		WaitNew:   cmp.Or(l.WaitNew, 2*time.Second),
		WaitFirst: cmp.Or(l.WaitFirst, 10*time.Second),
	}
}

func (o Options) withDefaults() Options {
	o.Limits = o.Limits.withDefaults()
	if o.Memory <= 0 {
		o.Memory = 24 << 20
	}
	if o.MaxAge <= 0 {
		o.MaxAge = 5 * time.Minute
	}
	if o.CPULimiter == nil {
		o.CPULimiter = cpulimit.New(nil)
	}
	if o.Poll <= 0 {
		o.Poll = 200 * time.Millisecond
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.Client == nil {
		o.Client = func(r *http.Request) string {
			host, _, _ := net.SplitHostPort(r.RemoteAddr)
			return host
		}
	}
	return o
}

// SetBrowser sets Options.Browser after New, for a handler that itself needs the server. It
// must be called before the first request.
func (s *Server) SetBrowser(show func(http.ResponseWriter, *http.Request, feed.Definition)) {
	s.options.Browser = show
}
