package article

import (
	"cmp"
	"strings"
	"time"
)

// BrowserSource begins the Source of every article that was written in the browser.
const BrowserSource = "browser:"

// The source keys of articles that come from no other site.
const (
	FromBrowser = "browser"
	FromFiles   = "files"
)

// maxSourceKey bounds the characters of a source key.
const maxSourceKey = 200

// SourceKey returns where an article comes from, in the form that From compares: FromBrowser if it was written
// in the browser, the title of the site in its Origin, or that site's address without one, and else FromFiles.
func SourceKey(a *Article) string {
	switch {
	case strings.HasPrefix(a.Source, BrowserSource):
		return FromBrowser
	case a.Origin == nil:
		return FromFiles
	}
	key := []rune(cmp.Or(a.Origin.Title, a.Origin.URL, FromFiles))
	return strings.TrimSpace(string(key[:min(len(key), maxSourceKey)]))
}

// Written is an article as an editor writes it in the browser: a Markdown text, and the fields
// that a file has in its front matter.
type Written struct {
	Title    string   `json:"title,omitempty"`
	Slug     string   `json:"slug,omitempty"` // empty to make it from the title
	Summary  string   `json:"summary,omitempty"`
	Image    string   `json:"image,omitempty"` // path or URL of the lead picture
	ImageAlt string   `json:"image_alt,omitempty"`
	Tags     []string `json:"tags,omitempty"`
	Authors  []string `json:"authors,omitempty"`  // names, or names with an address: Ada <ada@example.org>
	Language string   `json:"language,omitempty"` // BCP 47 tag; empty to detect it
	// TranslationOf is the id of an article in another language; empty for none.
	TranslationOf string    `json:"translation_of,omitempty"`
	Published     time.Time `json:"published,omitzero"` // zero for the time at which it is published
	Expires       time.Time `json:"expires,omitzero"`   // zero for never
	Unlisted      bool      `json:"unlisted,omitempty"`
	Text          string    `json:"text,omitempty"` // in Markdown
}
