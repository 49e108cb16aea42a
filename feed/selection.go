package feed

import (
	"time"
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
