package websub

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/netip"
	"net/url"
	"strconv"
	"strings"
	"time"

	"golang.org/x/net/publicsuffix"
)

// The leases that the hub grants.
const (
	shortestLease = time.Hour
	usualLease    = 10 * 24 * time.Hour
	longestLease  = 30 * 24 * time.Hour
)

// What strangers may ask for. Subscriptions are verified, so who fills these needs a
// server that consents; an open verification costs its victim one request, so there
// are few of them.
const (
	mostSubscribers = 10_000  // of one topic
	mostOfHost      = 10_000  // of one server
	mostInAll       = 200_000 // subscriptions
	mostUnverified  = 1_000   // wishes that wait for their verification
	mostOfVictim    = 100     // of these, with callbacks of one domain or network
	longestCallback = 2_000   // bytes
	longestPair     = 2_500   // bytes of a topic and a callback, which are one key of the registry
	longestSecret   = 199     // bytes (WebSub, section 5.1)
	longestForm     = 16 << 10
)

// The kinds of the hub's jobs.
const (
	verifyKind  = "websub.verify"
	deliverKind = "websub.deliver"
)

// Subscription is somebody's wish to be sent a topic's content.
type Subscription struct {
	Topic    string
	Callback string
	Secret   string // signs what is sent; empty when the subscriber gave none
	Expires  time.Time
	Sent     string // version of the content that it was sent last
}

// Counts is how many subscriptions a topic has, the server of a callback, and all
// together.
type Counts struct{ Topic, Host, All int64 }

// ErrNoSubscription says that there is no such subscription, or no longer.
var ErrNoSubscription = errors.New("no such subscription")

// Registry keeps verified subscriptions.
type Registry interface {
	// Put keeps a subscription or renews it. What it was sent stays.
	Put(ctx context.Context, s Subscription) error
	Drop(ctx context.Context, topic, callback string) error
	// Of returns the subscriptions of a topic whose lease has not run out.
	Of(ctx context.Context, topic string) ([]Subscription, error)
	// Find returns one of them, or ErrNoSubscription.
	Find(ctx context.Context, topic, callback string) (Subscription, error)
	// Sent remembers what a subscriber was sent.
	Sent(ctx context.Context, topic, callback, version string) error
	Count(ctx context.Context, topic, callback string) (Counts, error)
}

// Feeds are where the hub reads its topics: a serve.Server.
type Feeds interface {
	// Topic returns the document at a path below the site and its media type;
	// feedserver.ErrUnknown when no document names that as its own address.
	Topic(ctx context.Context, path string) (body []byte, mediaType string, err error)
}

// Hub is a WebSub hub for the feeds of one site.
type Hub struct {
	Address  string // of the hub itself
	Site     string // all topics are below it
	Feeds    Feeds
	Queue    Queue
	Registry Registry
	Client   *http.Client // NewClient() when nil
	// Allow reports whether the network of a request may ask for one more subscription now;
	// nil allows all.
	Allow func(*http.Request) bool
	Now   func() time.Time
	Log   *slog.Logger
}

// Jobs are the jobs that a Worker does for the hub. Whoever cannot be asked whether
// they want a subscription is not asked for three days.
func (h *Hub) Jobs() map[string]Task {
	return map[string]Task{verifyKind: {Do: h.verify, Tries: 5}, deliverKind: {Do: h.deliver}}
}

// ServeHTTP takes subscription requests (WebSub, section 5.1).
func (h *Hub) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Cache-Control", "no-store")
	if r.Method != http.MethodPost {
		w.Header().Set("Allow", "POST")
		http.Error(w, "This is a WebSub hub: POST hub.mode, hub.topic and hub.callback.", http.StatusMethodNotAllowed)
		return
	}
	if h.Allow != nil && !h.Allow(r) {
		w.Header().Set("Retry-After", "60")
		http.Error(w, "There were many requests from your network. Please try again in a minute.", http.StatusTooManyRequests)
		return
	}
	r.Body = http.MaxBytesReader(w, r.Body, longestForm)
	if err := r.ParseForm(); err != nil {
		status := http.StatusBadRequest
		if large := new(http.MaxBytesError); errors.As(err, &large) {
			status = http.StatusRequestEntityTooLarge
		}
		http.Error(w, "The form cannot be read: "+err.Error(), status)
		return
	}
	err := h.take(r.Context(), r.PostForm)
	var refused errRefused
	switch {
	case errors.As(err, &refused):
		http.Error(w, refused.Error(), http.StatusBadRequest)
	case err != nil:
		if !errors.Is(err, errBusy) {
			h.Log.Error("a subscription is not kept", "error", err)
		}
		w.Header().Set("Retry-After", "60")
		http.Error(w, "Please try again later.", http.StatusServiceUnavailable)
	default:
		w.WriteHeader(http.StatusAccepted)
	}
}

// errRefused says what is wrong with a request; its text is for the subscriber.
type errRefused string

func (e errRefused) Error() string { return string(e) }

func refusef(format string, args ...any) error { return errRefused(fmt.Sprintf(format, args...)) }

// errBusy says that as many wishes wait for their verification as may.
var errBusy = errors.New("too many subscriptions wait for their verification")

// take keeps a wish until it is verified. Asked again, it is the newest that counts.
func (h *Hub) take(ctx context.Context, form url.Values) error {
	wish, host, err := readWish(form)
	if err != nil {
		return err
	}
	if wish.Mode == "subscribe" { // from a topic that is no more anybody may take leave
		if err := h.welcomes(ctx, wish); err != nil {
			return err
		}
	}
	for prefix, most := range map[string]int64{"": mostUnverified, host + " ": mostOfVictim} {
		n, err := h.Queue.Open(ctx, verifyKind, prefix, most)
		if err != nil {
			return err
		}
		if n >= most {
			return errBusy
		}
	}
	key := host + " " + keyOf(wish.Mode, wish.Topic, wish.Callback)
	return h.Queue.Enqueue(ctx, Job{Kind: verifyKind, Key: key, Payload: encode(wish), Newest: true})
}

// keyOf makes a short key of what strangers may make long.
func keyOf(parts ...string) string { return versionOf([]byte(strings.Join(parts, " "))) }

// wish is a subscription request that is not verified yet.
type wish struct {
	Mode     string
	Topic    string
	Callback string
	Secret   string
	Lease    time.Duration
}

// readWish reads a request, and whose its callback is.
func readWish(form url.Values) (s wish, host string, err error) {
	s = wish{
		Mode: form.Get("hub.mode"), Topic: form.Get("hub.topic"), Callback: form.Get("hub.callback"), Secret: form.Get("hub.secret"), Lease: usualLease,
	}
	if s.Mode != "subscribe" && s.Mode != "unsubscribe" {
		return s, "", refusef("hub.mode is %.100q; right would be subscribe or unsubscribe", s.Mode)
	}
	callback, err := url.Parse(s.Callback)
	if err != nil || callback.Scheme != "http" && callback.Scheme != "https" || callback.Hostname() == "" || len(s.Callback) > longestCallback {
		return s, "", refusef("hub.callback is %.100q; right would be an http or https address of at most %d bytes", s.Callback, longestCallback)
	}
	if len(s.Topic)+len(s.Callback) > longestPair {
		return s, "", refusef("hub.topic and hub.callback have more than %d bytes together", longestPair)
	}
	if len(s.Secret) > longestSecret {
		return s, "", refusef("hub.secret must be shorter than %d bytes", longestSecret+1)
	}
	if seconds, err := strconv.Atoi(form.Get("hub.lease_seconds")); err == nil && seconds > 0 {
		s.Lease = min(max(time.Duration(min(seconds, 1<<31))*time.Second, shortestLease), longestLease)
	}
	return s, siteOf(callback.Hostname()), nil
}

// siteOf is what callbacks are counted by: the domain that somebody has registered, since below
// it there may be any number of names, or the network of an address.
func siteOf(host string) string {
	host = strings.TrimSuffix(strings.ToLower(host), ".")
	if ip, err := netip.ParseAddr(host); err == nil {
		return networkOf(ip).String()
	}
	if domain, err := publicsuffix.EffectiveTLDPlusOne(host); err == nil {
		return domain
	}
	return host
}

// welcomes says whether there is such a topic, and room for one more subscriber.
// Who is one already may always renew.
func (h *Hub) welcomes(ctx context.Context, s wish) error {
	if _, _, err := h.content(ctx, s.Topic); errors.Is(err, errGone) {
		return refusef("hub.topic is %.200q; right would be the address that a feed of %s names as its own", s.Topic, h.Site)
	} else if err != nil {
		return err
	}
	n, err := h.Registry.Count(ctx, s.Topic, s.Callback)
	if err != nil || n.Topic < mostSubscribers && n.Host < mostOfHost && n.All < mostInAll {
		return err
	}
	if _, err = h.Registry.Find(ctx, s.Topic, s.Callback); errors.Is(err, ErrNoSubscription) {
		return refusef("there is no room for another subscription at the moment")
	}
	return err
}

func (h *Hub) now() time.Time {
	if h.Now == nil {
		return time.Now()
	}
	return h.Now()
}

func (h *Hub) client() *http.Client { return cmp.Or(h.Client, defaultClient()) }
