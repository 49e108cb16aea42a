package feed_test

import (
	"net/http"
	"net/http/httptest"
	"strconv"
	"sync"
	"testing"

	"github.com/tidings-press/tidings/feed"
	"github.com/tidings-press/tidings/internal/testkit"
	"github.com/tidings-press/tidings/internal/testkit/feedrules"
)

// documentServer serves documents at the addresses of their self links.
type documentServer struct {
	*httptest.Server
	mu        sync.Mutex
	documents map[string]document
}

type document struct {
	kind string
	data []byte
}

func newDocumentServer(t *testing.T) *documentServer {
	s := &documentServer{documents: map[string]document{}}
	s.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.mu.Lock()
		defer s.mu.Unlock()
		d, known := s.documents[r.URL.RequestURI()]
		if !known {
			http.NotFound(w, r)
			return
		}
		w.Header().Set("Content-Type", d.kind)
		_, _ = w.Write(d.data)
	}))
	t.Cleanup(s.Close)
	return s
}

// put renders a selection whose site is a new folder of the server. It returns the address
// of the document and the selection with that site.
func (s *documentServer) put(t *testing.T, f feed.Format, selection feed.Selection) (string, feed.Selection) {
	t.Helper()
	s.mu.Lock()
	defer s.mu.Unlock()
	folder := "/" + strconv.Itoa(len(s.documents))
	selection.Site.URL = s.URL + folder
	path := folder + selection.Definition.Path(f, selection.Page.Cursor)
	s.documents[path] = document{f.MediaType() + "; charset=utf-8", render(t, f, selection)}
	return s.URL + path, selection
}

// TestExternalValidatorReportsNothing runs an external validator on every document. It must
// report no errors, and no warnings except those listed in docs/feeds.md.
func TestExternalValidatorReportsNothing(t *testing.T) {
	testkit.Slow(t)
	t.Parallel()
	validate := feedrules.Validator(t)
	shelf := newDocumentServer(t)
	for name, s := range selections() {
		if len(s.Removed) > 0 {
			continue // the W3C validator does not know the namespace of RFC 6721
		}
		for _, f := range []feed.Format{feed.FormatRSS, feed.FormatAtom} {
			address, _ := shelf.put(t, f, s)
			if complaint := validate(address); complaint != "" {
				t.Errorf("%s, %s: %s", name, f, complaint)
			}
		}
	}
}
