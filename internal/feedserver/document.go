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

// document is a rendered feed document with its dependencies.
type document struct {
	*rendercache.Document
	feed         string // base path of its feed, for the statistics
	definition   feed.Definition
	dependencies dependencies
	opml         bool
	expires      time.Time // zero for never; for documents whose changes the revision does not count
	modified     *httpDate // of its content; nil if its bytes can change without a change of the date
	mediaType    string
}

// caching are the values of Cache-Control: how long clients may cache a document, and whether
// it is for one client only.
type caching struct {
	maxAge  time.Duration
	private bool
}

// headers returns a document's response headers, except the dates and the ETag.
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

// cacheControl returns a Cache-Control value. Shared caches may keep a document for at most a
// minute, so that changes spread soon, and may serve the old one while they fetch the new one.
func cacheControl(maxAge time.Duration, private bool) string {
	seconds := int(maxAge / time.Second)
	if private {
		return fmt.Sprintf("private, max-age=%d", seconds)
	}
	return fmt.Sprintf("public, max-age=%d, s-maxage=%d, stale-while-revalidate=%d", seconds, min(seconds, 60), seconds)
}

// touches reports whether the changes affect the document: it contains one of the changed
// articles, or one of them matches its filter now.
func (d *document) touches(articles []article.Article) bool {
	if d.opml {
		return true
	}
	return slices.ContainsFunc(articles, func(a article.Article) bool {
		return d.dependencies.has(a.ID) || d.definition.Filter.Match(&a)
	})
}
