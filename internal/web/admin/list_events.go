package admin

import (
	"net/http"

	"github.com/tidings-press/tidings/internal/store"
)

// listEvents streams the progress of a list as server-sent events: "list-state" with the HTML of its
// state and report, and "end" as the last event.
func (h *Handler) listEvents(w http.ResponseWriter, r *http.Request, _ store.Session) error {
	if _, err := h.requestedList(r); err != nil {
		return err
	}
	s := h.openStream(w)
	if r.Method == http.MethodHead {
		return nil
	}
	lines := int64(-1)
	return h.follow(s, r, "a list", func() (ended bool, err error) {
		p, err := h.requestedList(r)
		if err == nil && (p.List.Report.Lines != lines || !p.Running()) {
			lines = p.List.Report.Lines
			if err = h.fillListState(r.Context(), &p); err == nil {
				s.sendPart("list-state", p)
			}
		}
		return !p.Running(), err
	})
}
