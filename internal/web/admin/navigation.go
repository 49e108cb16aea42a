package admin

import (
	"slices"

	"github.com/tidings-press/tidings/internal/store"
	"github.com/tidings-press/tidings/internal/words"
)

// area is an entry of the navigation.
type area struct {
	Key   string // as in page.Nav; names the icon too
	Path  string
	Label words.Text
}

// areas are all entries of the navigation, in order. An editor's account stands below them.
var areas = []area{
	{"dashboard", "/admin/", words.T("Dashboard")},
	{"calendar", "/admin/calendar", words.T("Calendar")},
	{"articles", "/admin/articles", words.T("Articles")},
	{"digests", "/admin/digests", words.T("Digests")},
	{"messages", "/admin/messages", words.T("Messages")},
	{"subscribers", "/admin/subscribers", words.T("Subscribers")},
	{"feeds", "/admin/feeds", words.T("Feeds")},
	{"settings", "/admin/settings", words.T("Settings")},
	{"people", "/admin/people", words.T("People")},
	{"audit", "/admin/audit", words.T("Audit log")},
}

// areasOf returns the areas that have a page and that an editor may open.
func (h *Handler) areasOf(editor *store.Editor) []area {
	var out []area
	for _, one := range areas {
		if h.opens(editor, one.Path) {
			out = append(out, one)
		}
	}
	return out
}

// opens reports whether a path has a page of its own, and an editor may open it.
func (h *Handler) opens(editor *store.Editor, path string) bool {
	pattern := "GET " + path
	if path == "/admin/" {
		pattern += "{$}"
	}
	role, ok := h.roles[pattern]
	return ok && editor != nil && editor.Role.Includes(role)
}

// firstPage returns the first of some paths that an editor may open, or "".
func (h *Handler) firstPage(editor *store.Editor, paths ...string) string {
	if i := slices.IndexFunc(paths, func(path string) bool { return h.opens(editor, path) }); i >= 0 {
		return paths[i]
	}
	return ""
}
