package websub

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"

	"github.com/tidings-press/tidings/internal/feedserver"
)

// delivery is the job of sending a topic to a subscriber. The rest is looked up when
// it is done: a subscriber may have left by then, or have another secret.
type delivery struct {
	Topic    string
	Callback string
}

// atATime is how many jobs are kept in one transaction.
const atATime = 500

// Distribute makes a job for each subscriber of a topic who does not have its content
// yet: the hub's side of a publication.
func (h *Hub) Distribute(ctx context.Context, topic string) error {
	subscriptions, err := h.Registry.Of(ctx, topic)
	if err != nil || len(subscriptions) == 0 {
		return err
	}
	body, _, err := h.content(ctx, topic)
	if err != nil {
		return err
	}
	version := versionOf(body)
	var jobs []Job
	for _, s := range subscriptions {
		if s.Sent == version {
			continue
		}
		// The content is in the key: a job that is under way may have read an older one.
		jobs = append(jobs, Job{Kind: deliverKind, Key: keyOf(topic, s.Callback, version), Payload: encode(delivery{topic, s.Callback})})
	}
	for some := range slices.Chunk(jobs, atATime) {
		if err := h.Queue.Enqueue(ctx, some...); err != nil {
			return err
		}
	}
	return nil
}

// deliver sends a topic's content to a subscriber (WebSub, section 7), unless it has
// had that already.
func (h *Hub) deliver(ctx context.Context, payload []byte) error {
	var d delivery
	if err := decode(payload, &d); err != nil {
		return err
	}
	s, err := h.Registry.Find(ctx, d.Topic, d.Callback)
	if errors.Is(err, ErrNoSubscription) {
		return nil // it has left, or its lease ran out
	}
	if err != nil {
		return err
	}
	body, mediaType, err := h.content(ctx, s.Topic)
	if err != nil {
		return err
	}
	version := versionOf(body)
	if s.Sent == version {
		return nil
	}
	status, err := h.send(ctx, s, body, mediaType)
	switch {
	case err != nil:
		return err
	case status == http.StatusGone:
		return h.Registry.Drop(ctx, s.Topic, s.Callback) // section 7: it wants no more
	}
	return h.Registry.Sent(ctx, s.Topic, s.Callback, version)
}

// send posts content to a callback. Its answer is 2xx or 410, else an error.
func (h *Hub) send(ctx context.Context, s Subscription, body []byte, mediaType string) (status int, err error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, s.Callback, bytes.NewReader(body))
	if err != nil {
		return 0, fmt.Errorf("%w: %v", errGone, err)
	}
	request.Header.Set("Content-Type", mediaType)
	request.Header.Set("Link", fmt.Sprintf(`<%s>; rel="hub", <%s>; rel="self"`, h.Address, s.Topic))
	if s.Secret != "" {
		request.Header.Set("X-Hub-Signature", Signature(s.Secret, body))
	}
	response, err := h.client().Do(request)
	if err != nil {
		return 0, fmt.Errorf("subscriber: %w", err)
	}
	defer response.Body.Close()
	_, _ = io.Copy(io.Discard, io.LimitReader(response.Body, 64<<10)) // lets the connection be used again
	if response.StatusCode/100 != 2 && response.StatusCode != http.StatusGone {
		return 0, fmt.Errorf("subscriber answers %s", response.Status)
	}
	return response.StatusCode, nil
}

// Signature is the value of X-Hub-Signature (WebSub, section 7.1).
func Signature(secret string, body []byte) string {
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write(body)
	return "sha256=" + hex.EncodeToString(mac.Sum(nil))
}

// versionOf tells one content from another.
func versionOf(body []byte) string {
	sum := sha256.Sum256(body)
	return hex.EncodeToString(sum[:16])
}

// content reads a topic. One that is none of ours, or no longer, is gone.
func (h *Hub) content(ctx context.Context, topic string) (body []byte, mediaType string, err error) {
	path, ours := strings.CutPrefix(topic, h.Site)
	if !ours || !strings.HasPrefix(path, "/") {
		return nil, "", fmt.Errorf("%w: %s is no topic of ours", errGone, topic)
	}
	body, mediaType, err = h.Feeds.Topic(ctx, path)
	if errors.Is(err, feedserver.ErrUnknown) {
		err = fmt.Errorf("%w: %s is no feed that names this hub", errGone, topic)
	}
	return body, mediaType, err
}
