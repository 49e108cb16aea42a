// Package schedule computes when a digest is due, from cron specs on the wall clock of a timezone.
// Parse reads a spec; Schedule.Next and Schedule.Latest return its ticks.
//
// The specs are those of robfig/cron: five fields (minute, hour, day of month,
// month, day of week), six with seconds first, or a descriptor such as @weekly or
// @every 90m. As in every cron, when both day of month and day of week are given,
// a day that fits either one fits.
//
// When clocks change, a spec with fixed hours ("30 2 * * *") follows the wall clock: a time that
// the clock skips in spring fires once, later by the length of the jump, and a time that comes
// twice in autumn fires only the first time. A spec for every hour ("*/15 * * * *") follows
// elapsed time: it continues through the change.
package schedule

import (
	"time"
	_ "time/tzdata" // for machines without zone files

	"github.com/robfig/cron/v3"
)

// Schedule is a parsed spec in its timezone. It is safe for concurrent use.
type Schedule struct {
	spec  string
	zone  *time.Location
	rule  *cron.SpecSchedule // evaluated on the wall clock as if it were UTC; nil when every is set
	every time.Duration      // of @every, counted from 1970-01-01T00:00:00Z
	fixed bool               // set when the rule does not match every hour: see the package comment
}

// Tick is one time at which a schedule fires.
type Tick struct {
	At time.Time // in the schedule's timezone
	// Key names the tick, the same on every node: its wall time and zone, such as
	// "2026-03-29T02:30:00 Europe/Berlin", with the UTC offset when every hour fires.
	Key string
}

// Spec returns the cron spec as given, without a TZ= prefix.
func (s *Schedule) Spec() string { return s.spec }

// Timezone returns the IANA name of the schedule's timezone.
func (s *Schedule) Timezone() string { return s.zone.String() }

// Next returns the first tick after a time. It returns false when there is none; after Parse has
// succeeded that does not happen for realistic dates.
func (s *Schedule) Next(after time.Time) (Tick, bool) {
	if s.every > 0 {
		return s.nextEvery(after), true
	}
	return s.nextOnWall(after)
}

// NextN returns the next n ticks after a time, or fewer if there are fewer.
func (s *Schedule) NextN(after time.Time, n int) []Tick {
	var out []Tick
	for range n {
		tick, ok := s.Next(after)
		if !ok {
			break
		}
		out = append(out, tick)
		after = tick.At
	}
	return out
}

// Latest returns the last tick in (after, upTo]. Its cost does not depend on the number of ticks
// in between, even after a node was down for a year.
func (s *Schedule) Latest(after, upTo time.Time) (Tick, bool) {
	from, last, ok := s.lastWindow(after, upTo)
	if !ok {
		return Tick{}, false
	}
	// Ticks lie in (from, upTo], and last is one of them. Halve the interval until no tick lies after last.
	for until := upTo; until.Sub(from) > time.Second; {
		middle := from.Add(until.Sub(from) / 2)
		if tick, ok := s.Next(middle); ok && !tick.At.After(upTo) {
			from, last = tick.At, tick
		} else {
			until = middle
		}
	}
	return last, true
}

// lastWindow searches back from upTo in windows of doubling length until one has a tick. It
// returns the start of the window and its first tick.
func (s *Schedule) lastWindow(after, upTo time.Time) (from time.Time, first Tick, ok bool) {
	for length := time.Minute; ; length *= 2 {
		from = upTo.Add(-length)
		whole := !from.After(after) || length > 1<<61
		if whole {
			from = after
		}
		if tick, found := s.Next(from); found && !tick.At.After(upTo) {
			return from, tick, true
		}
		if whole {
			return from, Tick{}, false
		}
	}
}

// nextEvery returns the next tick of @every. Intervals are counted from the Unix epoch, so that all
// nodes agree.
func (s *Schedule) nextEvery(after time.Time) Tick {
	step := int64(s.every / time.Second)
	unix := after.Unix() // rounded down, also before 1970
	count := unix / step
	if unix%step < 0 {
		count--
	}
	at := time.Unix((count+1)*step, 0).In(s.zone)
	return Tick{At: at, Key: s.keyAt(at)}
}

// keyAt returns the key of a tick with its UTC offset.
func (s *Schedule) keyAt(at time.Time) string {
	return at.Format("2006-01-02T15:04:05-07:00 ") + s.zone.String()
}

// keyOnWall returns the key of a tick without an offset. wall is its wall time, as if in UTC.
func (s *Schedule) keyOnWall(wall time.Time) string {
	return wall.Format("2006-01-02T15:04:05 ") + s.zone.String()
}
