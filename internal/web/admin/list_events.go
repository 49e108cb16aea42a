package admin

import (
	"net/http"
	"time"

	"github.com/tidings-press/tidings/internal/store"
)

// listPoll is how often a list that is being read is looked at for an open page.
const listPoll = 500 * time.Millisecond

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
	poll, keepAlive := time.NewTicker(listPoll), time.NewTicker(keepAliveInterval)
	defer poll.Stop()
	defer keepAlive.Stop()
	limit := time.NewTimer(streamLimit)
	defer limit.Stop()
	lines := int64(-1)
	for s.err == nil {
		p, err := h.requestedList(r)
		if err == nil && (p.List.Report.Lines != lines || !p.Running()) {
			lines = p.List.Report.Lines
			if err = h.fillListState(r.Context(), &p); err == nil {
				s.sendPart("list-state", p)
			}
		}
		switch {
		case err != nil && r.Context().Err() == nil:
			h.log.ErrorContext(r.Context(), "progress of a list not shown", "error", err)
			return nil
		case err == nil && !p.Running():
			s.send("end", nil)
			return nil
		}
		select {
		case <-poll.C:
		case <-keepAlive.C:
			s.write([]byte(":\n\n"))
		case <-limit.C:
			return nil
		case <-r.Context().Done():
			return nil
		}
	}
	return nil // the browser disconnected
}
