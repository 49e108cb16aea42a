package websub

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/tidings-press/tidings/internal/feedserver"
	"github.com/tidings-press/tidings/internal/store"
)

// verify asks a callback to confirm a requested subscription (WebSub, section 5.3), and stores
// the subscription.
func (h *Hub) verify(ctx context.Context, payload []byte) error {
	var s subscription
	if err := decode(payload, &s); err != nil {
		return err
	}
	challenge := rand.Text()
	u, err := url.Parse(s.Callback)
	if err != nil {
		return fmt.Errorf("%w: %v", errPermanent, err)
	}
	query := u.Query()
	query.Set("hub.mode", s.Mode)
	query.Set("hub.topic", s.Topic)
	query.Set("hub.challenge", challenge)
	if s.Mode == "subscribe" {
		query.Set("hub.lease_seconds", strconv.Itoa(int(s.Lease/time.Second)))
	}
	u.RawQuery = query.Encode()
	answer, network, err := h.get(ctx, u.String())
	if err != nil {
		return err
	}
	if strings.TrimSpace(answer) != challenge {
		return fmt.Errorf("%w: %s does not confirm the subscription to %s", errPermanent, s.Callback, s.Topic)
	}
	if s.Mode == "unsubscribe" {
		return h.Store.DropHubSubscription(ctx, s.Topic, s.Callback)
	}
	if err := h.checkCapacity(ctx, s, network); err != nil {
		return fmt.Errorf("%w: %w", errPermanent, err)
	}
	return h.Store.PutHubSubscription(ctx, store.HubSubscription{
		Topic: s.Topic, URL: s.Callback, Secret: s.Secret, Expires: h.Store.Now().Add(s.Lease), Network: network,
	})
}

// get sends a verification. It returns the answer and the network of the callback.
func (h *Hub) get(ctx context.Context, address string) (answer, network string, err error) {
	ctx, networkOfRequest := traceNetwork(context.WithValue(ctx, verifying{}, true))
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return "", "", fmt.Errorf("%w: %v", errPermanent, err)
	}
	response, err := h.client().Do(request)
	if err != nil {
		return "", "", err
	}
	defer response.Body.Close()
	body, err := io.ReadAll(io.LimitReader(response.Body, 1000))
	switch {
	case err != nil:
		return "", "", err
	case response.StatusCode == http.StatusNotFound, response.StatusCode == http.StatusGone:
		return "", "", fmt.Errorf("%w: the subscriber answers %s", errPermanent, response.Status)
	case response.StatusCode/100 != 2:
		return "", "", fmt.Errorf("the subscriber answers %s", response.Status)
	}
	return string(body), networkOfRequest(), nil
}

// delivery is the payload of a job that sends a topic's content to a subscriber. The job reads
// the rest when it runs, since the subscription may have ended or changed by then.
type delivery struct {
	Topic    string
	Callback string
}

// jobsAtOnce is the number of jobs that are stored in one transaction.
const jobsAtOnce = 500

// Distribute stores a job for each subscriber that does not have the topic's current content.
func (h *Hub) Distribute(ctx context.Context, topic string) error {
	callbacks, err := h.Store.HubSubscriptions(ctx, topic)
	if err != nil || len(callbacks) == 0 {
		return err
	}
	body, _, err := h.content(ctx, topic)
	if err != nil {
		return err
	}
	version := versionOf(body)
	var jobs []store.Job
	for _, c := range callbacks {
		if c.Version == version {
			continue
		}
		// The key contains the version, since a running job may have read an older one.
		jobs = append(jobs, store.Job{Kind: deliverKind, Key: keyOf(topic, c.URL, version), Payload: encode(delivery{topic, c.URL})})
	}
	for some := range slices.Chunk(jobs, jobsAtOnce) {
		if err := h.Store.EnqueueAll(ctx, some); err != nil {
			return err
		}
	}
	return nil
}

// deliver sends a topic's content to a subscriber (WebSub, section 7), unless it has that
// version already.
func (h *Hub) deliver(ctx context.Context, payload []byte) error {
	var d delivery
	if err := decode(payload, &d); err != nil {
		return err
	}
	c, err := h.Store.HubSubscription(ctx, d.Topic, d.Callback)
	if errors.Is(err, store.ErrNotFound) {
		return nil // the subscription has ended
	}
	if err != nil {
		return err
	}
	body, mediaType, err := h.content(ctx, c.Topic)
	if err != nil {
		return err
	}
	version := versionOf(body)
	if c.Version == version {
		return nil
	}
	status, err := h.post(ctx, c, body, mediaType)
	switch {
	case err != nil:
		return err
	case status == http.StatusGone:
		return h.Store.DropHubSubscription(ctx, c.Topic, c.URL) // section 7: 410 ends the subscription
	}
	return h.Store.SetHubSubscriptionVersion(ctx, c.Topic, c.URL, version)
}

// post sends content to a callback. Answers other than 2xx and 410 are errors.
func (h *Hub) post(ctx context.Context, c store.HubSubscription, body []byte, mediaType string) (status int, err error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, c.URL, bytes.NewReader(body))
	if err != nil {
		return 0, fmt.Errorf("%w: %v", errPermanent, err)
	}
	request.Header.Set("Content-Type", mediaType)
	request.Header.Set("Link", fmt.Sprintf(`<%s>; rel="hub", <%s>; rel="self"`, h.Address, c.Topic))
	if c.Secret != "" {
		request.Header.Set("X-Hub-Signature", Signature(c.Secret, body))
	}
	response, err := h.client().Do(request)
	if err != nil {
		return 0, fmt.Errorf("subscriber: %w", err)
	}
	defer response.Body.Close()
	_, _ = io.Copy(io.Discard, io.LimitReader(response.Body, 64<<10)) // so that the connection can be reused
	if response.StatusCode/100 != 2 && response.StatusCode != http.StatusGone {
		return 0, fmt.Errorf("subscriber answers %s", response.Status)
	}
	return response.StatusCode, nil
}

// Signature returns the value of X-Hub-Signature (WebSub, section 7.1).
func Signature(secret string, body []byte) string {
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write(body)
	return "sha256=" + hex.EncodeToString(mac.Sum(nil))
}

// versionOf returns a hash that identifies content.
func versionOf(body []byte) string {
	sum := sha256.Sum256(body)
	return hex.EncodeToString(sum[:16])
}

// keyOf returns a key of fixed length for parts of any length.
func keyOf(parts ...string) string { return versionOf([]byte(strings.Join(parts, " "))) }

// content returns the document of a topic and its media type. It returns errPermanent for a
// topic that is not, or no longer, a feed of this site.
func (h *Hub) content(ctx context.Context, topic string) (body []byte, mediaType string, err error) {
	path, local := strings.CutPrefix(topic, h.Site)
	if !local || !strings.HasPrefix(path, "/") {
		return nil, "", fmt.Errorf("%w: %s is not a topic of this hub", errPermanent, topic)
	}
	body, mediaType, err = h.Feeds.Topic(ctx, path)
	if errors.Is(err, feedserver.ErrUnknown) {
		err = fmt.Errorf("%w: %s is not a feed that names this hub", errPermanent, topic)
	}
	return body, mediaType, err
}
