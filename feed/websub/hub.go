package websub

import (
	"cmp"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
)

// The leases that the hub grants.
const (
	shortestLease = time.Hour
	usualLease    = 10 * 24 * time.Hour
	longestLease  = 30 * 24 * time.Hour
)

// mostSubscribers bounds the subscriptions of one topic.
const mostSubscribers = 10_000

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
}

// Registry keeps verified subscriptions.
type Registry interface {
	Put(ctx context.Context, s Subscription) error
	Drop(ctx context.Context, topic, callback string) error
	Of(ctx context.Context, topic string) ([]Subscription, error) // whose lease has not run out
	Count(ctx context.Context, topic string) (int64, error)
}

// Feeds are where the hub reads its topics: a serve.Server.
type Feeds interface {
	// Topic returns the document at a path below the site and its media type;
	// feed.ErrUnknown when no document names that as its own address.
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
	Now      func() time.Time
	Log      *slog.Logger
}

// ServeHTTP takes subscription requests (WebSub, section 5.1).
func (h *Hub) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Cache-Control", "no-store")
	if r.Method != http.MethodPost {
		w.Header().Set("Allow", "POST")
		http.Error(w, "This is a WebSub hub: POST hub.mode, hub.topic and hub.callback.", http.StatusMethodNotAllowed)
		return
	}
	r.Body = http.MaxBytesReader(w, r.Body, 16<<10)
	if err := r.ParseForm(); err != nil {
		http.Error(w, "The form cannot be read: "+err.Error(), http.StatusBadRequest)
		return
	}
	err := h.take(r.Context(), r.PostForm)
	var refused errRefused
	switch {
	case errors.As(err, &refused):
		http.Error(w, refused.Error(), http.StatusBadRequest)
	case err != nil:
		h.Log.Error("a subscription is not kept", "error", err)
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

// take keeps a wish until it is verified.
func (h *Hub) take(ctx context.Context, form url.Values) error {
	wish, err := h.wish(ctx, form)
	if err != nil {
		return err
	}
	return h.Queue.Enqueue(ctx, Job{Kind: verifyKind, Key: wish.Mode + " " + wish.Topic + " " + wish.Callback, Payload: encode(wish)})
}

// wish is a subscription request that is not verified yet.
type wish struct {
	Mode     string
	Topic    string
	Callback string
	Secret   string
	Lease    time.Duration
}

func (h *Hub) wish(ctx context.Context, form url.Values) (wish, error) {
	s := wish{
		Mode: form.Get("hub.mode"), Topic: form.Get("hub.topic"), Callback: form.Get("hub.callback"), Secret: form.Get("hub.secret"), Lease: usualLease,
	}
	if s.Mode != "subscribe" && s.Mode != "unsubscribe" {
		return s, refusef("hub.mode is %.100q; right would be subscribe or unsubscribe", s.Mode)
	}
	callback, err := url.Parse(s.Callback)
	if err != nil || callback.Scheme != "http" && callback.Scheme != "https" || callback.Host == "" || len(s.Callback) > 2000 {
		return s, refusef("hub.callback is %.100q; right would be an http or https address", s.Callback)
	}
	if len(s.Secret) >= 200 {
		return s, refusef("hub.secret must be shorter than 200 bytes")
	}
	if seconds, err := strconv.Atoi(form.Get("hub.lease_seconds")); err == nil && seconds > 0 {
		s.Lease = min(max(time.Duration(min(seconds, 1<<31))*time.Second, shortestLease), longestLease)
	}
	if s.Mode == "unsubscribe" {
		return s, nil // also from a topic that is no more
	}
	if _, _, err := h.content(ctx, s.Topic); errors.Is(err, errGone) {
		return s, refusef("hub.topic is %.200q; right would be the address that a feed of %s names as its own", s.Topic, h.Site)
	} else if err != nil {
		return s, err
	}
	n, err := h.Registry.Count(ctx, s.Topic)
	if err == nil && n >= mostSubscribers {
		err = refusef("this topic takes no more subscribers at the moment")
	}
	return s, err
}

// Jobs are the jobs that a Worker does for the hub.
func (h *Hub) Jobs() map[string]func(context.Context, []byte) error {
	return map[string]func(context.Context, []byte) error{verifyKind: h.verify, deliverKind: h.deliver}
}

// verify asks a callback whether it wants what was asked for in its name (WebSub,
// section 5.3), so that nobody can subscribe somebody else.
func (h *Hub) verify(ctx context.Context, payload []byte) error {
	var s wish
	if err := decode(payload, &s); err != nil {
		return err
	}
	challenge := rand.Text()
	u, err := url.Parse(s.Callback)
	if err != nil {
		return fmt.Errorf("%w: %v", errGone, err)
	}
	query := u.Query()
	query.Set("hub.mode", s.Mode)
	query.Set("hub.topic", s.Topic)
	query.Set("hub.challenge", challenge)
	if s.Mode == "subscribe" {
		query.Set("hub.lease_seconds", strconv.Itoa(int(s.Lease/time.Second)))
	}
	u.RawQuery = query.Encode()
	answer, err := h.get(ctx, u.String())
	if err != nil {
		return err
	}
	if strings.TrimSpace(answer) != challenge {
		return fmt.Errorf("%w: %s does not confirm that it wants %s", errGone, s.Callback, s.Topic)
	}
	if s.Mode == "unsubscribe" {
		return h.Registry.Drop(ctx, s.Topic, s.Callback)
	}
	return h.Registry.Put(ctx, Subscription{s.Topic, s.Callback, s.Secret, h.now().Add(s.Lease)})
}

func (h *Hub) now() time.Time {
	if h.Now == nil {
		return time.Now()
	}
	return h.Now()
}

func (h *Hub) get(ctx context.Context, address string) (string, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return "", fmt.Errorf("%w: %v", errGone, err)
	}
	response, err := h.client().Do(request)
	if err != nil {
		return "", err
	}
	defer response.Body.Close()
	answer, err := io.ReadAll(io.LimitReader(response.Body, 1000))
	switch {
	case err != nil:
		return "", err
	case response.StatusCode == http.StatusNotFound, response.StatusCode == http.StatusGone:
		return "", fmt.Errorf("%w: the subscriber answers %s", errGone, response.Status)
	case response.StatusCode/100 != 2:
		return "", fmt.Errorf("the subscriber answers %s", response.Status)
	}
	return string(answer), nil
}

func (h *Hub) client() *http.Client { return cmp.Or(h.Client, defaultClient()) }
