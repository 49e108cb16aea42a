package schedule

import (
	"errors"
	"strings"
	"testing"
	"time"
)

func mustParse(t testing.TB, spec, zone string) *Schedule {
	t.Helper()
	s, err := Parse(spec, zone)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func moment(t testing.TB, text string) time.Time {
	t.Helper()
	at, err := time.Parse(time.RFC3339, text)
	if err != nil {
		t.Fatal(err)
	}
	return at
}

func TestTicksWhereClocksChange(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name, spec, zone, after string
		want                    []string // instants and keys
	}{
		{"a skipped time fires once, an hour later", "30 2 * * *", "Europe/Berlin", "2026-03-28T12:00:00Z", []string{
			"2026-03-29T03:30:00+02:00 2026-03-29T02:30:00 Europe/Berlin",
			"2026-03-30T02:30:00+02:00 2026-03-30T02:30:00 Europe/Berlin"}},
		{"a repeated time fires the first time only", "30 2 * * *", "Europe/Berlin", "2026-10-24T12:00:00Z", []string{
			"2026-10-25T02:30:00+02:00 2026-10-25T02:30:00 Europe/Berlin",
			"2026-10-26T02:30:00+01:00 2026-10-26T02:30:00 Europe/Berlin"}},
		{"two wall times at one instant are one tick", "30 2,3 * * *", "Europe/Berlin", "2026-03-28T12:00:00Z", []string{
			"2026-03-29T03:30:00+02:00 2026-03-29T03:30:00 Europe/Berlin",
			"2026-03-30T02:30:00+02:00 2026-03-30T02:30:00 Europe/Berlin"}},
		{"every half hour continues through the repeated hour", "*/30 * * * *", "Europe/Berlin", "2026-10-25T00:15:00Z", []string{
			"2026-10-25T02:30:00+02:00 2026-10-25T02:30:00+02:00 Europe/Berlin",
			"2026-10-25T02:00:00+01:00 2026-10-25T02:00:00+01:00 Europe/Berlin",
			"2026-10-25T02:30:00+01:00 2026-10-25T02:30:00+01:00 Europe/Berlin"}},
		{"every half hour does not fire more often after the skipped hour", "*/30 * * * *", "Europe/Berlin", "2026-03-29T00:40:00Z", []string{
			"2026-03-29T03:00:00+02:00 2026-03-29T03:00:00+02:00 Europe/Berlin"}},
		{"midnight that does not exist", "0 0 * * *", "America/Sao_Paulo", "2018-11-03T12:00:00Z", []string{
			"2018-11-04T01:00:00-02:00 2018-11-04T00:00:00 America/Sao_Paulo",
			"2018-11-05T00:00:00-02:00 2018-11-05T00:00:00 America/Sao_Paulo"}},
		{"a clock that jumps by half an hour", "15,40 2 * * *", "Australia/Lord_Howe", "2026-10-03T12:00:00Z", []string{
			"2026-10-04T02:40:00+11:00 2026-10-04T02:40:00 Australia/Lord_Howe",
			"2026-10-04T02:45:00+11:00 2026-10-04T02:15:00 Australia/Lord_Howe"}},
		{"a skipped day fires with the next one", "0 8 * * *", "Pacific/Apia", "2011-12-29T12:00:00Z", []string{
			"2011-12-29T08:00:00-10:00 2011-12-29T08:00:00 Pacific/Apia",
			"2011-12-31T08:00:00+14:00 2011-12-31T08:00:00 Pacific/Apia"}},
		{"a prefix names the zone", "TZ=Asia/Tokyo 0 8 * * 5", "Europe/Berlin", "2026-01-01T00:00:00Z", []string{
			"2026-01-02T08:00:00+09:00 2026-01-02T08:00:00 Asia/Tokyo"}},
		{"29 February across a century without a leap day", "0 0 29 2 *", "UTC", "2096-03-01T00:00:00Z", []string{
			"2104-02-29T00:00:00Z 2104-02-29T00:00:00 UTC"}},
		{"day of month or day of week", "0 0 13 * 5", "UTC", "2026-02-10T00:00:00Z", []string{
			"2026-02-13T00:00:00Z 2026-02-13T00:00:00 UTC", "2026-02-20T00:00:00Z 2026-02-20T00:00:00 UTC"}},
		{"Sunday may be 7", "0 0 * * 6-7", "UTC", "2026-02-13T00:00:00Z", []string{
			"2026-02-14T00:00:00Z 2026-02-14T00:00:00 UTC", "2026-02-15T00:00:00Z 2026-02-15T00:00:00 UTC"}},
		{"seconds come first", "10,40 0 8 * * *", "UTC", "2026-02-13T00:00:00Z", []string{
			"2026-02-13T08:00:10Z 2026-02-13T08:00:10 UTC", "2026-02-13T08:00:40Z 2026-02-13T08:00:40 UTC"}},
		{"an interval counts from the epoch", "@every 90m", "UTC", "2026-02-13T00:01:00Z", []string{
			"2026-02-13T01:30:00Z 2026-02-13T01:30:00+00:00 UTC", "2026-02-13T03:00:00Z 2026-02-13T03:00:00+00:00 UTC"}},
		{"an interval before the epoch", "@every 1h", "UTC", "1969-12-31T22:00:00Z", []string{"1969-12-31T23:00:00Z 1969-12-31T23:00:00+00:00 UTC"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			s := mustParse(t, test.spec, test.zone)
			for i, tick := range s.NextN(moment(t, test.after), len(test.want)) {
				if got := tick.At.Format(time.RFC3339) + " " + tick.Key; got != test.want[i] {
					t.Errorf("tick %d is %s, want %s", i, got, test.want[i])
				}
			}
		})
	}
}

func TestInvalidSpecsAreExplained(t *testing.T) {
	t.Parallel()
	for _, test := range []struct{ spec, zone, want string }{
		{"", "", "it is empty"},
		{"* * *", "", "the number of its fields is 3; use five fields"},
		{"0 8 * * * * *", "", "five fields"},
		{"0 25 * * *", "", `"25" in the field “hour” is out of range; use a number from 0 to 23`},
		{"0 8 0 * *", "", `"0" in the field “day of the month” is out of range; use a number from 1 to 31`},
		{"0 0 8 * 13 *", "", `"13" in the field “month” is out of range; use a number from 1 to 12`},
		{"60 0 8 * * *", "", `"60" in the field “second” is out of range`},
		{"0 8 * * 8", "", `"8" in the field “day of the week” is out of range; use a number from 0 to 7`},
		{"0 8 1,,x * *", "", `"x" in the field “day of the month” cannot be read`},
		{"0 8 1-2-3 * *", "", `"1-2-3" in the field “day of the month” cannot be read`},
		{"0 8 * * 5-1", "", `the range "5-1" in the field “day of the week” ends before it begins; use a range from lower to higher, or two with a comma: 5-6,0-1`},
		{"0 8 L * *", "", "numbers, names"},
		{"0 8 30 2 *", "", "it never fires"},
		{"0 8 , * *", "", "a field is empty"},
		{"*/0 * * * *", "", `the step of "*/0" in the field “minute” is 0`},
		{"@fortnightly", "", "@weekly"},
		{"@every", "", "@every 90m"},
		{"@every -5m", "", "at least a second"},
		{"@every 100ms", "", "at least a second"},
		{"@every soon", "", "@every 90m"},
		{"TZ=Europe/Berlin", "", "no schedule follows the timezone"},
		{"CRON_TZ=", "", "no schedule follows"},
		{"TZ=Mars/Base 0 8 * * *", "", "IANA name"},
		{"0 8 * * *", "Europe/Berln", `timezone "Europe/Berln" is unknown`},
		{"0 8 * * *", "Local", "unknown"},
		{"0 8 * * *", "../../etc/passwd", "unknown"},
		{strings.Repeat("1,", 2000) + "1 * * * *", "", "not a cron spec"},
	} {
		_, err := Parse(test.spec, test.zone)
		var wrong *Error
		if !errors.As(err, &wrong) || !strings.Contains(err.Error(), test.want) || wrong.Fix.IsZero() {
			t.Errorf("Parse(%.40q, %q) returns %v, want an error that contains %q", test.spec, test.zone, err, test.want)
		}
	}
}

func TestDescribeIsReadable(t *testing.T) {
	t.Parallel()
	for spec, want := range map[string]string{
		"0 8 * * 5":        "every Friday at 08:00 (Europe/Paris)",
		"30 7,18 * * 1-5":  "every day from Monday to Friday at 07:30 and 18:30 (Europe/Paris)",
		"@daily":           "every day at 00:00 (Europe/Paris)",
		"@hourly":          "every hour at minute 0 (Europe/Paris)",
		"*/15 * * * *":     "every 15 minutes (Europe/Paris)",
		"* * * * *":        "every minute (Europe/Paris)",
		"*/10 * * * * *":   "every 10 seconds (Europe/Paris)",
		"*/15 * * * 1":     "every 15 minutes, every Monday (Europe/Paris)",
		"0 9 1 1,7 *":      "on day 1 of the month in January and July at 09:00 (Europe/Paris)",
		"0 9 1,15 * 1":     "every Monday and on day 1 and 15 of the month at 09:00 (Europe/Paris)",
		"5 0 8 * * *":      "every day at 08:00:05 (Europe/Paris)",
		"@every 36h":       "every 36 hours (Europe/Paris)",
		"7-40/3 1-9 * * *": `by the cron expression "7-40/3 1-9 * * *" (Europe/Paris)`,
	} {
		if got := mustParse(t, spec, "Europe/Paris").Describe().String(); got != want {
			t.Errorf("%q is described as %q, want %q", spec, got, want)
		}
	}
}
