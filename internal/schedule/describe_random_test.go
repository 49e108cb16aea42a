package schedule

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"
)

// TestSchedulesWithOneDescriptionFireAtTheSameTimes: what an editor reads must be what happens. The fields
// have many spellings of the same and of nearly the same days.
func TestSchedulesWithOneDescriptionFireAtTheSameTimes(t *testing.T) {
	t.Parallel()
	fields := [][]string{
		{"0", "*", "*/15", "0,15,30,45", "0-59", "30", "*/20", "0,30", "*/45", "00"},
		{"8", "*", "0-23", "8,18", "*/12", "0,12", "08", "*/7"},
		{"*", "1", "1-31", "1,15", "?", "*/2", "01", "1-30", "*/31", "1-31/1"},
		{"*", "1-12", "JAN", "1", "6-7", "*/6"},
		{"*", "0-6", "0-7", "1", "MON", "1-5", "MON-FRI", "0", "7", "SUN", "?", "*/2", "1-7", "0,1,2,3,4,5,6", "6-7"},
	}
	random := rand.New(rand.NewPCG(2, 5))
	seen := map[string][2]string{} // spec and ticks by description
	from := time.Date(2026, time.January, 1, 0, 0, 0, 0, time.UTC)
	same := 0
	for range 1500 {
		var spec []string
		for _, values := range fields {
			spec = append(spec, values[random.IntN(len(values))])
		}
		s, err := Parse(strings.Join(spec, " "), "UTC")
		if err != nil {
			t.Fatal(err)
		}
		description := s.Describe().String()
		if strings.Contains(description, "cron expression") {
			continue
		}
		var ticks []string
		for _, tick := range s.NextN(from, 25) {
			ticks = append(ticks, tick.At.Format("Mon 2006-01-02 15:04"))
		}
		now := [2]string{s.Spec(), fmt.Sprint(ticks)}
		before, known := seen[description]
		seen[description] = now
		if !known || before[0] == now[0] {
			continue
		}
		if same++; before[1] != now[1] {
			t.Fatalf("%q and %q are both described as %q, and fire at\n%s\n%s", before[0], now[0], description, before[1], now[1])
		}
	}
	if same < 20 {
		t.Errorf("only %d descriptions were compared", same)
	}
}

func TestDaysThatAreAllListedAreEveryDay(t *testing.T) {
	t.Parallel()
	for spec, want := range map[string]string{
		"0 8 1 * 0-6":    "every day at 08:00 (UTC)",
		"0 8 1-31 * 1":   "every day at 08:00 (UTC)",
		"0 8 1-31 6 1":   "every day in June at 08:00 (UTC)",
		"0 8 1-31 * *":   "every day at 08:00 (UTC)",
		"0 8 * * 0-7":    "every day at 08:00 (UTC)",
		"0 8 */2 * 1":    "every Monday and on day 1, 3, 5, 7, 9, 11, 13, 15, 17, 19, 21, 23, 25, 27, 29 and 31 of the month at 08:00 (UTC)",
		"0 8 1 * */2":    "every Sunday, Tuesday, Thursday and Saturday and on day 1 of the month at 08:00 (UTC)",
		"0 8 1 * 1":      "every Monday and on day 1 of the month at 08:00 (UTC)",
		"*/15 * 1 * 0-6": "every 15 minutes (UTC)",
	} {
		if got := mustParse(t, spec, "UTC").Describe().String(); got != want {
			t.Errorf("%q is described as %q, want %q", spec, got, want)
		}
	}
}

func TestSpecsAreReadWhateverTheirSpaces(t *testing.T) {
	t.Parallel()
	from := time.Date(2026, time.January, 1, 0, 0, 0, 0, time.UTC)
	want := fmt.Sprint(mustParse(t, "0 8 * * 5", "Europe/Paris").NextN(from, 5))
	for _, spec := range []string{" 0 8 * * 5 ", "0\t8 *  * 5", "\u00A00 8 * * 5", "0 8 ? * 5", "00 08 * * FRI", "0 0 8 * * fri", "TZ=Europe/Paris 0 8 * * 5", "CRON_TZ=Europe/Paris\t0 8 * * 5", "0 8 * JAN-DEC 5,5", "0 8 * * 5-5"} {
		s, err := Parse(spec, "Europe/Paris")
		if err != nil {
			t.Errorf("%q: %v", spec, err)
			continue
		}
		if got := fmt.Sprint(s.NextN(from, 5)); got != want || s.Timezone() != "Europe/Paris" {
			t.Errorf("%q fires at %s, want %s", spec, got, want)
		}
	}
	for _, spec := range []string{"0 8 * * 5\n0 9 * * 5", "0 8 * * 5\x00", "0 8 * * ５", "0 8 * * mön", "@ daily", "@DAILY!", "0 8 * * 5 #", "٠ 8 * * 5"} {
		if s, err := Parse(spec, ""); err == nil || strings.ContainsAny(err.Error(), "\n\x00") {
			t.Errorf("%q is read as %v, %v", spec, s, err)
		}
	}
}
