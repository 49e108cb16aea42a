package admin

import (
	"context"
	"net/http"
	"time"

	"github.com/tidings-press/tidings/internal/store"
)

// fillQueue fills in the articles that wait for a digest.
func (h *Handler) fillQueue(ctx context.Context, body *digestPage) (err error) {
	if body.Backlog, err = h.engine.Backlog(ctx, body.Name, time.Time{}); err == nil && !body.Backlog.Since.IsZero() {
		body.FirstDay = body.Backlog.Since.In(h.zone).Format(time.DateOnly)
	}
	return err
}

// formDay returns the day in a field of a form, in the site's timezone; zero when the
// field is empty.
func (h *Handler) formDay(r *http.Request, field, back string) (time.Time, error) {
	text := r.PostFormValue(field)
	if text == "" {
		return time.Time{}, nil
	}
	day, err := time.ParseInLocation(time.DateOnly, text, h.zone)
	if err != nil {
		return day, invalid("Not a date", "Write the day like 2026-01-31.", back)
	}
	return day, nil
}

// markSeen takes the articles that are dated before a day out of a digest's queue.
func (h *Handler) markSeen(w http.ResponseWriter, r *http.Request, session store.Session) error {
	d, err := h.requestedDigest(r)
	if err != nil {
		return err
	}
	back := "/admin/digests/" + d.Name
	before, err := h.formDay(r, "before", back)
	if err == nil && before.IsZero() {
		err = invalid("Nothing was marked", "Choose a day: articles dated before it are marked as seen.", back)
	}
	if err != nil {
		return err
	}
	n, err := h.engine.MarkSeen(r.Context(), d.Name, before)
	if err != nil {
		return conflict("Nothing was marked", err, back)
	}
	h.log.Info("articles marked as seen", "digest", d.Name, "before", before, "articles", n, "editor", session.Editor.ID)
	return redirectWithNotice(w, r, back, "seen")
}

// markUnseen puts all articles that were marked as seen back into the queue.
func (h *Handler) markUnseen(w http.ResponseWriter, r *http.Request, session store.Session) error {
	d, err := h.requestedDigest(r)
	if err != nil {
		return err
	}
	back := "/admin/digests/" + d.Name
	n, err := h.engine.MarkUnseen(r.Context(), d.Name, time.Time{})
	if err != nil {
		return conflict("Nothing was put back", err, back)
	}
	h.log.Info("articles put back into the queue", "digest", d.Name, "articles", n, "editor", session.Editor.ID)
	return redirectWithNotice(w, r, back, "unseen")
}

// setFirstDay changes the day from which on articles belong to a digest.
func (h *Handler) setFirstDay(w http.ResponseWriter, r *http.Request, session store.Session) error {
	d, err := h.requestedDigest(r)
	if err != nil {
		return err
	}
	back := "/admin/digests/" + d.Name
	day, err := h.formDay(r, "since", back)
	if err != nil {
		return err
	}
	if day.IsZero() {
		return invalid("The first day was not changed", "Choose the day from which on articles belong to this digest.", back)
	}
	if err := h.engine.SetBeginning(r.Context(), d.Name, day); err != nil {
		return conflict("The first day was not changed", err, back)
	}
	h.log.Info("first day of a digest changed", "digest", d.Name, "day", day, "editor", session.Editor.ID)
	return redirectWithNotice(w, r, back, "begins")
}
