package delivery

import (
	"context"
	"slices"
	"time"

	"github.com/tidings-press/tidings/internal/digest"
	"github.com/tidings-press/tidings/internal/words"
)

// CalendarKind is what a calendar shows at a time.
type CalendarKind string

// The kinds of calendar entries.
const (
	CalendarEdition CalendarKind = "edition" // exists; it was or will be sent then
	CalendarTick    CalendarKind = "planned" // a coming tick without an edition yet
	CalendarProof   CalendarKind = "proof"   // the articles of a coming tick are chosen, and editors get a proof
	CalendarSkipped CalendarKind = "skipped" // a past tick that made no edition
)

// CalendarEntry is a time in the calendar of all digests.
type CalendarEntry struct {
	Kind     CalendarKind
	At       time.Time // in the timezone of the calendar
	Digest   string
	Edition  string       // id; empty for a tick without an edition yet
	Number   int          // of the edition; 0 without one
	State    digest.State // of the edition; empty without one
	Subject  string       // of the edition; empty without one
	Articles int          // of the edition, or that the tick's edition would hold
	Reason   words.Text   // why a tick makes no edition
	Message  bool         // the edition is a message
}

// calendarLimit bounds how many of a digest's editions and past ticks are searched for those of a
// period.
const calendarLimit = 500

// Calendar returns the editions, coming ticks, proofs and skipped ticks of all digests from one time
// until another, in order. At most MaxPlannedTicks of each digest are planned.
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
	var out []CalendarEntry
	for _, list := range []func(context.Context, *Definition, time.Time, time.Time) ([]CalendarEntry, error){e.calendarEditions, e.calendarSkipped, e.calendarTicks} {
		entries, err := list(ctx, def, from, until)
		if err != nil {
			return nil, err
		}
		for _, one := range entries {
			if !one.At.Before(from) && one.At.Before(until) {
				one.At, one.Digest = one.At.In(from.Location()), def.Name
				out = append(out, one)
			}
		}
	}
	return out, nil
}

// calendarEditions returns the editions of a digest. Those outside the period are without their
// articles.
func (e *Engine) calendarEditions(ctx context.Context, def *Definition, from, until time.Time) ([]CalendarEntry, error) {
	editions, err := e.Store.Editions(ctx, def.Name, calendarLimit)
	if err != nil {
		return nil, err
	}
	var out []CalendarEntry
	for _, edition := range editions {
		at := editionDate(edition)
		if !edition.Started.IsZero() {
			at = edition.Started
		}
		if at.Before(from) || !at.Before(until) {
			continue
		}
		whole, err := e.Store.Edition(ctx, edition.ID)
		if err != nil {
			return nil, err
		}
		out = append(out, CalendarEntry{
			Kind: CalendarEdition, At: at, Edition: edition.ID, Number: edition.Number, State: edition.State, Subject: edition.Subject, Articles: len(whole.Articles), Message: edition.IsMessage(),
		})
	}
	return out, nil
}

// calendarSkipped returns the past ticks of a digest that made no edition.
func (e *Engine) calendarSkipped(ctx context.Context, def *Definition, _, _ time.Time) ([]CalendarEntry, error) {
	ticks, err := e.Store.Ticks(ctx, def.Name, calendarLimit)
	var out []CalendarEntry
	for _, tick := range ticks {
		if tick.Edition == "" {
			out = append(out, CalendarEntry{Kind: CalendarSkipped, At: tick.At, Reason: words.T("{0}", words.Stored(tick.Reason))})
		}
	}
	return out, err
}

// calendarTicks returns the coming ticks of a digest, and when their editions are drafted if that is
// earlier.
func (e *Engine) calendarTicks(ctx context.Context, def *Definition, _, until time.Time) ([]CalendarEntry, error) {
	now := e.Store.Now()
	if def.Schedule == nil || !until.After(now) {
		return nil, nil
	}
	n := 0
	for _, tick := range def.Schedule.NextN(now, MaxPlannedTicks) {
		if tick.At.Before(until.Add(def.DraftBefore)) {
			n++
		}
	}
	ticks, err := e.plan(ctx, def, n, false)
	if err != nil {
		return nil, err
	}
	var out []CalendarEntry
	for i := range ticks {
		tick := &ticks[i]
		if tick.Edition != "" && !tick.Joins {
			continue
		}
		entry := CalendarEntry{Kind: CalendarTick, At: tick.At, Articles: len(tick.Articles), Reason: tick.Reason}
		out = append(out, entry)
		if def.DraftBefore > 0 && tick.Reason.IsZero() {
			entry.Kind, entry.At = CalendarProof, tick.DraftAt
			out = append(out, entry)
		}
	}
	return out, nil
}
