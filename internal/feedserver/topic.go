package feedserver

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"

	"github.com/tidings-press/tidings/internal/rendercache"
)

// Topic returns the newest document of a feed as a hub of our own sends it to
// subscribers, and its media type. Asking is not polling: it is not counted, and
// nobody has to wait. The path must be the one in the document's self link, of a
// feed that names hubs; for any other it returns ErrUnknown.
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
	d, err := s.fresh(ctx, t, renderTimeout) // subscribers wait for the new one: they are told once
	if err != nil {
		return nil, "", err
	}
	return d.Body(rendercache.Identity), d.mediaType, nil
}
