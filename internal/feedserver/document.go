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
	feed         string // base path of its feed, for the statistics
	definition   feed.Definition
	dependencies dependencies
	opml         bool
	expires      time.Time // for those that revisions do not cover; zero for never
	modified     *httpDate // of its content; nil when its bytes may change without its date
	mediaType    string
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
		return d.dependencies.has(a.ID) || d.definition.Filter.Match(&a)
	})
}
