package schedule

import "time"

// span is a period in which a zone keeps its offset from UTC.
type span struct {
	start, end time.Time     // [start, end); zero when unbounded
	offset     time.Duration // wall clock minus UTC
	jump       time.Duration // this offset minus the previous one; positive in spring
}

func spanAt(t time.Time, zone *time.Location) span {
	local := t.In(zone)
	var sp span
	sp.start, sp.end = local.ZoneBounds()
	if !sp.end.IsZero() && !sp.end.After(t) {
		// Beyond a zone's table, Go 1.26 assumes years of 365 days. On 31 December of a leap year
		// the end then lies before t. No zone changes its clock on that day.
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

// nextOnWall searches span by span. Within a span the offset is constant, so the rule can be
// evaluated on the wall clock as if it were UTC. The cron library's own search in a zone loses and
// doubles ticks when clocks change. The search ends, since Parse has checked that the rule
// matches a day every few years.
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

// nextInSpan returns the first tick of a span after a time, which is in the span or just before
// its start. It includes wall times that the clock skipped at the start; they fire later by the
// length of the jump.
func (s *Schedule) nextInSpan(sp span, after time.Time) (Tick, bool) {
	shown, ok := s.nextUnrepeated(sp, after)
	if !s.fixed || sp.jump <= 0 {
		return shown, ok
	}
	before := span{end: sp.start.Add(sp.jump), offset: sp.offset - sp.jump}
	skipped, found := s.nextAtOffset(before, after)
	// If both fire at the same time, the key is the wall time that the clock shows.
	if found && (!ok || skipped.At.Before(shown.At)) {
		return skipped, true
	}
	return shown, ok
}

// nextUnrepeated returns the next tick in a span, but leaves out wall times that the clock shows
// for the second time.
func (s *Schedule) nextUnrepeated(sp span, after time.Time) (Tick, bool) {
	if s.fixed && sp.jump < 0 {
		if repeatEnd := sp.start.Add(-sp.jump - time.Nanosecond); after.Before(repeatEnd) {
			after = repeatEnd
		}
	}
	return s.nextAtOffset(sp, after)
}

// nextAtOffset returns the rule's next tick before the end of the span, at the span's offset.
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

// nextWall returns the rule's next wall time, as if in UTC. The library searches five years ahead,
// but 29 February can be eight years away.
func (s *Schedule) nextWall(after time.Time) (time.Time, bool) {
	for range 3 {
		if wall := s.rule.Next(after); !wall.IsZero() {
			return wall, true
		}
		after = time.Date(after.Year()+5, 1, 1, 0, 0, 0, -1, time.UTC)
	}
	return time.Time{}, false
}
