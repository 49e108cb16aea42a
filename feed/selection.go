package feed

import (
	"cmp"
	"time"

	"github.com/tidings-press/tidings/internal/article"
)

// Selection is the content of one document: the newest items of a feed, or one
// page of its archive.
type Selection struct {
	Site       Site
	Definition Definition
	Items      []Item // shown in the order of their dates, newest first
	Removed    []Item // tombstones (RFC 6721), for Atom, the last removed first
	Page       Page
}

// Page is the position of a document in the history of its feed (RFC 5005, section 4).
type Page struct {
	Cursor string // of this archive page; empty for the newest document
	Older  string // cursor of the next older page; empty when there is none
	Newer  string // only for the oldest page: cursor of the next newer page; empty when that is the newest document
}

// Archive reports whether the document is a page of the archive.
func (p Page) Archive() bool { return p.Cursor != "" }

// Prepared is a selection that is ready to be rendered: with sanitized text and HTML,
// absolute addresses and final dates. It does not change and may be shared.
type Prepared struct {
	selection  Selection
	entries    []entry
	tombstones []tombstone
	updated    time.Time
	rate       updateRate
}

// Updated returns the time of the newest change in the document. It depends only on the
// articles, not on the clock.
func (p *Prepared) Updated() time.Time { return p.updated }

// Len returns the number of items.
func (p *Prepared) Len() int { return len(p.entries) }

// Position is the position of an article in the order of appearance: when readers could
// first see it, and an insertion number for ties. An article that appears later always has a
// higher position, whatever its date, so that archive pages stay the same while articles
// arrive.
type Position struct {
	Appeared int64 // Unix milliseconds: the later of publication and ingestion
	Seq      int64
}

// Compare returns -1, 0 or 1; older positions are smaller.
func (p Position) Compare(q Position) int {
	return cmp.Or(cmp.Compare(p.Appeared, q.Appeared), cmp.Compare(p.Seq, q.Seq))
}

// IsZero reports whether p is the zero value, which stands for no position.
func (p Position) IsZero() bool { return p == Position{} }

// Item is an article and its position. The position of a removed article is the time of its
// removal.
type Item struct {
	Article  article.Article
	Position Position
}
