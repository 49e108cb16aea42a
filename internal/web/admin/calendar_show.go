package admin

import (
	"net/http"
	"time"

	"github.com/tidings-press/tidings/internal/delivery"
	"github.com/tidings-press/tidings/internal/digest"
	"github.com/tidings-press/tidings/internal/store"
)

// calendarPage is the data of the calendar of all digests.
type calendarPage struct {
	Month          time.Time // its first day, in the site's timezone
	Previous, Next string    // months, such as 2026-12; empty at the ends
	Now            string    // the current month; empty if it is shown
	Days           []calendarDay
	Entries        int
}

// calendarDay is a day of the month.
type calendarDay struct {
	Date    time.Time
	Today   bool
	Entries []calendarEntry
	More    []calendarEntry // those that the grid has no space for
}

// calendarEntry is an entry with the title of its digest.
type calendarEntry struct {
	delivery.CalendarEntry
	Title string
}

const (
	// shownPerDay is how many entries of a day are shown at first.
	shownPerDay = 5
	// monthLayout is how addresses name a month.
	monthLayout = "2006-01"
	// firstYear and lastYear bound the calendar.
	firstYear, lastYear = 1990, 2200
)

// calendar shows a month of all digests: editions, coming times, proofs and skipped times.
func (h *Handler) calendar(w http.ResponseWriter, r *http.Request, session store.Session) error {
	now := h.store.Now().In(h.zone)
	body := calendarPage{Month: time.Date(now.Year(), now.Month(), 1, 0, 0, 0, 0, h.zone)}
	if text := r.URL.Query().Get("month"); text != "" {
		month, err := time.ParseInLocation(monthLayout, text, h.zone)
		if err != nil || month.Year() < firstYear || month.Year() > lastYear {
			return invalid("Unknown month", "The month in the address must be like 2026-12, and between 1990 and 2200.", "/admin/calendar")
		}
		body.Month = month
	}
	if current := now.Format(monthLayout); current != body.Month.Format(monthLayout) {
		body.Now = current
	}
	until := body.Month.AddDate(0, 1, 0)
	if before := body.Month.AddDate(0, -1, 0); before.Year() >= firstYear {
		body.Previous = before.Format(monthLayout)
	}
	if until.Year() <= lastYear {
		body.Next = until.Format(monthLayout)
	}
	entries, err := h.engine.Calendar(r.Context(), body.Month, until)
	if err != nil {
		return err
	}
	body.Entries = len(entries)
	for day := body.Month; day.Before(until); day = day.AddDate(0, 0, 1) {
		shown := calendarDay{Date: day, Today: day.Format(time.DateOnly) == now.Format(time.DateOnly)}
		for _, one := range entries {
			if one.At.Day() != day.Day() {
				continue
			}
			entry := calendarEntry{one, h.digestTitle(one.Digest)}
			if len(shown.Entries) < shownPerDay {
				shown.Entries = append(shown.Entries, entry)
			} else {
				shown.More = append(shown.More, entry)
			}
		}
		body.Days = append(body.Days, shown)
	}
	return h.show(w, http.StatusOK, "calendar_show", page{Title: "Calendar, " + body.Month.Format("January 2006"), Nav: "calendar", Editor: &session.Editor, Body: body})
}

// Column returns the column of the day in the grid: 1 for Monday.
func (d calendarDay) Column() int { return (int(d.Date.Weekday())+6)%7 + 1 }

// StateText returns what the entry is, in words.
func (e calendarEntry) StateText() string {
	switch e.Kind {
	case delivery.CalendarProof:
		return "proof"
	case delivery.CalendarSkipped:
		return "skipped"
	case delivery.CalendarTick:
		return "planned"
	}
	return e.State.Label()
}

// StateClass returns the class of the label.
func (e calendarEntry) StateClass() digest.State {
	if e.Kind == delivery.CalendarEdition {
		return e.State
	}
	return digest.State(e.Kind)
}
