package feedserver

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"

	"github.com/tidings-press/tidings/internal/rendercache"
)

// Topic returns the newest document of a feed, which the built-in hub sends to its subscribers,
// and its media type. It is not counted as a poll, and polling limits do not apply. The path
// must be the self link of a feed that names hubs; for others it returns ErrUnknown.
func (s *Server) Topic(ctx context.Context, path string) (body []byte, mediaType string, err error) {
	u, err := url.ParseRequestURI(path)
	if err != nil {
		return nil, "", fmt.Errorf("%w: %v", ErrUnknown, err)
	}
	s.refresh()
	t, err := s.find(ctx, &http.Request{URL: u})
	var missing errNotFound
	if errors.As(err, &missing) {
		return nil, "", ErrUnknown
	}
	if err != nil {
		return nil, "", err
	}
	if t.opml || t.cursor != "" || !t.definition.Announced() || t.key() != path {
		return nil, "", ErrUnknown
	}
	d, err := s.latest(ctx, t, s.options.Limits.Render) // an old document will not do: subscribers are notified once per change
	if err != nil {
		return nil, "", err
	}
	return d.Body(rendercache.Identity), d.mediaType, nil
}
