package schedule

import "time"

// span is a stretch of time in which a zone keeps its offset from UTC.
type span struct {
	start, end time.Time     // [start, end); zero when open
	offset     time.Duration // wall clock minus UTC
	jump       time.Duration // this offset minus the one before: positive in spring
}

func spanAt(t time.Time, zone *time.Location) span {
	local := t.In(zone)
	var sp span
	sp.start, sp.end = local.ZoneBounds()
	if !sp.end.IsZero() && !sp.end.After(t) {
		// After a zone's table ends, Go 1.26 ends the rule's year after 365 days, leap years
		// too: on 31 December the bound lies before t. No zone changes its clock that day.
		sp.end = time.Date(t.UTC().Year()+1, 1, 1, 0, 0, 0, 0, time.UTC)
	}
	sp.offset = offsetOf(local)
	if !sp.start.IsZero() {
		sp.jump = sp.offset - offsetOf(sp.start.Add(-time.Nanosecond))
	}
	return sp
}

func offsetOf(t time.Time) time.Duration {
	_, seconds := t.Zone()
	return time.Duration(seconds) * time.Second
}

// nextOnWall walks from span to span. Within one the wall clock runs evenly, so that
// the rule can be evaluated on it as if it were UTC; the cron library's own walk in a
// zone loses and doubles ticks where clocks change. The walk ends because Parse
// made sure that the rule matches some day of every few years.
func (s *Schedule) nextOnWall(after time.Time) (Tick, bool) {
	for sp := spanAt(after, s.zone); ; sp = spanAt(sp.end, s.zone) {
		if !sp.start.IsZero() && after.Before(sp.start) {
			after = sp.start.Add(-time.Nanosecond)
		}
		if tick, ok := s.nextInSpan(sp, after); ok {
			return tick, true
		}
		if sp.end.IsZero() {
			return Tick{}, false
		}
	}
}

// nextInSpan is the first tick of a span after a moment that is not before it by more
// than the last instant of the span before. Walls that the clock skipped at its start
// are ticks as well, as much later as the clock jumped.
func (s *Schedule) nextInSpan(sp span, after time.Time) (Tick, bool) {
	shown, ok := s.nextUnrepeated(sp, after)
	if !s.fixed || sp.jump <= 0 {
		return shown, ok
	}
	before := span{end: sp.start.Add(sp.jump), offset: sp.offset - sp.jump}
	skipped, found := s.nextAtOffset(before, after)
	// At the same instant the wall time that the clock really shows gives the key.
	if found && (!ok || skipped.At.Before(shown.At)) {
		return skipped, true
	}
	return shown, ok
}

// nextUnrepeated is the first moment of a span at which the clock shows a wall time of the
// rule for the first time.
func (s *Schedule) nextUnrepeated(sp span, after time.Time) (Tick, bool) {
	if s.fixed && sp.jump < 0 {
		if repeatEnd := sp.start.Add(-sp.jump - time.Nanosecond); after.Before(repeatEnd) {
			after = repeatEnd
		}
	}
	return s.nextAtOffset(sp, after)
}

// nextAtOffset evaluates the rule on a clock that runs evenly until the span's end.
func (s *Schedule) nextAtOffset(sp span, after time.Time) (Tick, bool) {
	wall, ok := s.nextWall(after.UTC().Add(sp.offset))
	at := wall.Add(-sp.offset)
	if !ok || !sp.end.IsZero() && !at.Before(sp.end) {
		return Tick{}, false
	}
	tick := Tick{At: at.In(s.zone)}
	if s.fixed {
		tick.Key = s.keyOnWall(wall)
	} else {
		tick.Key = s.keyAt(tick.At)
	}
	return tick, true
}

// nextWall is the rule's next wall time, as if UTC. The library looks five years
// ahead; 29 February can be eight years away.
func (s *Schedule) nextWall(after time.Time) (time.Time, bool) {
	for range 3 {
		if wall := s.rule.Next(after); !wall.IsZero() {
			return wall, true
		}
		after = time.Date(after.Year()+5, 1, 1, 0, 0, 0, -1, time.UTC)
	}
	return time.Time{}, false
}
