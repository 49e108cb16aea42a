package feed

import (
	"time"

	"github.com/tidings-press/tidings/internal/article"
)

// DefaultLimit is the number of items in a feed without a limit of its own.
const DefaultLimit = 50

// Site describes the publication in every feed.
type Site struct {
	Title       string
	Description string
	URL         string // public address without a last slash; links are made from it, never from requests
	Language    string // BCP 47
	Copyright   string
	Editor      string // "Name <address>"
	Webmaster   string // "Name <address>"
	Icon        string // URL of a square picture
	Image       string // URL of the publication's logo
	Hubs        []string
	// NoTombstones omits the tombstones of removed articles (RFC 6721) from Atom documents.
	NoTombstones bool
	// Identity is the key that ids of feeds are made with: a secret of the store, the same
	// on every node, so that ids do not depend on the site's address.
	Identity []byte
}

// Kind is what a feed selects by.
type Kind string

// The kinds of feeds. Each has paths of its own; see Definition.Base.
const (
	Everything Kind = "all"
	Named      Kind = "feeds"
	ByTag      Kind = "tags"
	ByAuthor   Kind = "authors"
	ByLanguage Kind = "languages"
	BySearch   Kind = "search"
	ByMatch    Kind = "filter"
	ByDigest   Kind = "digests"
	Private    Kind = "private"
)

// Definition defines a feed: what it selects, and how the items are shown.
type Definition struct {
	Kind        Kind
	Name        string // the name of a feed or digest; a tag, author, language, search or expression; a token
	Title       string // empty for one made from the kind and name
	Description string
	Filter      article.Filter
	Limit       int    // items in the newest document and about as many in an archive page; DefaultLimit when 0
	SummaryOnly bool   // show summaries, never full content
	Language    string // the site's when empty
	MaxAge      time.Duration
	Podcast     *Podcast
	Home        string // path or URL of the HTML page of the same articles; the site's front page when empty
}

// Podcast makes a feed a podcast: Apple's elements and those of the Podcasting 2.0 namespace are
// added.
type Podcast struct {
	Author   string
	Owner    string // "Name <address>"
	Image    string // URL, square
	Category string // such as "News", or "Arts > Design"
	Explicit bool
	Type     string // episodic or serial
	Subtitle string
	Block    bool
	Complete bool
	Locked   bool
	GUID     string // empty for one made from the address of the feed
	Persons  []article.Person
}

// Announced reports whether hubs are notified when the feed changes. Only then do its
// documents name hubs, since a subscriber that finds a hub stops polling. Changes of searches
// and expressions are not tracked, since their number is unlimited.
func (d *Definition) Announced() bool {
	switch d.Kind {
	case BySearch, ByMatch, Private:
		return false
	}
	return true
}
