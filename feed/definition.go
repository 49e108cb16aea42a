package feed

import (
	"time"

	"github.com/tidings-press/tidings/internal/article"
)

// DefaultLimit is how many items a feed shows that names no limit of its own.
const DefaultLimit = 50

// Site is what every feed says of the publication.
type Site struct {
	Title       string
	Description string
	URL         string // public address without a last slash; links come from here, never from requests
	Language    string // BCP 47
	Copyright   string
	Editor      string // "Name <address>"
	Webmaster   string // "Name <address>"
	Icon        string // URL of a square picture
	Image       string // URL of a picture that stands for the publication
	Hubs        []string
	// NoTombstones has Atom documents keep silent on removed articles (RFC 6721).
	NoTombstones bool
	// Identity makes the ids of feeds: a secret of the store, the same on every
	// node, so that ids survive a change of the site's address.
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

// Definition is a feed: what it selects and how it shows it.
type Definition struct {
	Kind        Kind
	Name        string // of a feed or digest; a tag, author, language, search or expression as it is spelled; a token
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

// Podcast makes a feed a podcast: Apple's itunes elements are added.
type Podcast struct {
	Author   string
	Owner    string // "Name <address>"
	Image    string // URL, square
	Category string // such as "News", or "Arts > Design"
	Explicit bool
	Type     string // episodic or serial
}

// Announced reports whether hubs are told when the feed changes. Its documents name
// hubs only then: a subscriber who finds one stops polling. There is no end of
// searches and expressions that an address may hold, so nobody watches those.
func (d *Definition) Announced() bool {
	switch d.Kind {
	case BySearch, ByMatch, Private:
		return false
	}
	return true
}
