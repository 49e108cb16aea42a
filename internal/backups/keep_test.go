package backups

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/tidings-press/tidings/internal/config"
)

// randomNames returns names of backups at random times of two years, and of other files.
func randomNames(random *rand.Rand) []string {
	var names []string
	for range random.IntN(80) {
		at := time.Date(2025, 1, 1, 0, 0, 0, 0, time.UTC).Add(time.Duration(random.Int64N(2 * 365 * 24 * int64(time.Hour))))
		if random.IntN(3) == 0 { // several of one day
			at = at.Truncate(24 * time.Hour).Add(time.Duration(random.IntN(24)) * time.Hour)
		}
		if name := fileName(at, random.IntN(2) == 0); !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	return append(names, "notes.txt", "tidings.yaml")
}

// TestRandomBackupsExpireByTheRules checks what holds for any files and any rules.
func TestRandomBackupsExpireByTheRules(t *testing.T) {
	t.Parallel()
	random := rand.New(rand.NewPCG(21, 22))
	for range 400 {
		names := randomNames(random)
		keep := config.BackupKeep{Daily: random.IntN(10), Weekly: random.IntN(6), Monthly: random.IntN(14)}
		removed := expired(slices.Clone(names), keep)
		kept := slices.DeleteFunc(slices.Clone(names), func(name string) bool { return slices.Contains(removed, name) })
		if n := len(kept) - 2; n > 1+keep.Daily+keep.Weekly+keep.Monthly {
			t.Fatalf("%+v keeps %d", keep, n)
		}
		if again := expired(kept, keep); len(again) > 0 {
			t.Fatalf("%+v: a second time removes %v", keep, again)
		}
		mixed := slices.Clone(names)
		random.Shuffle(len(mixed), func(i, j int) { mixed[i], mixed[j] = mixed[j], mixed[i] })
		if other := expired(mixed, keep); !slices.Equal(sorted(removed), sorted(other)) {
			t.Fatalf("%+v: in another order, %v are removed instead of %v", keep, other, removed)
		}
		more := config.BackupKeep{Daily: keep.Daily + random.IntN(3), Weekly: keep.Weekly + random.IntN(3), Monthly: keep.Monthly + random.IntN(3)}
		for _, name := range expired(slices.Clone(names), more) {
			if !slices.Contains(removed, name) {
				t.Fatalf("%+v removes %s, and %+v keeps it", more, name, keep)
			}
		}
		for _, name := range removed {
			if !namePattern.MatchString(name) {
				t.Fatalf("%s would be removed", name)
			}
			if name == newest(names) {
				t.Fatalf("%+v removes the newest", keep)
			}
		}
	}
}

// sorted returns a list in order.
func sorted(names []string) []string {
	out := slices.Clone(names)
	slices.Sort(out)
	return out
}

// newest returns the name with the latest time.
func newest(names []string) string {
	out := ""
	for _, name := range names {
		if strings.HasPrefix(name, "tidings-") && name > out {
			out = name
		}
	}
	return out
}

func TestOneRuleKeepsSoManyPeriods(t *testing.T) {
	t.Parallel()
	var names []string
	for day := range 800 {
		names = append(names, fileName(time.Date(2024, 6, 1, 3, 30, 0, 0, time.UTC).AddDate(0, 0, day), false))
	}
	for name, test := range map[string]struct {
		keep  config.BackupKeep
		kept  int
		first string
	}{
		"days":                     {config.BackupKeep{Daily: 10}, 10, "20260731"},
		"weeks over a new year":    {config.BackupKeep{Weekly: 40}, 40, "20251109"},
		"months over two years":    {config.BackupKeep{Monthly: 24}, 24, "20240930"},
		"more days than there are": {config.BackupKeep{Daily: 5000}, 800, "20240601"},
		"nothing":                  {config.BackupKeep{}, 1, "20260809"},
		"negative":                 {config.BackupKeep{Daily: -1, Weekly: -1, Monthly: -1}, 1, "20260809"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			removed := expired(slices.Clone(names), test.keep)
			kept := slices.DeleteFunc(slices.Clone(names), func(name string) bool { return slices.Contains(removed, name) })
			if len(kept) != test.kept || !strings.Contains(kept[0], test.first) {
				t.Errorf("%d are kept, the first is %s; want %d and %s", len(kept), kept[0], test.kept, test.first)
			}
		})
	}
}

// TestWeekOfANewYearIsOneWeek: 29 December 2025 to 4 January 2026 are week 1 of 2026 (ISO 8601).
func TestWeekOfANewYearIsOneWeek(t *testing.T) {
	t.Parallel()
	at := func(month time.Month, day int) string {
		year := 2025
		if month == time.January {
			year = 2026
		}
		return fileName(time.Date(year, month, day, 3, 0, 0, 0, time.UTC), false)
	}
	names := []string{at(12, 27), at(12, 28), at(12, 29), at(12, 31), at(1, 1), at(1, 4)}
	removed := expired(slices.Clone(names), config.BackupKeep{Weekly: 2})
	if want := []string{at(1, 1), at(12, 31), at(12, 29), at(12, 27)}; !slices.Equal(removed, want) {
		t.Errorf("removed %v, want %v", removed, want)
	}
}

func TestOnlyOurOwnNamesExpire(t *testing.T) {
	t.Parallel()
	current := fileName(time.Date(2026, 6, 1, 0, 0, 0, 0, time.UTC), false)
	for _, name := range []string{
		"", ".", "..", "tidings-20260101T000000Z.tidings.bak", "x-tidings-20260101T000000Z.tidings", "tidings-20260101T000000Z.tidings\n", "Tidings-20260101T000000Z.tidings",
		"tidings-20260101T000000.tidings", "tidings-20260101T000000Z.age", "tidings-20261301T000000Z.tidings", "tidings-20260230T000000Z.tidings", "tidings-20260101T250000Z.tidings",
		"../tidings-20260101T000000Z.tidings", "tidings-20260101T000000Z.tidings/", "tidings-2026010١T000000Z.tidings", "tidings-20260101T000000Z.tidings.age.age",
	} {
		if removed := expired([]string{name, current}, config.BackupKeep{}); len(removed) > 0 {
			t.Errorf("%q would be removed", name)
		}
	}
}

func TestFileNameIsInUTCAndExpires(t *testing.T) {
	t.Parallel()
	paris, err := time.LoadLocation("Europe/Paris")
	if err != nil {
		t.Fatal(err)
	}
	for _, encrypted := range []bool{false, true} {
		name := fileName(time.Date(2026, 1, 1, 0, 30, 5, 999, paris), encrypted)
		if want := "tidings-20251231T233005Z.tidings" + map[bool]string{true: ".age"}[encrypted]; name != want {
			t.Errorf("%s, want %s", name, want)
		}
		later := fileName(time.Date(2026, 1, 1, 0, 30, 6, 0, paris), false)
		if removed := expired([]string{name, later}, config.BackupKeep{}); fmt.Sprint(removed) != fmt.Sprint([]string{name}) {
			t.Errorf("removed %v, want %s", removed, name)
		}
	}
}
