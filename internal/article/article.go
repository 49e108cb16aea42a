// Package article holds the article: one stored piece of writing, its states, its
// addresses and the words it is found by. Start with Article; Filter and ParseFilter
// select the articles of a feed or a digest. Package ingest makes articles of files.
//
// The package does no I/O.
package article

import (
	"strings"
	"time"

	"golang.org/x/text/unicode/bidi"
)

// Status is who may see an article.
type Status string

// The states of an article. A removed article keeps its row, so that its page can answer
// 410 and its feeds can carry a tombstone (RFC 6721). An article that was removed before
// readers could see it is withdrawn: no page and no feed mentions it.
const (
	Draft     Status = "draft"
	Published Status = "published"
	Unlisted  Status = "unlisted" // found by its address only: in no feed, list, search or edition
	Removed   Status = "removed"
	Withdrawn Status = "withdrawn"
)

// Article is one stored piece.
//
// Text fields are valid UTF-8 without control characters. HTML is sanitized and
// well formed. URLs that point at this site are root-relative ("/media/…",
// "/articles/…"), so that a change of the site's address never leaves old ones
// behind; all others are absolute. BodyFor and URLFor make them absolute.
type Article struct {
	ID     string // UUID, made once at the first import; the feed entry id is "urn:uuid:" + ID
	Source string // where it was imported from, unique: re-import finds the article by it
	Slug   string // last element of its page's path, unique
	URL    string // canonical address when it is not the page on this site; else empty

	Title     string
	Summary   string // plain text
	HTML      string
	Language  string // BCP 47 tag in lower case primary subtag, such as "en" or "pt-BR"; empty if unknown
	Authors   []Author
	Tags      []string // as written, NFC; compared by TagKey
	Image     *Image
	Enclosure []Enclosure
	Origin    *Origin

	Published time.Time // as the author dates it; UTC, milliseconds
	Updated   time.Time // last change of content; never before Published's first value
	Ingested  time.Time // when this store first saw it
	Removed   time.Time // when it was removed or withdrawn; zero unless it is
	Expires   time.Time // when it is withdrawn by itself; zero for never
	Status    Status

	Hash string // of everything above that an import sets; equal hashes need no update

	// What the article is recognised by when its file has moved. They are not read
	// back from a store.
	GUID    string // the id that the file gives itself; may be empty
	Named   bool   // the file gives its slug; otherwise the slug follows from the file's name
	Content string // fingerprint of the words of the text
}

// Author is one writer of an article.
type Author struct {
	Name  string
	Email string
	URL   string
}

// Image is the picture that stands for an article.
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

// Medium is a file, such as an image beside a Markdown file, that an import
// brings along. It is served at /media/ + Name.
type Medium struct {
	Name   string // SHA-256 of Data in hex, and the file's extension
	Type   string // media type
	Data   []byte
	Width  int // pixels, for images
	Height int
}

// Redirect is an old path on this site that leads to an article permanently.
type Redirect struct {
	From string // path, such as "/articles/old-slug"
	To   string // path or absolute URL
}

// Listed reports whether readers find the article at a moment: in feeds, lists,
// searches and editions.
func (a *Article) Listed(now time.Time) bool {
	return a.Status == Published && a.current(now)
}

// Readable reports whether the article's page is shown at a moment. That of an
// unlisted article is, to those who have its address.
func (a *Article) Readable(now time.Time) bool {
	return (a.Status == Published || a.Status == Unlisted) && a.current(now)
}

func (a *Article) current(now time.Time) bool {
	return !a.Published.After(now) && (a.Expires.IsZero() || a.Expires.After(now))
}

// Scheduled is what StatusAt returns for an article that appears by itself later. No
// article is stored with it.
const Scheduled Status = "scheduled"

// Statuses are what StatusAt returns, as people are shown them.
var Statuses = []Status{Published, Scheduled, Unlisted, Draft, Withdrawn}

// StatusAt returns the status as people are shown it: one of Statuses. An article that
// was removed is withdrawn, and so is one whose time has run out.
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

// rightToLeft are the languages that are mostly written from right to left.
var rightToLeft = map[string]bool{
	"ar": true, "arc": true, "ckb": true, "dv": true, "fa": true, "he": true, "ks": true, "nqo": true,
	"ps": true, "sd": true, "syr": true, "ug": true, "ur": true, "yi": true,
}

// Direction returns "rtl" or "ltr": by the language, else by the first letter of
// the title that has a direction.
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
