package admin

import (
	"context"
	"net/http"
	"time"

	"github.com/tidings-press/tidings/internal/store"
)

// fillQueue fills in what waits for a digest.
func (room *Room) fillQueue(ctx context.Context, body *digestPage) (err error) {
	if body.Backlog, err = room.engine.Backlog(ctx, body.Name, time.Time{}); err == nil && !body.Backlog.Since.IsZero() {
		body.Begins = body.Backlog.Since.In(room.zone).Format(time.DateOnly)
	}
	return err
}

// day is a day that a form sends, in the site's timezone; zero for an empty one.
func (room *Room) day(r *http.Request, field, here string) (time.Time, error) {
	text := r.PostFormValue(field)
	if text == "" {
		return time.Time{}, nil
	}
	day, err := time.ParseInLocation(time.DateOnly, text, room.zone)
	if err != nil {
		return day, &refusal{http.StatusUnprocessableEntity, "That is no date", "Write the day as in 2026-01-31.", here, "Go back"}
	}
	return day, nil
}

// markSeen takes articles that are dated before a day out of a digest's queue.
func (room *Room) markSeen(w http.ResponseWriter, r *http.Request, who store.Session) error {
	d, err := room.wanted(r)
	if err != nil {
		return err
	}
	here := "/room/digests/" + d.Name
	before, err := room.day(r, "before", here)
	if err == nil && before.IsZero() {
		err = &refusal{http.StatusUnprocessableEntity, "Nothing was marked", "Choose a day: articles dated before it are marked as seen.", here, "Go back"}
	}
	if err != nil {
		return err
	}
	n, err := room.engine.MarkSeen(r.Context(), d.Name, before)
	if err != nil {
		return refuse("Nothing was marked", err, here)
	}
	room.log.Info("articles marked as seen", "digest", d.Name, "before", before, "articles", n, "editor", who.Editor.ID)
	return back(w, r, here, "seen")
}

// markUnseen puts the articles that were marked as seen back into the queue.
func (room *Room) markUnseen(w http.ResponseWriter, r *http.Request, who store.Session) error {
	d, err := room.wanted(r)
	if err != nil {
		return err
	}
	here := "/room/digests/" + d.Name
	n, err := room.engine.MarkUnseen(r.Context(), d.Name, time.Time{})
	if err != nil {
		return refuse("Nothing was put back", err, here)
	}
	room.log.Info("articles put back into the queue", "digest", d.Name, "articles", n, "editor", who.Editor.ID)
	return back(w, r, here, "unseen")
}

// moveBeginning says from which day on articles belong to a digest.
func (room *Room) moveBeginning(w http.ResponseWriter, r *http.Request, who store.Session) error {
	d, err := room.wanted(r)
	if err != nil {
		return err
	}
	here := "/room/digests/" + d.Name
	since, err := room.day(r, "since", here)
	if err != nil {
		return err
	}
	if since.IsZero() {
		return &refusal{http.StatusUnprocessableEntity, "The beginning stays where it is", "Choose the day from which on articles belong to this digest.", here, "Go back"}
	}
	if err := room.engine.Begin(r.Context(), d.Name, since); err != nil {
		return refuse("The beginning stays where it is", err, here)
	}
	room.log.Info("beginning moved", "digest", d.Name, "since", since, "editor", who.Editor.ID)
	return back(w, r, here, "begins")
}
