package admin

import (
	"net/http"
	"time"

	"github.com/tidings-press/tidings/internal/delivery"
	"github.com/tidings-press/tidings/internal/digest"
	"github.com/tidings-press/tidings/internal/store"
	"github.com/tidings-press/tidings/internal/words"
)

// calendarPage is the data of the calendar of all digests: a month or a week.
type calendarPage struct {
	Week           bool
	From, Until    time.Time // the first day, and the day after the last one, in the site's timezone
	Previous, Next string    // addresses; empty at the ends
	Now            string    // address of the current month or week; empty if it is shown
	OtherView      string    // address of the week or the month about the same time
	Days           []calendarDay
	Entries        int
	Digests        bool // there is a digest
}

// LastDay returns the last day.
func (p calendarPage) LastDay() time.Time { return p.Until.AddDate(0, 0, -1) }

// calendarDay is a day of the calendar.
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
	// shownPerDay is how many entries of a day of a month are shown at first; a week has more space.
	shownPerDay, shownPerDayOfWeek = 5, 20
	// monthLayout is how addresses name a month; a week is named by its Monday.
	monthLayout = "2006-01"
	// firstYear and lastYear bound the calendar.
	firstYear, lastYear = 1990, 2200
)

// calendar shows a month or a week of all digests: editions, messages, coming times, proofs and
// skipped times.
func (h *Handler) calendar(w http.ResponseWriter, r *http.Request, session store.Session) error {
	now := h.store.Now().In(h.zone)
	body, err := h.calendarPeriod(r, now)
	if err != nil {
		return err
	}
	entries, err := h.engine.Calendar(r.Context(), body.From, body.Until)
	if err != nil {
		return err
	}
	body.Entries, body.Digests = len(entries), len(h.config.Digests) > 0
	for day := body.From; day.Before(body.Until); day = day.AddDate(0, 0, 1) {
		body.Days = append(body.Days, h.calendarDay(day, day.Format(time.DateOnly) == now.Format(time.DateOnly), entries, body.Week))
	}
	title := words.T("Calendar, {0}", h.words(w).Month(body.From))
	if body.Week {
		title = words.T("Calendar, week of {0}", h.words(w).Day(body.From))
	}
	return h.show(w, http.StatusOK, "calendar_show", page{Title: title, Nav: "calendar", Editor: &session.Editor, Body: body})
}

// calendarDay returns a day with its entries among those of the period.
func (h *Handler) calendarDay(day time.Time, today bool, entries []delivery.CalendarEntry, week bool) calendarDay {
	out, space := calendarDay{Date: day, Today: today}, shownPerDay
	if week {
		space = shownPerDayOfWeek
	}
	for _, one := range entries {
		if one.At.Format(time.DateOnly) != day.Format(time.DateOnly) {
			continue
		}
		entry := calendarEntry{one, h.digestTitle(one.Digest)}
		if len(out.Entries) < space {
			out.Entries = append(out.Entries, entry)
		} else {
			out.More = append(out.More, entry)
		}
	}
	return out
}

// calendarPeriod returns the month or week that a request asks for, without its days.
func (h *Handler) calendarPeriod(r *http.Request, now time.Time) (calendarPage, error) {
	month, week := r.URL.Query().Get("month"), r.URL.Query().Get("week")
	switch {
	case week == "now":
		return h.calendarWeek(now, now), nil
	case week != "":
		day, err := time.ParseInLocation(time.DateOnly, week, h.zone)
		if err != nil || day.Year() < firstYear || day.Year() > lastYear {
			return calendarPage{}, invalid("Unknown week", "The week in the address must be like 2026-12-07, and between 1990 and 2200.", "/admin/calendar")
		}
		return h.calendarWeek(day, now), nil
	case month != "":
		day, err := time.ParseInLocation(monthLayout, month, h.zone)
		if err != nil || day.Year() < firstYear || day.Year() > lastYear {
			return calendarPage{}, invalid("Unknown month", "The month in the address must be like 2026-12, and between 1990 and 2200.", "/admin/calendar")
		}
		return h.calendarMonth(day, now), nil
	}
	return h.calendarMonth(now, now), nil
}

// calendarMonth returns the month of a day.
func (h *Handler) calendarMonth(day, now time.Time) calendarPage {
	p := calendarPage{From: time.Date(day.Year(), day.Month(), 1, 0, 0, 0, 0, h.zone)}
	p.Until = p.From.AddDate(0, 1, 0)
	address := func(t time.Time) string { return "/admin/calendar?month=" + t.Format(monthLayout) }
	p.OtherView = "/admin/calendar?week=" + p.From.Format(time.DateOnly)
	if p.From.Format(monthLayout) == now.Format(monthLayout) {
		p.OtherView = "/admin/calendar?week=now"
	} else {
		p.Now = "/admin/calendar"
	}
	p.setNeighbours(p.From.AddDate(0, -1, 0), address)
	return p
}

// calendarWeek returns the week of a day, from Monday.
func (h *Handler) calendarWeek(day, now time.Time) calendarPage {
	monday := func(t time.Time) time.Time {
		return time.Date(t.Year(), t.Month(), t.Day()-weekday(t)+1, 0, 0, 0, 0, h.zone)
	}
	p := calendarPage{Week: true, From: monday(day)}
	p.Until = p.From.AddDate(0, 0, 7)
	address := func(t time.Time) string { return "/admin/calendar?week=" + t.Format(time.DateOnly) }
	p.OtherView = "/admin/calendar?month=" + p.From.Format(monthLayout)
	if !p.From.Equal(monday(now)) {
		p.Now = "/admin/calendar?week=now"
	}
	p.setNeighbours(p.From.AddDate(0, 0, -7), address)
	return p
}

// setNeighbours sets the addresses of the periods before and after.
func (p *calendarPage) setNeighbours(before time.Time, address func(time.Time) string) {
	if before.Year() >= firstYear {
		p.Previous = address(before)
	}
	if p.Until.Year() <= lastYear {
		p.Next = address(p.Until)
	}
}

// weekday returns the number of a day in its week: 1 for Monday.
func weekday(t time.Time) int { return (int(t.Weekday())+6)%7 + 1 }

// Column returns the column of the day in the grid: 1 for Monday.
func (d calendarDay) Column() int { return weekday(d.Date) }

// StateText returns what the entry is, in words.
func (e calendarEntry) StateText() words.Text {
	switch e.Kind {
	case delivery.CalendarProof:
		return words.T("proof")
	case delivery.CalendarSkipped:
		return words.T("skipped")
	case delivery.CalendarTick:
		return words.T("planned")
	}
	return words.T(e.State.Label())
}

// StateClass returns the class of the label.
func (e calendarEntry) StateClass() digest.State {
	if e.Kind == delivery.CalendarEdition {
		return e.State
	}
	return digest.State(e.Kind)
}
