package admin

import "github.com/tidings-press/tidings/internal/store"

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
	{"people", "/admin/people", "People"},
	{"audit", "/admin/audit", "Audit log"},
}

// areasOf returns the areas that have a page and that an editor may open.
func (h *Handler) areasOf(editor *store.Editor) []area {
	var out []area
	for _, one := range areas {
		pattern := "GET " + one.Path
		if one.Path == "/admin/" {
			pattern += "{$}"
		}
		if role, ok := h.roles[pattern]; ok && editor != nil && editor.Role.Includes(role) {
			out = append(out, one)
		}
	}
	return out
}
