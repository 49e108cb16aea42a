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

// Page says where a document stands in the history of its feed (RFC 5005,
// section 4).
type Page struct {
	Cursor string // of this archive page; empty for the newest document
	Older  string // cursor of the next older page; empty when there is none
	Newer  string // of the oldest page: cursor of the page before it; empty when that is the newest document
}

// Archive reports whether the document is a page of the archive.
func (p Page) Archive() bool { return p.Cursor != "" }

// Prepared is a selection that is ready to be rendered: text and HTML cleaned,
// addresses absolute, dates settled. It is read only and may be shared.
type Prepared struct {
	selection Selection
	entries   []entry
	stones    []tombstone
	updated   time.Time
	rhythm    rhythm
}

// Updated is when the newest change of what the document shows happened. It
// depends on the articles only, never on the clock.
func (p *Prepared) Updated() time.Time { return p.updated }

// Len is the number of items.
func (p *Prepared) Len() int { return len(p.entries) }

// Position is the place of an article in the order of appearance: when readers
// could first see it, and an insertion number for ties. What appears later
// always has a higher position, whatever date its author gives it; that keeps
// archive pages stable while new articles arrive.
type Position struct {
	Appeared int64 // Unix milliseconds: the later of publication and ingestion
	Seq      int64
}

// Compare orders positions, the older first.
func (p Position) Compare(q Position) int {
	return cmp.Or(cmp.Compare(p.Appeared, q.Appeared), cmp.Compare(p.Seq, q.Seq))
}

// IsZero reports whether p is no position.
func (p Position) IsZero() bool { return p == Position{} }

// Item is an article at its position. That of a removed one is when it was removed.
type Item struct {
	Article  article.Article
	Position Position
}
