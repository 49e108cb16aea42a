package feedserver

import (
	"fmt"
	"net/http"
	"slices"
	"time"

	"github.com/tidings-press/tidings/feed"
	"github.com/tidings-press/tidings/internal/article"
	"github.com/tidings-press/tidings/internal/rendercache"
)

// document is a rendered feed document, and what it was made of.
type document struct {
	*rendercache.Document
	feed       string // base path of its feed, for the statistics
	definition feed.Definition
	members    members // of the articles that it was made of
	opml       bool
	expires    time.Time // for those that revisions do not cover; zero for never
	modified   *moment   // its own time; see Server.modified
	undated    bool      // its bytes may change without its date
	mediaType  string
}

// caching says how long readers may keep a document, and whether it is for one reader.
type caching struct {
	maxAge  time.Duration
	private bool
}

// headers are those that a document is sent with besides its dates and tags.
func headers(mediaType string, c caching, link []string) http.Header {
	h := http.Header{
		"Content-Type":                {mediaType},
		"Cache-Control":               {cacheControl(c.maxAge, c.private)},
		"Access-Control-Allow-Origin": {"*"},
	}
	if c.private {
		h["X-Robots-Tag"] = []string{"noindex, nofollow"}
	}
	if link != nil {
		h["Link"] = link
	}
	return h
}

// cacheControl lets shared caches keep a document for at most a minute, so that a
// change is soon everywhere, and show the old one while they ask for the new.
func cacheControl(maxAge time.Duration, private bool) string {
	seconds := int(maxAge / time.Second)
	if private {
		return fmt.Sprintf("private, max-age=%d", seconds)
	}
	return fmt.Sprintf("public, max-age=%d, s-maxage=%d, stale-while-revalidate=%d", seconds, min(seconds, 60), seconds)
}

// touches reports whether the document was made of a changed article, or should be
// now.
func (d *document) touches(articles []article.Article) bool {
	if d.opml {
		return true
	}
	return slices.ContainsFunc(articles, func(a article.Article) bool {
		return d.members.has(a.ID) || d.definition.Filter.Match(&a)
	})
}

// memory is what a document takes besides its bytes.
func (m members) memory() int64 { return int64(8 * len(m)) }
