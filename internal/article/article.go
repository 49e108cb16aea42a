// Package article defines the article: one stored piece of writing with its status, URLs and
// search words. Start with Article. ParseFilter reads the filter that selects the articles of a
// feed or a digest. Package ingest imports articles from files.
//
// The package does no I/O.
package article

import (
	"strings"
	"time"

	"golang.org/x/text/unicode/bidi"
)

// Status is the stored status of an article: who may see it.
type Status string

// The states of an article. A removed article keeps its row, so that its page can answer
// 410 and its feeds can carry a tombstone (RFC 6721). An article that was removed before
// readers could see it is withdrawn: no page and no feed mentions it.
const (
	Draft     Status = "draft"
	Published Status = "published"
	Unlisted  Status = "unlisted" // reachable by its URL, but in no feed, list, search or edition
	Removed   Status = "removed"
	Withdrawn Status = "withdrawn"
)

// Article is one stored piece of writing.
//
// Text fields are valid UTF-8 without control characters. HTML is sanitized and
// well formed. URLs that point at this site are root-relative ("/media/…",
// "/articles/…"), so that they stay valid when the site's address
// changes; all others are absolute. BodyFor and URLFor make them absolute.
type Article struct {
	ID     string // UUID, made once at the first import; the feed entry id is "urn:uuid:" + ID
	Source string // where it was imported from; unique, so that a second import finds the article
	Slug   string // last element of the path of its page; unique
	URL    string // canonical URL if it is not the page on this site; else empty

	Title     string
	Summary   string // plain text
	HTML      string
	Language  string // BCP 47 tag, such as "en" or "pt-BR"; empty if unknown
	Authors   []Author
	Tags      []string // as written, in NFC; compare them by TagKey
	Image     *Image
	Enclosure []Enclosure
	Origin    *Origin
	Episode   *Episode // nil unless the article is an episode of a podcast
	Weight    int      `json:",omitempty"` // in digests ordered by weight, lower weights come first; 0 for none, which comes last

	Published time.Time // date given by the author; UTC, in milliseconds
	Updated   time.Time // last change of the content; not before the first value of Published
	Ingested  time.Time // when this store first saw it
	Removed   time.Time // when it was removed or withdrawn; zero unless it is
	Expires   time.Time // when it is withdrawn automatically; zero for never
	Status    Status

	Hash string // of all fields above that an import sets; if it is equal, no update is needed

	// The fields by which an article is recognised after its file was moved. They are not read
	// back from the store.
	GUID    string // id in the front matter; may be empty
	Named   bool   // the front matter gives the slug; otherwise it is made from the name of the file
	Content string // fingerprint of the words of the text

	// Translation is what the translations of one article have in common; empty for none. It is
	// not read back from the store.
	Translation string
	// Translations are the public articles with the same Translation, one for each other
	// language. store.AddTranslations sets it.
	Translations []Translation
}

// Translation is an article in another language.
type Translation struct {
	Language string // BCP 47 tag; empty if unknown
	URL      string // path of its page here, or its canonical URL
}

// Author is one writer of an article.
type Author struct {
	Name     string
	Email    string
	URL      string
	Portrait string `json:",omitempty"` // URL of a picture, or the path of a stored one
}

// Image is the lead picture of an article.
type Image struct {
	URL           string
	Alt           string
	Type          string // media type, such as "image/png"
	Bytes         int64  // 0 if unknown
	Width, Height int    // pixels, 0 if unknown
}

// Enclosure is a file that belongs to an article, such as a podcast episode.
type Enclosure struct {
	URL      string
	Title    string
	Type     string        // media type
	Bytes    int64         // 0 if unknown
	Duration time.Duration // 0 if unknown
}

// Origin names the publication that an article first came from.
type Origin struct {
	Title   string
	URL     string
	FeedURL string
}

// Medium is a file that is imported with an article, such as an image beside a Markdown file.
// It is served at /media/ + Name.
type Medium struct {
	Name   string // SHA-256 of Data in hex and the extension of the file
	Type   string // media type
	Data   []byte
	Width  int // pixels, for images
	Height int
}

// Redirect is a permanent redirect from an old path on this site to an article.
type Redirect struct {
	From string // path, such as "/articles/old-slug"
	To   string // path or absolute URL
}

// Listed reports whether the article is in feeds, lists, searches and editions at a time.
func (a *Article) Listed(now time.Time) bool {
	return a.Status == Published && a.current(now)
}

// Readable reports whether the page of the article is shown at a time. This includes unlisted
// articles.
func (a *Article) Readable(now time.Time) bool {
	return (a.Status == Published || a.Status == Unlisted) && a.current(now)
}

// current reports whether the article is already published and not yet expired at a time,
// whatever its status.
func (a *Article) current(now time.Time) bool {
	return !a.Published.After(now) && (a.Expires.IsZero() || a.Expires.After(now))
}

// Scheduled is the result of StatusAt for an article that will appear later. It is never
// stored.
const Scheduled Status = "scheduled"

// Statuses lists the results of StatusAt.
var Statuses = []Status{Published, Scheduled, Unlisted, Draft, Withdrawn}

// StatusAt returns the status to show at a time: one of Statuses. Removed and expired articles
// are withdrawn.
func (a *Article) StatusAt(now time.Time) Status {
	switch {
	case a.Status == Removed, a.Status == Withdrawn:
		return Withdrawn
	case a.Status == Draft:
		return Draft
	case !a.Expires.IsZero() && !a.Expires.After(now):
		return Withdrawn
	case a.Published.After(now):
		return Scheduled
	}
	return a.Status
}

// rightToLeft holds the languages that are usually written from right to left.
var rightToLeft = map[string]bool{
	"ar": true, "arc": true, "ckb": true, "dv": true, "fa": true, "he": true, "ks": true, "nqo": true,
	"ps": true, "sd": true, "syr": true, "ug": true, "ur": true, "yi": true,
}

// Direction returns the text direction, "rtl" or "ltr". It follows the language, or if that is
// unknown, the first letter of the title that has a direction.
func (a *Article) Direction() string {
	if a.Language != "" {
		primary, _, _ := strings.Cut(strings.ToLower(a.Language), "-")
		if rightToLeft[primary] {
			return "rtl"
		}
		return "ltr"
	}
	for _, r := range a.Title {
		p, _ := bidi.LookupRune(r)
		switch p.Class() {
		case bidi.L:
			return "ltr"
		case bidi.R, bidi.AL:
			return "rtl"
		}
	}
	return "ltr"
}
