package admin

import (
	"net/http"
	"net/url"
)

// area is an entry of the navigation.
type area struct {
	Key   string // as in page.Nav; names the icon too
	Path  string
	Label string // in English; the layout translates it
}

// areas are all entries of the navigation, in order. An editor's account stands below them.
var areas = []area{
	{"dashboard", "/admin/", "Dashboard"},
	{"calendar", "/admin/calendar", "Calendar"},
	{"articles", "/admin/articles", "Articles"},
	{"digests", "/admin/digests", "Digests"},
	{"messages", "/admin/messages", "Messages"},
	{"subscribers", "/admin/subscribers", "Subscribers"},
	{"feeds", "/admin/feeds", "Feeds"},
	{"settings", "/admin/settings", "Settings"},
	{"audit", "/admin/audit", "Audit log"},
}

// existing returns the areas that have a page.
func existing(all []area, routes *http.ServeMux) []area {
	var out []area
	for _, one := range all {
		_, pattern := routes.Handler(&http.Request{Method: http.MethodGet, URL: &url.URL{Path: one.Path}})
		if pattern != "/admin/" {
			out = append(out, one)
		}
	}
	return out
}
