package delivery

import (
	"context"
	"slices"
	"time"

	"github.com/tidings-press/tidings/internal/digest"
)

// CalendarEntry is an edition of a digest that exists, or a coming tick.
type CalendarEntry struct {
	At       time.Time // when it was or will be sent, in the timezone of the calendar
	Digest   string
	Edition  string       // id; empty for a tick without an edition yet
	Number   int          // of the edition; 0 without one
	State    digest.State // of the edition; empty without one
	Subject  string       // of the edition; empty without one
	Articles int          // of the edition, or that the tick's edition would hold
	Reason   string       // why a coming tick would make no edition
}

// calendarEditions bounds how many of a digest's editions are searched for those of a period.
const calendarEditions = 500

// Calendar returns the editions and coming ticks of all digests from one time until another, in order. At
// most MaxPlannedTicks of each digest are planned.
func (e *Engine) Calendar(ctx context.Context, from, until time.Time) ([]CalendarEntry, error) {
	var out []CalendarEntry
	for i := range e.Digests {
		entries, err := e.calendarOf(ctx, &e.Digests[i], from, until)
		if err != nil {
			return nil, err
		}
		out = append(out, entries...)
	}
	slices.SortStableFunc(out, func(a, b CalendarEntry) int { return a.At.Compare(b.At) })
	return out, nil
}

func (e *Engine) calendarOf(ctx context.Context, def *Definition, from, until time.Time) ([]CalendarEntry, error) {
	within := func(at time.Time) bool { return !at.Before(from) && at.Before(until) }
	editions, err := e.Store.Editions(ctx, def.Name, calendarEditions)
	if err != nil {
		return nil, err
	}
	var out []CalendarEntry
	for _, edition := range editions {
		at := issueDate(edition)
		if !edition.Started.IsZero() {
			at = edition.Started
		}
		if !within(at) {
			continue
		}
		whole, err := e.Store.Edition(ctx, edition.ID)
		if err != nil {
			return nil, err
		}
		out = append(out, CalendarEntry{
			At: at.In(from.Location()), Digest: def.Name, Edition: edition.ID, Number: edition.Number, State: edition.State,
			Subject: edition.Subject, Articles: len(whole.Articles),
		})
	}
	if def.Schedule == nil || !until.After(e.Store.Now()) {
		return out, nil
	}
	n := 0
	for _, tick := range def.Schedule.NextN(e.Store.Now(), MaxPlannedTicks) {
		if tick.At.Before(until) {
			n++
		}
	}
	ticks, err := e.Plan(ctx, def.Name, n)
	if err != nil {
		return nil, err
	}
	for i := range ticks {
		if tick := &ticks[i]; within(tick.At) && (tick.Edition == "" || tick.Joins) {
			out = append(out, CalendarEntry{At: tick.At.In(from.Location()), Digest: def.Name, Articles: len(tick.Articles), Reason: tick.Reason})
		}
	}
	return out, nil
}
