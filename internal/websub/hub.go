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

	"github.com/tidings-press/tidings/internal/connlimit"
	"github.com/tidings-press/tidings/internal/feedserver"
	"github.com/tidings-press/tidings/internal/store"
)

// The leases that the hub grants.
const (
	minLease     = time.Hour
	defaultLease = 10 * 24 * time.Hour
	maxLease     = 30 * 24 * time.Hour
)

// Limits of requests, which anyone may send. Each open verification causes a request to a
// server that may not have asked for it, so their number is small. Verified subscriptions
// have limits of their own (defaultLimits).
const (
	maxUnverified = 1_000 // requests that wait for verification
	maxPerTarget  = 100   // of these, with callbacks of one domain or network
	maxCallback   = 2_000 // bytes
	maxPair       = 2_500 // bytes of topic and callback, which are one key in the store
	maxSecret     = 199   // bytes (WebSub, section 5.1)
	maxForm       = 16 << 10
)

// The kinds of the hub's jobs.
const (
	verifyKind  = "websub.verify"
	deliverKind = "websub.deliver"
)

// defaultLimits are the maximum numbers of subscriptions of one topic, host and network, and
// of the hub.
var defaultLimits = store.HubSubscriptionCounts{Topic: 10_000, Host: 10_000, Network: 20_000, All: 200_000}

// Hub is a WebSub hub for the feeds of one site.
type Hub struct {
	Address string // of the hub itself
	Site    string // all topics are below it
	Feeds   *feedserver.Server
	Store   *store.Store
	Client  *http.Client // NewClient() when nil
	// Allow is the rate limit of requests: it reports whether a request is accepted now. If
	// nil, all are.
	Allow  func(*http.Request) bool
	Limits store.HubSubscriptionCounts // of subscriptions; those of defaultLimits when zero
	Log    *slog.Logger
}

// Tasks returns the hub's tasks for a Worker. A verification that gets no answer is given up
// after few tries, a delivery only after days.
func (h *Hub) Tasks() map[string]Task {
	return map[string]Task{verifyKind: {Run: h.verify, Tries: 5}, deliverKind: {Run: h.deliver}}
}

// ServeHTTP answers subscription requests (WebSub, section 5.1).
func (h *Hub) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Cache-Control", "no-store")
	if r.Method != http.MethodPost {
		w.Header().Set("Allow", "POST")
		http.Error(w, "This is a WebSub hub: POST hub.mode, hub.topic and hub.callback.", http.StatusMethodNotAllowed)
		return
	}
	if h.Allow != nil && !h.Allow(r) {
		w.Header().Set("Retry-After", "60")
		http.Error(w, "Too many requests from your network. Please try again in a minute.", http.StatusTooManyRequests)
		return
	}
	r.Body = http.MaxBytesReader(w, r.Body, maxForm)
	if err := r.ParseForm(); err != nil {
		status := http.StatusBadRequest
		if large := new(http.MaxBytesError); errors.As(err, &large) {
			status = http.StatusRequestEntityTooLarge
		}
		http.Error(w, "The form cannot be read: "+err.Error(), status)
		return
	}
	err := h.accept(r.Context(), r.PostForm)
	var refused errRefused
	switch {
	case errors.As(err, &refused):
		http.Error(w, refused.Error(), http.StatusBadRequest)
	case err != nil:
		if !errors.Is(err, errBusy) {
			h.Log.Error("WebSub subscription request not stored", "error", err)
		}
		w.Header().Set("Retry-After", "60")
		http.Error(w, "Please try again later.", http.StatusServiceUnavailable)
	default:
		w.WriteHeader(http.StatusAccepted)
	}
}

// errRefused is an error whose text is sent to the subscriber.
type errRefused string

func (e errRefused) Error() string { return string(e) }

func refusef(format string, args ...any) error { return errRefused(fmt.Sprintf(format, args...)) }

// errBusy is returned when too many requests wait for verification.
var errBusy = errors.New("too many subscription requests wait for verification")

// accept stores a request, which is verified later. A new request for the same topic and
// callback replaces one that waits.
func (h *Hub) accept(ctx context.Context, form url.Values) error {
	s, owner, err := readSubscription(form)
	if err != nil {
		return err
	}
	if s.Mode == "subscribe" { // a topic that is gone can still be unsubscribed from
		if err := h.checkTopic(ctx, s); err != nil {
			return err
		}
		if err := h.checkCapacity(ctx, s, ""); err != nil {
			return err
		}
	}
	for prefix, limit := range map[string]int64{"": maxUnverified, owner + " ": maxPerTarget} {
		n, err := h.Store.OpenJobs(ctx, verifyKind, prefix, limit)
		if err != nil {
			return err
		}
		if n >= limit {
			return errBusy
		}
	}
	key := owner + " " + keyOf(s.Mode, s.Topic, s.Callback)
	_, err = h.Store.Enqueue(ctx, store.Job{Kind: verifyKind, Key: key, Payload: encode(s), Newest: true})
	return err
}

// subscription is a requested subscription; it is the payload of a verification's job.
type subscription struct {
	Mode     string
	Topic    string
	Callback string
	Secret   string
	Lease    time.Duration
}

// readSubscription reads a request. owner is the owner of the callback; see ownerOf.
func readSubscription(form url.Values) (s subscription, owner string, err error) {
	s = subscription{
		Mode: form.Get("hub.mode"), Topic: form.Get("hub.topic"), Callback: form.Get("hub.callback"), Secret: form.Get("hub.secret"), Lease: defaultLease,
	}
	if s.Mode != "subscribe" && s.Mode != "unsubscribe" {
		return s, "", refusef("hub.mode is %.100q; use subscribe or unsubscribe", s.Mode)
	}
	callback, err := url.Parse(s.Callback)
	if err != nil || callback.Scheme != "http" && callback.Scheme != "https" || callback.Hostname() == "" || len(s.Callback) > maxCallback {
		return s, "", refusef("hub.callback is %.100q; use an http or https address of at most %d bytes", s.Callback, maxCallback)
	}
	if len(s.Topic)+len(s.Callback) > maxPair {
		return s, "", refusef("hub.topic and hub.callback have more than %d bytes together; use a shorter callback", maxPair)
	}
	if len(s.Secret) > maxSecret {
		return s, "", refusef("hub.secret is too long; it may have at most %d bytes", maxSecret)
	}
	if seconds, err := strconv.Atoi(form.Get("hub.lease_seconds")); err == nil && seconds > 0 {
		s.Lease = min(max(time.Duration(min(seconds, 1<<31))*time.Second, minLease), maxLease)
	}
	return s, ownerOf(callback.Hostname()), nil
}

// ownerOf returns the key by which unverified callbacks are counted: the registered domain,
// since its owner can create any number of names in it, or the network of an IP address.
func ownerOf(host string) string {
	host = strings.TrimSuffix(strings.ToLower(host), ".")
	if ip, err := netip.ParseAddr(host); err == nil {
		return connlimit.Network24or48(ip).String()
	}
	if domain, err := publicsuffix.EffectiveTLDPlusOne(host); err == nil {
		return domain
	}
	return host
}

// checkTopic returns an error unless the topic is a feed that names this hub.
func (h *Hub) checkTopic(ctx context.Context, s subscription) error {
	_, _, err := h.content(ctx, s.Topic)
	if errors.Is(err, errPermanent) {
		return refusef("hub.topic is %.200q; use the self link of a feed of %s", s.Topic, h.Site)
	}
	return err
}

// checkCapacity returns an error if a limit allows no new subscription. Existing ones can
// always be renewed. network is the network of the callback, "" if it is not known yet.
func (h *Hub) checkCapacity(ctx context.Context, s subscription, network string) error {
	most := cmp.Or(h.Limits, defaultLimits)
	n, err := h.Store.CountHubSubscriptions(ctx, s.Topic, s.Callback, network)
	if err != nil || n.Topic < most.Topic && n.Host < most.Host && n.Network < most.Network && n.All < most.All {
		return err
	}
	if _, err = h.Store.HubSubscription(ctx, s.Topic, s.Callback); errors.Is(err, store.ErrNotFound) {
		return refusef("the hub has reached its limit of subscriptions; try again later")
	}
	return err
}

func (h *Hub) client() *http.Client { return cmp.Or(h.Client, defaultClient()) }
