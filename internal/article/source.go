package article

import (
	"cmp"
	"strings"
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
