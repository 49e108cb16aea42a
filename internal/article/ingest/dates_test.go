package ingest

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"
)

func TestDatesOfAllGeneratorsAreRead(t *testing.T) {
	t.Parallel()
	zone := time.FixedZone("", 2*3600)
	for text, want := range map[string]string{
		"2026-11-23":                              "2026-11-22T22:00:00Z",
		"2026-1-3":                                "2026-01-02T22:00:00Z",
		"2026/11/23":                              "2026-11-22T22:00:00Z",
		"2026.11.23":                              "2026-11-22T22:00:00Z",
		"20261123":                                "2026-11-22T22:00:00Z",
		"20261123T080910Z":                        "!",
		"2026年11月23日":                             "2026-11-22T22:00:00Z",
		"2026年11月23日 08:09":                       "2026-11-23T06:09:00Z",
		"2026-11-23T08:09:10Z":                    "2026-11-23T08:09:10Z",
		"2026-11-23t08:09:10.5+01:00":             "2026-11-23T07:09:10.5Z",
		"2026-11-23T08:09:10,123456789Z":          "2026-11-23T08:09:10.123Z",
		"2026-11-23 08:09 +0100":                  "2026-11-23T07:09:00Z",
		"2026-11-23 08:09:10 +0100 CET":           "2026-11-23T07:09:10Z",
		"2026-11-23 08:09 UTC+1":                  "2026-11-23T07:09:00Z",
		"2026-11-23 08:09 America/New_York":       "2026-11-23T13:09:00Z",
		"2026-11-23, 8 pm":                        "2026-11-23T18:00:00Z",
		"2026-11-23 12:30 a.m.":                   "2026-11-22T22:30:00Z",
		"2026-11-23 12:30 PM GMT":                 "2026-11-23T12:30:00Z",
		"Monday, November 23rd, 2026 at 8:09 pm":  "2026-11-23T18:09:00Z",
		"Nov. 23, 2026":                           "2026-11-22T22:00:00Z",
		"Sept 3 2026":                             "2026-09-02T22:00:00Z",
		"23 Nov 2026":                             "2026-11-22T22:00:00Z",
		"23. November 2026":                       "2026-11-22T22:00:00Z",
		"Mon, 23 Nov 2026 08:09:10 +0000 (UTC)":   "2026-11-23T08:09:10Z",
		"Mon Nov 23 08:09:10 CET 2026":            "2026-11-23T07:09:10Z",
		"Mon Nov 23 2026 08:09:10 GMT+0100 (CET)": "2026-11-23T07:09:10Z",
		"23/11/2026":                              "2026-11-22T22:00:00Z",
		"11/23/2026":                              "2026-11-22T22:00:00Z",
		"11/11/2026":                              "2026-11-10T22:00:00Z",
		"23.11.2026 8:09":                         "2026-11-23T06:09:00Z",
		"2024-02-29":                              "2024-02-28T22:00:00Z",
		" 2026-11-23\t":                           "2026-11-22T22:00:00Z",
		"2026-11-23T08:09:10+15:00":               "2026-11-22T17:09:10Z",
		"9999-12-31":                              "9999-12-30T22:00:00Z",
		"1000-01-02":                              "1000-01-01T22:00:00Z",
	} {
		at, err := parseDate(text, zone)
		got := "!"
		if err == nil {
			got = at.Format("2006-01-02T15:04:05.999Z07:00")
		}
		if got != want {
			t.Errorf("%q is %s, %v; want %s", text, got, err, want)
		}
	}
}

func TestDatesThatCannotBeReadSayWhy(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"":                             `"" is not a date`,
		"soon":                         `"soon" is not a date`,
		"2026":                         `"2026" is not a date`,
		"2026-11":                      `"2026-11" is not a date`,
		"26-11-23":                     `"26-11-23" is not a date`,
		"10000-01-01":                  `"10000-01-01" is not a date`,
		"-2026-11-23":                  `"-2026-11-23" is not a date`,
		"２０２６-11-23":                   `"２０２６-11-23" is not a date`, // digits of full width
		"2026‑11‑23":                   `"2026‑11‑23" is not a date`, // hyphens that do not break
		"2026-13-01":                   `"2026-13-01" is not a date: there is no such day`,
		"2026-02-29":                   `"2026-02-29" is not a date: there is no such day`,
		"2026-00-10":                   `"2026-00-10" is not a date: there is no such day`,
		"2026-11-31":                   `"2026-11-31" is not a date: there is no such day`,
		"Foo 3, 2026":                  `"Foo 3, 2026" is not a date: there is no such day`,
		"03/04/2026":                   `"03/04/2026" is not a date: day and month can be read in two ways`,
		"2026-11-23 24:00":             `"2026-11-23 24:00" is not a date: there is no such time of day`,
		"2026-11-23 08:60":             `"2026-11-23 08:60" is not a date: there is no such time of day`,
		"2026-11-23 08:09:60":          `"2026-11-23 08:09:60" is not a date: there is no such time of day`,
		"2026-11-23 13 pm":             `"2026-11-23 13 pm" is not a date: there is no such hour`,
		"2026-11-23 0 am":              `"2026-11-23 0 am" is not a date: there is no such hour`,
		"2026-11-23 08:09 IST":         `"2026-11-23 08:09 IST" is not a date: "IST" is not a zone with one meaning`,
		"2026-11-23 08:09 Europe/Nope": `"2026-11-23 08:09 Europe/Nope" is not a date: "Europe/Nope" is not a zone`,
		"2026-11-23 08:09 ../etc":      `is not a zone with one meaning`,
		"2026-11-23T08:09+15:01":       `there is no zone +15:01`,
		"2026-11-23 and more":          `"and more" is not a zone with one meaning`,
		"0000-01-01":                   "the year 0 is none of four digits",
		"0999-12-31":                   "the year 999 is none of four digits",
		"9999-12-31 23:00 -02:00":      "the year 10000 is none of four digits",
	} {
		if at, err := parseDate(text, time.UTC); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, %v; want %s", text, at, err, want)
		}
	}
	for _, value := range []any{nil, true, 1.5, []any{"2026-11-23"}, map[string]any{}} {
		if _, err := parseDate(value, time.UTC); err == nil || err.Error() != fmt.Sprint(value)+" is not a date" {
			t.Errorf("%v: %v", value, err)
		}
	}
	if at, err := parseDate(int64(20261123), time.UTC); err != nil || at.Format(time.DateOnly) != "2026-11-23" {
		t.Errorf("a number of eight digits: %v, %v", at, err)
	}
	if at, err := parseDate(json.Number("20261123"), time.UTC); err != nil || at.Format(time.DateOnly) != "2026-11-23" {
		t.Errorf("the same in JSON: %v, %v", at, err)
	}
}

// TestAnyMomentIsReadInAnyForm writes random moments in the forms of usual programs.
func TestAnyMomentIsReadInAnyForm(t *testing.T) {
	t.Parallel()
	random := rand.New(rand.NewPCG(8, 8))
	zone, err := time.LoadLocation("Europe/Paris")
	if err != nil {
		t.Fatal(err)
	}
	layouts := map[string]time.Duration{ // with the precision
		time.RFC3339: time.Second, time.RFC3339Nano: time.Millisecond, time.RFC1123Z: time.Second, time.UnixDate: time.Second, "2006-01-02 15:04:05 -0700": time.Second, "2006-01-02 15:04:05 -07:00": time.Second,
		"2 January 2006 15:04 -0700": time.Minute, "January 2, 2006 3:04 PM -0700": time.Minute, "2006/01/02 15:04:05 -0700": time.Second, "Monday, 2 Jan 2006 15:04:05 -0700": time.Second, "2006-01-02T15:04:05.000Z07:00": time.Millisecond,
	}
	for range 500 {
		moment := time.UnixMilli(random.Int64N(4e12)).In(zone)
		for layout, precision := range layouts {
			text := moment.Format(layout)
			if got, err := parseDate(text, time.UTC); err != nil || !got.Equal(moment.Truncate(precision)) {
				t.Fatalf("%s is written %s and read as %v, %v", moment, text, got, err)
			}
		}
		// Without a zone that of the site counts. In the hour that occurs twice in autumn either one does.
		local := moment.Format("2006-01-02 15:04:05")
		if got, err := parseDate(local, zone); err != nil || got.In(zone).Format("2006-01-02 15:04:05") != local {
			t.Fatalf("%s is read as %v, %v", local, got.In(zone), err)
		}
	}
}

func TestDateOfAFileNameIsCutOff(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]string{
		"2026-11-23-the-harbour": "2026-11-23|the-harbour", "2026-1-3_x": "2026-1-3|x", "2026-11-23 x": "2026-11-23|x", "2026-11-23T x": "2026-11-23|x", "2026-11-23": "2026-11-23|2026-11-23",
		"2026-13-23-x": "|2026-13-23-x", "2026-11-23x": "|2026-11-23x", "x-2026-11-23": "|x-2026-11-23", "0000-01-01-x": "|0000-01-01-x", "2026-11-23-": "2026-11-23|2026-11-23-", "": "|",
	} {
		date, rest := cutNameDate(name)
		if date+"|"+rest != want {
			t.Errorf("%q: %s|%s, want %s", name, date, rest, want)
		}
	}
}
