package admin

import (
	"context"
	"net/http"
	"time"

	"github.com/tidings-press/tidings/internal/store"
)

// fillQueue reads the article queue of a digest.
func (h *Handler) fillQueue(ctx context.Context, body *digestPage) (err error) {
	if body.Backlog, err = h.engine.Backlog(ctx, body.Name, time.Time{}); err == nil && !body.Backlog.Since.IsZero() {
		body.FirstDay = body.Backlog.Since.In(h.zone).Format(time.DateOnly)
	}
	return err
}

// formDay returns the date in a form field, in the site's timezone; zero if the field is
// empty.
func (h *Handler) formDay(r *http.Request, field, back string) (time.Time, error) {
	text := r.PostFormValue(field)
	if text == "" {
		return time.Time{}, nil
	}
	day, err := time.ParseInLocation(time.DateOnly, text, h.zone)
	if err != nil {
		return day, invalid("Invalid date", "Enter a date such as 2026-01-31.", back)
	}
	return day, nil
}

// markSeen removes the articles dated before a day from a digest's queue.
func (h *Handler) markSeen(w http.ResponseWriter, r *http.Request, session store.Session) error {
	d, err := h.requestedDigest(r)
	if err != nil {
		return err
	}
	back := "/admin/digests/" + d.Name
	before, err := h.formDay(r, "before", back)
	if err == nil && before.IsZero() {
		err = invalid("Nothing was marked", "Choose a date. Articles dated before it are marked as seen.", back)
	}
	if err != nil {
		return err
	}
	ctx := h.auditing(r.Context(), session.Editor, "digest.seen", "digest", d.Name, "dated before "+before.Format(time.DateOnly))
	n, err := h.engine.MarkSeen(ctx, d.Name, before)
	if err != nil {
		return conflict("Nothing was marked", err, back)
	}
	h.log.InfoContext(r.Context(), "articles marked as seen", "digest", d.Name, "before", before, "articles", n, "editor", session.Editor.ID)
	return redirectWithFlash(w, r, back, "seen")
}

// markUnseen puts all articles marked as seen back into the queue.
func (h *Handler) markUnseen(w http.ResponseWriter, r *http.Request, session store.Session) error {
	d, err := h.requestedDigest(r)
	if err != nil {
		return err
	}
	back := "/admin/digests/" + d.Name
	n, err := h.engine.MarkUnseen(h.auditing(r.Context(), session.Editor, "digest.unseen", "digest", d.Name, ""), d.Name, time.Time{})
	if err != nil {
		return conflict("Nothing was put back", err, back)
	}
	h.log.InfoContext(r.Context(), "articles put back into the queue", "digest", d.Name, "articles", n, "editor", session.Editor.ID)
	return redirectWithFlash(w, r, back, "unseen")
}

// setFirstDay changes the start date of a digest.
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
		return invalid("The start date was not changed", "Choose a date. Articles dated on or after it belong to this digest.", back)
	}
	ctx := h.auditing(r.Context(), session.Editor, "digest.start", "digest", d.Name, day.Format(time.DateOnly))
	if err := h.engine.SetBeginning(ctx, d.Name, day); err != nil {
		return conflict("The start date was not changed", err, back)
	}
	h.log.InfoContext(r.Context(), "start date of a digest changed", "digest", d.Name, "day", day, "editor", session.Editor.ID)
	return redirectWithFlash(w, r, back, "begins")
}
