package subscriber

import (
	"testing"
	"time"
)

// TestNamesOfTimezonesInDatesHaveOneMeaning: the date of a consent is its proof. Names were taken for UTC, or
// for whatever the timezone of the machine made of them.
func TestNamesOfTimezonesInDatesHaveOneMeaning(t *testing.T) {
	t.Parallel()
	for value, want := range map[string]string{
		"2024-05-01 12:00:00 UTC":           "2024-05-01T12:00:00Z",
		"2024-05-01 12:00:00 GMT":           "2024-05-01T12:00:00Z",
		"2024-05-01 12:00:00 GMT+3":         "2024-05-01T09:00:00Z",
		"2024-05-01 12:00:00 GMT-8":         "2024-05-01T20:00:00Z",
		"2024-05-01 12:00:00 PDT":           "2024-05-01T19:00:00Z",
		"2024-01-31 23:30:00 PST":           "2024-02-01T07:30:00Z",
		"2024-01-31 23:30:00 EST":           "2024-02-01T04:30:00Z",
		"2024-05-01 00:30:00 CEST":          "2024-04-30T22:30:00Z",
		"2024-01-01 00:30:00 CET":           "2023-12-31T23:30:00Z",
		"2024-01-01 00:30:00 NST":           "2024-01-01T04:00:00Z",
		"2024-01-01 09:30:00 ACST":          "2024-01-01T00:00:00Z",
		"Wed, 01 May 2024 12:00:00 GMT":     "2024-05-01T12:00:00Z",
		"Wed, 01 May 2024 12:00:00 EDT":     "2024-05-01T16:00:00Z",
		"Wed May  1 12:00:00 CEST 2024":     "2024-05-01T10:00:00Z",
		"Wed May  1 12:00:00 PDT 2024":      "2024-05-01T19:00:00Z",
		"2024-05-01 12:00:00 +0200 CEST":    "2024-05-01T10:00:00Z",
		"2024-05-01 12:00:00 +0530 IST":     "2024-05-01T06:30:00Z",
		"2024-05-01 12:00:00 +0000 UTC":     "2024-05-01T12:00:00Z",
		"Wed, 01 May 2024 12:00:00 -0700":   "2024-05-01T19:00:00Z",
		"2024-05-01T12:00:00+02:00":         "2024-05-01T10:00:00Z",
		"2024-05-01T12:00:00-0330":          "2024-05-01T15:30:00Z",
		"2024-05-01 12:00:00 +0000":         "2024-05-01T12:00:00Z",
		"2024-05-01 12:00:00 +03":           "2024-05-01T09:00:00Z",
		"2024-05-01 12:00:00.123+02":        "2024-05-01T10:00:00Z", // PostgreSQL
		"2024-05-01 12:00:00-05":            "2024-05-01T17:00:00Z",
		"2024-05-01 12:00:00Z":              "2024-05-01T12:00:00Z",
		"2024-05-01 12:00:00":               "2024-05-01T12:00:00Z",
		"2024-05-01":                        "2024-05-01T00:00:00Z",
		"2024-05-01 12:00:00 IST":           "", // of India, Israel or Ireland
		"2024-05-01 12:00:00 BST":           "", // of Britain or Bangladesh
		"2024-05-01 12:00:00 XYZ":           "",
		"Wed, 01 May 2024 12:00:00 AST":     "",
		"Wed May  1 12:00:00 BST 2024":      "",
		"2024-05-01 12:00:00 Europe/Zurich": "",
		"2024-05-01 12:00:00 cest":          "",
		"2024-02-30 12:00:00 UTC":           "",
		"2024-05-01 25:00:00 CET":           "",
	} {
		at, ok := dateOf(value)
		got := ""
		if ok {
			got = at.Format(time.RFC3339)
		}
		if got != want {
			t.Errorf("%q is read as %q, want %q", value, got, want)
		}
	}
}

// TestEveryKnownTimezoneNameIsReadInEachForm has all names, in all forms of dates that may hold one.
func TestEveryKnownTimezoneNameIsReadInEachForm(t *testing.T) {
	t.Parallel()
	noon := time.Date(2024, 5, 1, 12, 0, 0, 0, time.UTC)
	for name, hours := range zoneHours {
		want := noon.Add(-time.Duration(hours * float64(time.Hour)))
		for _, layout := range []string{"2006-01-02 15:04:05 MST", time.RFC1123, time.UnixDate} {
			value := noon.In(time.FixedZone(name, 0)).Format(layout)
			if at, ok := dateOf(value); !ok || !at.Equal(want) || at.Location() != time.UTC {
				t.Errorf("%q is read as %v (%v), want %v", value, at, ok, want)
			}
		}
	}
}

// TestDatesWithoutOneMeaningRefuseTheirLine: the line is reported with its column, and can be imported without it.
func TestDatesWithoutOneMeaningRefuseTheirLine(t *testing.T) {
	t.Parallel()
	const list = "email,consented_at\na@x.org,2024-05-01 12:00:00 IST\nb@x.org,2024-05-01 12:00:00 CEST\n"
	want := "2 refused (date not understood) b:"
	if got := readStates(t, list, ListOptions{}); got != want {
		t.Errorf("%q, want %q", got, want)
	}
	if got := readStates(t, list, ListOptions{Ignore: []string{"consented_at"}}); got != "a: b:" {
		t.Errorf("without the column: %q", got)
	}
}

// TestDatesAreReadAsTheyWereWritten: every form in which a day is unambiguous gives the written instant back.
func TestDatesAreReadAsTheyWereWritten(t *testing.T) {
	t.Parallel()
	for _, at := range []time.Time{
		time.Date(1970, 1, 1, 0, 0, 0, 0, time.UTC), time.Date(2024, 2, 29, 23, 59, 59, 0, time.UTC),
		time.Date(2026, 12, 31, 12, 5, 0, 0, time.UTC), time.Date(2038, 1, 19, 3, 14, 8, 0, time.UTC),
	} {
		for _, layout := range dateLayouts {
			value := at.Format(layout)
			written, err := time.ParseInLocation(layout, value, time.UTC) // forms without a time keep the day alone
			if err != nil {
				t.Fatal(err)
			}
			if got, ok := dateOf(value); !ok || !got.Equal(written) {
				t.Errorf("%q in the form %q is read as %v (%v), want %v", value, layout, got, ok, written)
			}
		}
	}
}
