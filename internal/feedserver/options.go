package feedserver

import (
	"context"
	"log/slog"
	"net"
	"net/http"
	"time"

	"github.com/tidings-press/tidings/feed"
	"github.com/tidings-press/tidings/internal/loadshare"
)

// Options are what a Server needs. Source and Site must be given.
type Options struct {
	Source Source
	Site   feed.Site
	// Feeds are the configured feeds and those of the digests. One of kind
	// Everything replaces the defaults of the feed at the root.
	Feeds []feed.Definition
	// Settings is the fingerprint of all that shapes the bytes of documents besides the
	// articles. The source tells the newest that any node serves with; "" does without.
	Settings string
	// Named lists the feeds of all tags, authors and languages, for OPML; nil leaves
	// them out.
	Named func(ctx context.Context) ([]feed.Definition, error)
	// Private finds the feed of a subscriber's token; ErrUnknown when it was
	// never given out or is revoked. Nil means there are none.
	Private func(ctx context.Context, token string) (feed.Definition, error)
	// Polls takes the statistics; nil drops them.
	Polls PollRecorder
	// PollKey keys the hashes that distinct pollers are counted by.
	PollKey []byte
	// Browser answers people who open a feed's address in a browser; nil shows them
	// the document. Readers never get there.
	Browser func(http.ResponseWriter, *http.Request, feed.Definition)

	// Share is the part of the machine that feeds may use beside the mails; one of its own, for
	// a machine that sends none, when nil.
	Share *loadshare.Share

	Memory     int64         // bytes of documents kept; 24 MB when 0
	MaxAge     time.Duration // of documents whose feed says none; 5 minutes when 0
	RetryAfter time.Duration // for clients that poll unconditionally more often than this; 0 is off
	Poll       time.Duration // how often the revision is asked for; 200 ms when 0

	Client func(*http.Request) string // address of the client; the connection's when nil
	Now    func() time.Time
	Log    *slog.Logger
}

func (o Options) withDefaults() Options {
	if o.Memory <= 0 {
		o.Memory = 24 << 20
	}
	if o.MaxAge <= 0 {
		o.MaxAge = 5 * time.Minute
	}
	if o.Share == nil {
		o.Share = loadshare.New(nil)
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

// SetBrowser sets Options.Browser after New, for pages that are made of the server
// itself. It must come before the first request.
func (s *Server) SetBrowser(show func(http.ResponseWriter, *http.Request, feed.Definition)) {
	s.options.Browser = show
}
