package delivery_test

import (
	"slices"
	"testing"
	"time"

	"github.com/tidings-press/tidings/internal/delivery"
	"github.com/tidings-press/tidings/internal/schedule"
	"github.com/tidings-press/tidings/internal/store"
	"github.com/tidings-press/tidings/internal/testkit/sink"
	"github.com/tidings-press/tidings/internal/testkit/storetest"
)

// scheduled is a digest whose schedule and clock a test sets.
type scheduled struct {
	*env
	clock *clock
}

func newScheduled(t *testing.T, at time.Time, spec, zone string) *scheduled {
	t.Helper()
	s := &scheduled{env: setup(t, store.SQLite, sink.Options{}), clock: &clock{}}
	s.clock.now.Store(at.UnixMilli())
	s.store = storetest.Open(t, store.SQLite, store.Options{Clock: s.clock.Now})
	s.options.Store = s.store
	s.set(spec, zone)
	s.newDeliveryEngine()
	return s
}

func (s *scheduled) set(spec, zone string) {
	s.t.Helper()
	parsed, err := schedule.Parse(spec, zone)
	if err != nil {
		s.t.Fatal(err)
	}
	s.options.Digests = slices.Clone(s.options.Digests) // other engines keep theirs
	s.options.Digests[0].Schedule = parsed
}

// next returns the stored next tick.
func (s *scheduled) next() time.Time {
	s.t.Helper()
	state, err := s.store.DigestState(s.t.Context(), "weekly")
	if err != nil {
		s.t.Fatal(err)
	}
	return state.Next.UTC()
}

// fire lets the engine handle due ticks.
func (s *scheduled) fire(e *delivery.Engine) []store.Tick {
	s.t.Helper()
	if err := e.RunSchedule(s.t.Context()); err != nil {
		s.t.Fatal(err)
	}
	ticks, err := s.store.Ticks(s.t.Context(), "weekly", 10)
	if err != nil {
		s.t.Fatal(err)
	}
	return ticks
}

// friday is shortly after 08:00 in Paris.
var friday = time.Date(2026, 11, 27, 7, 0, 30, 0, time.UTC)

func TestChangedTimezoneRepeatsNoTick(t *testing.T) {
	t.Parallel()
	s := newScheduled(t, friday.Add(-time.Hour), "0 8 * * 5", "Europe/Paris")
	s.clock.now.Store(friday.UnixMilli())
	if ticks := s.fire(s.engine); len(ticks) != 1 {
		t.Fatalf("ticks %+v", ticks)
	}
	s.set("0 8 * * 5", "Europe/London") // 08:00 in London is an hour ahead
	s.newDeliveryEngine()
	if want := time.Date(2026, 12, 4, 8, 0, 0, 0, time.UTC); !s.next().Equal(want) {
		t.Errorf("the next tick is %v, want %v: that of this Friday was handled", s.next(), want)
	}
	s.clock.advance(2 * time.Hour)
	if ticks := s.fire(s.engine); len(ticks) != 1 {
		t.Errorf("a second tick of the same morning: %+v", ticks)
	}
}

func TestChangedScheduleFiresNothingAtOnce(t *testing.T) {
	t.Parallel()
	s := newScheduled(t, friday, "0 8 * * 5", "Europe/Paris")
	s.set("0 7 * * *", "Europe/Paris") // its time today has passed
	s.newDeliveryEngine()
	if ticks := s.fire(s.engine); len(ticks) != 0 || !s.next().After(friday) {
		t.Errorf("ticks %+v, next %v", ticks, s.next())
	}
	s.options.Digests = slices.Clone(s.options.Digests)
	s.options.Digests[0].Schedule, s.options.Digests[0].Paused = nil, true
	s.newDeliveryEngine()
	s.clock.advance(72 * time.Hour)
	if ticks := s.fire(s.engine); len(ticks) != 0 {
		t.Errorf("a paused digest fires: %+v", ticks)
	}
	s.options.Digests[0].Paused = false
	s.set("0 7 * * *", "Europe/Paris")
	s.newDeliveryEngine()
	if ticks := s.fire(s.engine); len(ticks) != 0 || !s.next().After(s.clock.Now()) {
		t.Errorf("a digest that is active again makes up for ticks: %+v, next %v", ticks, s.next())
	}
}

func TestNodeWithTheFormerScheduleFiresNothing(t *testing.T) {
	t.Parallel()
	s := newScheduled(t, friday, "0 9 * * 5", "Europe/Paris")
	former := s.engine
	s.set("30 8 * * 5", "Europe/Paris")
	s.newDeliveryEngine()
	s.clock.now.Store(friday.Add(30 * time.Minute).UnixMilli())
	if ticks := s.fire(former); len(ticks) != 0 {
		t.Errorf("a node with the former schedule fired %+v", ticks)
	}
	if ticks := s.fire(s.engine); len(ticks) != 1 {
		t.Errorf("ticks %+v", ticks)
	}
	if want := time.Date(2026, 12, 4, 7, 30, 0, 0, time.UTC); !s.next().Equal(want) {
		t.Errorf("the next tick is %v, want %v", s.next(), want)
	}
}
