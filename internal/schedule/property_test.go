package schedule

import (
	"archive/zip"
	"fmt"
	"math/rand/v2"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/robfig/cron/v3"
)

// zones returns the names of all zones that Go ships.
func zones(t *testing.T) []string {
	t.Helper()
	root, err := exec.Command("go", "env", "GOROOT").Output()
	if err != nil {
		t.Skipf("SKIP: go does not say where it is installed: %v", err)
	}
	archive, err := zip.OpenReader(filepath.Join(strings.TrimSpace(string(root)), "lib", "time", "zoneinfo.zip"))
	if err != nil {
		t.Skipf("SKIP: no list of zones in this Go installation: %v", err)
	}
	defer archive.Close()
	var out []string
	for _, file := range archive.File {
		if !strings.HasSuffix(file.Name, "/") {
			out = append(out, file.Name)
		}
	}
	return out
}

// transitions returns the times at which a zone's offset changes.
func transitions(zone *time.Location, from, to time.Time) []time.Time {
	var out []time.Time
	for at := from; ; {
		_, end := at.In(zone).ZoneBounds()
		if end.IsZero() || end.After(to) {
			return out
		}
		if offsetOf(end.In(zone)) != offsetOf(end.Add(-time.Second).In(zone)) {
			out = append(out, end)
		}
		at = end
	}
}

// randomSpec returns specs that fire often enough for a walk over a few days.
func randomSpec(r *rand.Rand) string {
	pick := func(choices ...string) string { return choices[r.IntN(len(choices))] }
	minute := pick("*/10", "0", "30", "15,40", fmt.Sprint(r.IntN(60)), "*")
	hour := pick("*", "*/2", "0", "2", "2,3", "1-3", "0-23", fmt.Sprint(r.IntN(24)), "23,0", "*/5")
	day := pick("*", "*", "*", "1,15,29-31", "*/2")
	weekday := pick("*", "*", "*", "0", "6-7", "MON-FRI")
	return strings.Join([]string{minute, hour, day, "*", weekday}, " ")
}

// fits evaluates the fields of the rule directly. wall is the wall clock as if UTC.
func fits(rule *cron.SpecSchedule, wall time.Time) bool {
	has := func(field uint64, value int) bool { return field>>value&1 == 1 }
	date, weekday := has(rule.Dom, wall.Day()), has(rule.Dow, int(wall.Weekday()))
	day := date || weekday
	if starred(rule.Dom) || starred(rule.Dow) {
		day = date && weekday
	}
	return day && has(rule.Month, int(wall.Month())) && has(rule.Hour, wall.Hour()) && has(rule.Minute, wall.Minute()) && has(rule.Second, wall.Second())
}

// bruteForce steps minute by minute, first over time, then over the wall clock. It does not use
// spans.
func bruteForce(s *Schedule, from, to time.Time) []string {
	from, to = from.UTC(), to.UTC()
	firstRead := map[int64]int64{} // wall as if UTC → the first instant that shows it, both in Unix seconds
	ticks := map[int64]string{}
	for at := from.Add(-30 * time.Hour); at.Before(to.Add(30 * time.Hour)); at = at.Add(time.Minute) {
		local := at.In(s.zone)
		wall := at.Add(offsetOf(local))
		_, again := firstRead[wall.Unix()]
		if !again {
			firstRead[wall.Unix()] = at.Unix()
		}
		switch {
		case !fits(s.rule, wall):
		case !s.fixed:
			ticks[at.Unix()] = s.keyAt(local)
		case !again:
			ticks[at.Unix()] = s.keyOnWall(wall)
		}
	}
	if s.fixed {
		addSkipped(s, from, to, firstRead, ticks)
	}
	var out []string
	for at, key := range ticks {
		if at > from.Unix() && at <= to.Unix() {
			out = append(out, time.Unix(at, 0).UTC().Format(time.RFC3339)+" "+key)
		}
	}
	slices.Sort(out)
	return out
}

// addSkipped adds wall times that the clock skips. They keep the distance to the last wall time
// before the jump.
func addSkipped(s *Schedule, from, to time.Time, firstRead map[int64]int64, ticks map[int64]string) {
	var last, lastAt int64
	for wall := from.Add(-12 * time.Hour); wall.Before(to.Add(28 * time.Hour)); wall = wall.Add(time.Minute) {
		if at, shown := firstRead[wall.Unix()]; shown {
			last, lastAt = wall.Unix(), at
			continue
		}
		at := lastAt + wall.Unix() - last
		if _, taken := ticks[at]; !taken && fits(s.rule, wall) {
			ticks[at] = s.keyOnWall(wall)
		}
	}
}

func TestTicksMatchMinuteByMinuteSearch(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(1, 2))
	early, late := time.Date(1975, 1, 1, 0, 0, 0, 0, time.UTC), time.Date(2040, 1, 1, 0, 0, 0, 0, time.UTC)
	for _, name := range zones(t) {
		zone, err := time.LoadLocation(name)
		if err != nil {
			t.Fatal(err)
		}
		changes := transitions(zone, early, late)
		if len(changes) == 0 {
			continue
		}
		s, err := Parse(randomSpec(r), name)
		if err != nil {
			t.Fatal(err)
		}
		change := changes[r.IntN(len(changes))]
		if change.Second() == 0 { // bruteForce steps by minutes
			compareWithWalk(t, s, change.Add(-2*time.Hour), change.Add(28*time.Hour))
		}
	}
}

func compareWithWalk(t *testing.T, s *Schedule, from, to time.Time) {
	t.Helper()
	var got []string
	for after := from; ; {
		tick, ok := s.Next(after)
		if !ok || tick.At.After(to) {
			break
		}
		got = append(got, tick.At.UTC().Format(time.RFC3339)+" "+tick.Key)
		after = tick.At
	}
	slices.Sort(got)
	if want := bruteForce(s, from, to); !slices.Equal(got, want) {
		t.Errorf("%s in %s from %s: %s", s.spec, s.zone, from.Format(time.RFC3339), firstDifference(got, want))
	}
	latest, ok := s.Latest(from, to)
	if ok != (len(got) > 0) || ok && latest.At.UTC().Format(time.RFC3339)+" "+latest.Key != got[len(got)-1] {
		t.Errorf("%s in %s: the latest tick is %v %v", s.spec, s.zone, latest, ok)
	}
}

func firstDifference(got, want []string) string {
	for i := range min(len(got), len(want)) {
		if got[i] != want[i] {
			return fmt.Sprintf("tick %d is %s, want %s", i, got[i], want[i])
		}
	}
	return fmt.Sprintf("%d ticks, want %d", len(got), len(want))
}

func TestDailyScheduleFiresOnceEveryDayForSixtyYears(t *testing.T) {
	t.Parallel()
	for _, zone := range []string{"Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Pacific/Apia", "Africa/Casablanca"} {
		for _, spec := range []string{"30 2 * * *", "0 0 * * *", "59 23 * * *"} {
			t.Run(zone+" "+spec, func(t *testing.T) {
				t.Parallel()
				walkSixtyYears(t, mustParse(t, spec, zone))
			})
		}
	}
}

func walkSixtyYears(t *testing.T, s *Schedule) {
	at := time.Date(1999, 12, 31, 23, 59, 30, 0, s.zone)
	end := time.Date(2060, 1, 1, 0, 0, 0, 0, s.zone)
	day := time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC)
	for {
		tick, ok := s.Next(at)
		if !ok || !tick.At.After(at) {
			t.Fatalf("after %s comes %v", at, tick)
		}
		if !tick.At.Before(end) {
			break
		}
		if s.zone.String() == "Pacific/Apia" && day.Format(time.DateOnly) == "2011-12-30" {
			day = day.AddDate(0, 0, 1) // Samoa moved across the date line
		}
		if want := day.Format(time.DateOnly); tick.Key[:10] != want {
			t.Fatalf("after %s the next tick is %s, want one on %s", at, tick.Key, want)
		}
		at, day = tick.At, day.AddDate(0, 0, 1)
	}
	if got := day.Format(time.DateOnly); got != "2060-01-01" {
		t.Errorf("the walk ended at %s", got)
	}
}

func TestLatestFindsLastTickAcrossLongGaps(t *testing.T) {
	t.Parallel()
	s := mustParse(t, "* * * * * *", "Europe/Berlin")
	upTo := time.Date(2026, 6, 1, 12, 0, 0, 500, time.UTC)
	tick, ok := s.Latest(time.Date(1990, 1, 1, 0, 0, 0, 0, time.UTC), upTo)
	if !ok || !tick.At.Equal(upTo.Truncate(time.Second)) {
		t.Errorf("the latest tick is %v %v", tick, ok)
	}
	if _, ok := s.Latest(upTo, upTo); ok {
		t.Error("an empty interval has a tick")
	}
	if _, ok := s.Latest(upTo, upTo.Add(-time.Hour)); ok {
		t.Error("an interval whose end is before its start has a tick")
	}
	if tick, ok := mustParse(t, "0 0 29 2 *", "UTC").Latest(time.Time{}, upTo); !ok || tick.Key != "2024-02-29T00:00:00 UTC" {
		t.Errorf("the latest leap day is %v %v", tick, ok)
	}
}

func FuzzParse(f *testing.F) {
	for _, seed := range []string{"0 8 * * 5", "@every 5m", "TZ=", "TZ=UTC", "*/7 1-5/2 ? JAN-MAR SUN", "0 0 31 2 *", ", , , , ,", "@", "0 0 * * 7-7"} {
		f.Add(seed, "Europe/Berlin")
	}
	f.Fuzz(func(t *testing.T, spec, zone string) {
		s, err := Parse(spec, zone)
		if err != nil {
			return
		}
		after := time.Date(2026, 3, 28, 0, 0, 0, 0, time.UTC)
		tick, ok := s.Next(after)
		if !ok || !tick.At.After(after) || s.Describe().IsZero() {
			t.Errorf("%q gives %v %v", spec, tick, ok)
		}
	})
}
