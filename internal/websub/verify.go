package websub

import (
	"context"
	"crypto/rand"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
)

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
	return h.Registry.Put(ctx, Subscription{Topic: s.Topic, Callback: s.Callback, Secret: s.Secret, Expires: h.now().Add(s.Lease)})
}

func (h *Hub) get(ctx context.Context, address string) (string, error) {
	request, err := http.NewRequestWithContext(context.WithValue(ctx, verifying{}, true), http.MethodGet, address, nil)
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
