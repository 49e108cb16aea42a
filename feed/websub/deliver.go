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
	"strings"

	"github.com/tidings-press/tidings/feed"
)

type delivery struct {
	Subscription Subscription
}

// Distribute makes a job for each subscriber of each topic: the hub's side of a
// publication.
func (h *Hub) Distribute(ctx context.Context, topics []string) error {
	for _, topic := range topics {
		subscriptions, err := h.Registry.Of(ctx, topic)
		if err != nil {
			return err
		}
		if len(subscriptions) == 0 {
			continue
		}
		body, _, err := h.content(ctx, topic)
		if err != nil {
			return err
		}
		// The content is in the key: a job that is under way may have read an older one.
		version := Signature("version", body)
		for _, s := range subscriptions {
			job := Job{Kind: deliverKind, Key: topic + " " + s.Callback + " " + version, Payload: encode(delivery{s})}
			if err := h.Queue.Enqueue(ctx, job); err != nil {
				return err
			}
		}
	}
	return nil
}

// deliver sends a topic's content to a subscriber (WebSub, section 7).
func (h *Hub) deliver(ctx context.Context, payload []byte) error {
	var d delivery
	if err := decode(payload, &d); err != nil {
		return err
	}
	s := d.Subscription
	body, mediaType, err := h.content(ctx, s.Topic)
	if err != nil {
		return err
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, s.Callback, bytes.NewReader(body))
	if err != nil {
		return fmt.Errorf("%w: %v", errGone, err)
	}
	request.Header.Set("Content-Type", mediaType)
	request.Header.Set("Link", fmt.Sprintf(`<%s>; rel="hub", <%s>; rel="self"`, h.Address, s.Topic))
	if s.Secret != "" {
		request.Header.Set("X-Hub-Signature", Signature(s.Secret, body))
	}
	response, err := h.client().Do(request)
	if err != nil {
		return fmt.Errorf("subscriber: %w", err)
	}
	defer response.Body.Close()
	_, _ = io.Copy(io.Discard, io.LimitReader(response.Body, 64<<10)) // lets the connection be used again
	switch {
	case response.StatusCode == http.StatusGone:
		return h.Registry.Drop(ctx, s.Topic, s.Callback) // section 7: it wants no more
	case response.StatusCode/100 != 2:
		return fmt.Errorf("subscriber answers %s", response.Status)
	}
	return nil
}

// Signature is the value of X-Hub-Signature (WebSub, section 7.1).
func Signature(secret string, body []byte) string {
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write(body)
	return "sha256=" + hex.EncodeToString(mac.Sum(nil))
}

// content reads a topic. One that is none of ours, or no longer, is gone.
func (h *Hub) content(ctx context.Context, topic string) (body []byte, mediaType string, err error) {
	path, ours := strings.CutPrefix(topic, h.Site)
	if !ours || !strings.HasPrefix(path, "/") {
		return nil, "", fmt.Errorf("%w: %s is no topic of ours", errGone, topic)
	}
	body, mediaType, err = h.Feeds.Topic(ctx, path)
	if errors.Is(err, feed.ErrUnknown) {
		err = fmt.Errorf("%w: %s is no feed that names this hub", errGone, topic)
	}
	return body, mediaType, err
}
