package serve

import (
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"github.com/tidings-press/tidings/article"
	"github.com/tidings-press/tidings/feed"
)

// document is one rendered document and its codings. All but the lazily made
// codings is fixed when it is made.
type document struct {
	key        string
	feed       string // base path of its feed, for the statistics
	definition feed.Definition
	members    members // of the articles that it was made of
	opml       bool
	expires    time.Time // for those that revisions do not cover; zero for never
	modified   *moment   // its own time; see Server.modified
	undated    bool      // its bytes may change without its date
	codings    [codingCount]representation
	stale      atomic.Bool
	used       atomic.Int64 // when it was last asked for, in requests

	paths   []string // addresses that lead to it; guarded by cache.changing
	counted int64    // its size as the cache counts it; guarded by cache.changing

	cacheControl, contentType, link, robots []string
}

// representation is a document in one coding.
type representation struct {
	once   sync.Once
	body   []byte
	etag   string
	size   atomic.Int64
	header representationHeader
	lane   [2]atomic.Pointer[[]byte] // header fields of 304 and 200 responses, for Lane
	sheet  atomic.Value              // *sheet, for loops
}

type representationHeader struct {
	etag, length, encoding []string
}

// hash is a document's ETag without quotes and coding.
func hash(body []byte) string {
	sum := sha256.Sum256(body)
	return base64.RawURLEncoding.EncodeToString(sum[:15])
}

// describe sets the headers that all codings share.
func (d *document) describe(body []byte, mediaType string, maxAge time.Duration, private bool) {
	d.contentType = []string{mediaType}
	d.cacheControl = []string{cacheControl(maxAge, private)}
	if private {
		d.robots = []string{"noindex, nofollow"}
	}
	tag := hash(body)
	for c := range d.codings {
		rep := &d.codings[c]
		rep.etag = `"` + tag + codingSuffix[c] + `"`
		rep.header.etag = []string{rep.etag}
		if coding(c) != identity {
			rep.header.encoding = []string{codingName[c]}
		}
	}
	d.codings[identity].set(body)
	d.codings[identity].once.Do(func() {})
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

func (r *representation) set(body []byte) {
	r.body = body
	r.header.length = []string{strconv.Itoa(len(body))}
	r.size.Store(int64(len(body)))
}

// in returns the document in a coding, which is made on first use.
func (d *document) in(c coding) *representation {
	rep := &d.codings[c]
	rep.once.Do(func() { rep.set(compress(c, d.codings[identity].body)) })
	return rep
}

// size is the memory that a document takes, in bytes.
func (d *document) size() int64 {
	total := int64(2048 + 8*len(d.members))
	for c := range d.codings {
		total += d.codings[c].size.Load()
	}
	return total
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
