package ingest

import (
	"fmt"
	"strings"
	"time"
)

// layouts are the ways in which people write dates, the most usual first. Those
// without a zone are read in the one that is given.
var layouts = []string{
	time.RFC3339, "2006-01-02", "2006-01-02T15:04:05", "2006-01-02T15:04", "2006-01-02 15:04:05", "2006-01-02 15:04",
	"2006-01-02 15:04:05 -0700", "2006-01-02 15:04:05 -07:00", "2006-01-02 15:04 -0700", "2006-01-02T15:04Z07:00", "2006-01-02 15:04:05Z07:00",
	"2006/01/02", time.RFC1123Z, time.RFC1123, "2 January 2006", "January 2, 2006", "January 2 2006", "Jan 2, 2006", "Jan 2 2006", "2 Jan 2006", "2006-1-2", "2006-01-02T15:04:05-0700",
}

// parseDate reads a date of any usual form. The result is in UTC, to the
// millisecond.
func parseDate(value any, zone *time.Location) (time.Time, error) {
	switch v := value.(type) {
	case time.Time:
		// TOML's dates without a zone come in one of this name, made of this machine's.
		if strings.HasSuffix(v.Location().String(), "-local") {
			v = time.Date(v.Year(), v.Month(), v.Day(), v.Hour(), v.Minute(), v.Second(), v.Nanosecond(), zone)
		}
		return utc(v)
	case fmt.Stringer:
		value = v.String()
	}
	text, ok := value.(string)
	if !ok {
		return time.Time{}, fmt.Errorf("%v is no date", value)
	}
	text = strings.TrimSpace(text)
	for _, layout := range layouts {
		if t, err := time.ParseInLocation(layout, text, zone); err == nil {
			if madeUp(layout, t) {
				break
			}
			return utc(t)
		}
	}
	return time.Time{}, fmt.Errorf("%q is no date", text)
}

// utc refuses a year that is not of four digits in UTC, where all dates are kept and
// shown: feeds cannot write it (RFC 3339, section 1).
func utc(t time.Time) (time.Time, error) {
	if t = t.UTC().Truncate(time.Millisecond); t.Year() < 1000 || t.Year() > 9999 {
		return time.Time{}, fmt.Errorf("the year %d is none of four digits", t.Year())
	}
	return t, nil
}

// madeUp says whether the zone was only guessed: package time takes abbreviations
// that it does not know, such as CEST, for UTC.
func madeUp(layout string, t time.Time) bool {
	name, offset := t.Zone()
	return layout == time.RFC1123 && offset == 0 && name != "GMT" && name != "UTC"
}
