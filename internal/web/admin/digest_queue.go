package admin

import (
	"context"
	"net/http"
	"time"

	"github.com/tidings-press/tidings/internal/store"
)

// fillQueue fills in what waits for a digest.
func (h *Handler) fillQueue(ctx context.Context, body *digestPage) (err error) {
	if body.Backlog, err = h.engine.Backlog(ctx, body.Name, time.Time{}); err == nil && !body.Backlog.Since.IsZero() {
		body.Begins = body.Backlog.Since.In(h.zone).Format(time.DateOnly)
	}
	return err
}

// day is a day that a form sends, in the site's timezone; zero for an empty one.
func (h *Handler) day(r *http.Request, field, here string) (time.Time, error) {
	text := r.PostFormValue(field)
	if text == "" {
		return time.Time{}, nil
	}
	day, err := time.ParseInLocation(time.DateOnly, text, h.zone)
	if err != nil {
		return day, invalid("That is no date", "Write the day as in 2026-01-31.", here)
	}
	return day, nil
}

// markSeen takes articles that are dated before a day out of a digest's queue.
func (h *Handler) markSeen(w http.ResponseWriter, r *http.Request, session store.Session) error {
	d, err := h.wanted(r)
	if err != nil {
		return err
	}
	here := "/admin/digests/" + d.Name
	before, err := h.day(r, "before", here)
	if err == nil && before.IsZero() {
		err = invalid("Nothing was marked", "Choose a day: articles dated before it are marked as seen.", here)
	}
	if err != nil {
		return err
	}
	n, err := h.engine.MarkSeen(r.Context(), d.Name, before)
	if err != nil {
		return conflict("Nothing was marked", err, here)
	}
	h.log.Info("articles marked as seen", "digest", d.Name, "before", before, "articles", n, "editor", session.Editor.ID)
	return redirectWithNotice(w, r, here, "seen")
}

// markUnseen puts the articles that were marked as seen back into the queue.
func (h *Handler) markUnseen(w http.ResponseWriter, r *http.Request, session store.Session) error {
	d, err := h.wanted(r)
	if err != nil {
		return err
	}
	here := "/admin/digests/" + d.Name
	n, err := h.engine.MarkUnseen(r.Context(), d.Name, time.Time{})
	if err != nil {
		return conflict("Nothing was put back", err, here)
	}
	h.log.Info("articles put back into the queue", "digest", d.Name, "articles", n, "editor", session.Editor.ID)
	return redirectWithNotice(w, r, here, "unseen")
}

// moveBeginning says from which day on articles belong to a digest.
func (h *Handler) setFirstDay(w http.ResponseWriter, r *http.Request, session store.Session) error {
	d, err := h.wanted(r)
	if err != nil {
		return err
	}
	here := "/admin/digests/" + d.Name
	since, err := h.day(r, "since", here)
	if err != nil {
		return err
	}
	if since.IsZero() {
		return invalid("The beginning stays where it is", "Choose the day from which on articles belong to this digest.", here)
	}
	if err := h.engine.SetBeginning(r.Context(), d.Name, since); err != nil {
		return conflict("The beginning stays where it is", err, here)
	}
	h.log.Info("beginning moved", "digest", d.Name, "since", since, "editor", session.Editor.ID)
	return redirectWithNotice(w, r, here, "begins")
}
