package ingest

import (
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// Patterns for the parts of dates, in the forms of the usual generators.
var (
	yearFirst   = regexp.MustCompile(`^(\d{4})(?:-(\d{1,2})-(\d{1,2})|/(\d{1,2})/(\d{1,2})|\.(\d{1,2})\.(\d{1,2})|(\d{2})(\d{2})(?:$|[^\d])|年(\d{1,2})月(\d{1,2})日)`)
	weekdayName = regexp.MustCompile(`(?i)^(?:mon|tues?|wed(?:nes)?|thu(?:rs)?|fri|sat(?:ur)?|sun)(?:day)?\.?,?\s+`)
	monthFirst  = regexp.MustCompile(`^([A-Za-z]{3,9})\.?\s+(\d{1,2})(?:st|nd|rd|th)?,?\s+(\d{4})\b`)
	dayFirst    = regexp.MustCompile(`^(\d{1,2})(?:st|nd|rd|th|\.)?[\s-]+([A-Za-z]{3,9})\.?,?[\s-]+(\d{4})\b`)
	yearLast    = regexp.MustCompile(`^([A-Za-z]{3})\s+(\d{1,2})\s+(\d{1,2}:\d{2}:\d{2})\s+([A-Za-z]+|[+-]\d{4})\s+(\d{4})$`) // the format of date(1)
	onlyNumbers = regexp.MustCompile(`^(\d{1,2})[/.-](\d{1,2})[/.-](\d{4})\b`)
	clock       = regexp.MustCompile(`^(?:[Tt,]\s*|\s+(?:at\s+)?|,?\s+)(\d{1,2})(?::(\d{2})(?::(\d{2})(?:[.,](\d{1,9}))?)?)?(?:\s*([AaPp]\.?[Mm])\b\.?)?`)
	offset      = regexp.MustCompile(`^(?:GMT|UTC)?([+-])(\d{1,2}):?(\d{2})?(?:\s+(?:[A-Z]{1,5}|[+-]\d{2,4}|\([^)]*\)))?$`)
	areaName    = regexp.MustCompile(`^[A-Z][A-Za-z_]+(?:/[A-Za-z_+-]+)+$`)
)

// zoneNames maps unambiguous abbreviations to offsets in minutes. RFC 5322, section 4.3 defines
// those of North America. Ambiguous ones, such as IST and BST, are refused.
var zoneNames = map[string]int{
	"Z": 0, "UTC": 0, "GMT": 0, "UT": 0, "WET": 0, "WEST": 60, "CET": 60, "CEST": 120, "MEZ": 60, "MESZ": 120, "EET": 120, "EEST": 180, "MSK": 180,
	"EST": -300, "EDT": -240, "CST": -360, "CDT": -300, "MST": -420, "MDT": -360, "PST": -480, "PDT": -420, "JST": 540, "KST": 540,
	"NZST": 720, "NZDT": 780, "AEST": 600, "AEDT": 660, "ACST": 570, "AWST": 480,
}

var errUnknownForm = errors.New("its form is not known")

// parseDate parses a date in any usual form. zone is used for dates without one. The result is
// in UTC, truncated to milliseconds.
func parseDate(value any, zone *time.Location) (time.Time, error) {
	switch v := value.(type) {
	case time.Time:
		// The TOML library returns dates without a zone in a zone of this name, with the offset
		// of this machine.
		if strings.HasSuffix(v.Location().String(), "-local") {
			v = time.Date(v.Year(), v.Month(), v.Day(), v.Hour(), v.Minute(), v.Second(), v.Nanosecond(), zone)
		}
		return utc(v)
	case fmt.Stringer:
		value = v.String()
	case int64: // 20220708 without quotes
		value = strconv.FormatInt(v, 10)
	}
	text, ok := value.(string)
	if !ok {
		return time.Time{}, fmt.Errorf("%v is not a date", value)
	}
	t, err := readDate(strings.TrimSpace(text), zone)
	switch {
	case errors.Is(err, errUnknownForm):
		return time.Time{}, fmt.Errorf("%q is not a date", text)
	case err != nil:
		return time.Time{}, fmt.Errorf("%q is not a date: %w", text, err)
	}
	return utc(t)
}

// civil is a date without time and zone.
type civil struct{ year, month, day int }

func readDate(text string, zone *time.Location) (time.Time, error) {
	text = weekdayName.ReplaceAllString(text, "")
	if found := yearLast.FindStringSubmatch(text); found != nil {
		text = fmt.Sprintf("%s %s %s %s %s", found[1], found[2], found[5], found[3], found[4])
	}
	day, rest, err := cutDay(text)
	if err != nil {
		return time.Time{}, err
	}
	if day.month < 1 || day.month > 12 || day.day < 1 || day.day > daysIn(day.year, day.month) {
		return time.Time{}, errors.New("there is no such day")
	}
	var at [4]int
	if found := clock.FindStringSubmatch(rest); found != nil && (found[2] != "" || found[5] != "") {
		if at, err = readClock(found); err != nil {
			return time.Time{}, err
		}
		rest = rest[len(found[0]):]
	}
	if rest = strings.TrimSpace(rest); rest != "" {
		if zone, err = readZone(rest); err != nil {
			return time.Time{}, err
		}
	}
	return time.Date(day.year, time.Month(day.month), day.day, at[0], at[1], at[2], at[3], zone), nil
}

func daysIn(year, month int) int {
	return time.Date(year, time.Month(month)+1, 0, 0, 0, 0, 0, time.UTC).Day()
}

// cutDay reads the day at the start of a date, and returns the rest.
func cutDay(text string) (day civil, rest string, err error) {
	if found := yearFirst.FindStringSubmatchIndex(text); found != nil {
		numbers := []int{atoi(text[found[2]:found[3]])}
		end := found[3]
		for i := 4; i < len(found); i += 2 {
			if found[i] >= 0 {
				numbers, end = append(numbers, atoi(text[found[i]:found[i+1]])), found[i+1]
			}
		}
		return civil{numbers[0], numbers[1], numbers[2]}, strings.TrimPrefix(text[end:], "日"), nil
	}
	if found := monthFirst.FindStringSubmatch(text); found != nil {
		return civil{atoi(found[3]), monthOf(found[1]), atoi(found[2])}, text[len(found[0]):], nil
	}
	if found := dayFirst.FindStringSubmatch(text); found != nil {
		return civil{atoi(found[3]), monthOf(found[2]), atoi(found[1])}, text[len(found[0]):], nil
	}
	if found := onlyNumbers.FindStringSubmatch(text); found != nil {
		first, second := atoi(found[1]), atoi(found[2])
		switch rest = text[len(found[0]):]; {
		case first > 12 || first == second:
			return civil{atoi(found[3]), second, first}, rest, nil
		case second > 12:
			return civil{atoi(found[3]), first, second}, rest, nil
		}
		return civil{}, "", errors.New("day and month can be read in two ways")
	}
	return civil{}, "", errUnknownForm
}

func atoi(digits string) int {
	n, _ := strconv.Atoi(digits) // cannot fail: callers pass a few digits
	return n
}

// monthOf returns the number of a month from its English name or its first three letters, or 0.
func monthOf(name string) int {
	for month := time.January; month <= time.December; month++ {
		if full := month.String(); strings.EqualFold(name, full) || strings.EqualFold(name, full[:3]) || strings.EqualFold(name, "Sept") && month == time.September {
			return int(month)
		}
	}
	return 0
}

// readClock returns hours, minutes, seconds and nanoseconds from a match of clock.
func readClock(found []string) (at [4]int, err error) {
	at[0], at[1], at[2] = atoi(found[1]), atoi(found[2]), atoi(found[3])
	at[3] = atoi((found[4] + "000000000")[:9])
	if half := strings.ToLower(found[5]); half != "" {
		if at[0] < 1 || at[0] > 12 {
			return at, errors.New("there is no such hour")
		}
		at[0] %= 12
		if half[0] == 'p' {
			at[0] += 12
		}
	}
	if at[0] > 23 || at[1] > 59 || at[2] > 59 {
		return at, errors.New("there is no such time of day")
	}
	return at, nil
}

func readZone(text string) (*time.Location, error) {
	if minutes, known := zoneNames[strings.ToUpper(text)]; known {
		return time.FixedZone("", minutes*60), nil
	}
	if found := offset.FindStringSubmatch(text); found != nil {
		seconds := atoi(found[2])*3600 + atoi(found[3])*60
		if seconds > 15*3600 || atoi(found[3]) > 59 {
			return nil, fmt.Errorf("there is no zone %s", text)
		}
		if found[1] == "-" {
			seconds = -seconds
		}
		return time.FixedZone("", seconds), nil
	}
	if areaName.MatchString(text) {
		if zone, err := time.LoadLocation(text); err == nil {
			return zone, nil
		}
	}
	return nil, fmt.Errorf("%q is not a zone with one meaning", text)
}

// utc converts a date to UTC. It refuses years without four digits, which feeds cannot hold
// (RFC 3339, section 1).
func utc(t time.Time) (time.Time, error) {
	if t = t.UTC().Truncate(time.Millisecond); t.Year() < 1000 || t.Year() > 9999 {
		return time.Time{}, fmt.Errorf("the year %d is none of four digits", t.Year())
	}
	return t, nil
}

// nameDate matches a date at the start of the name of a file or folder.
var nameDate = regexp.MustCompile(`^(\d{4}-\d{1,2}-\d{1,2})(?:[-_T ]+(.*))?$`)

// cutNameDate returns the date at the start of a name and the rest. If the name is only a date,
// the rest is the whole name.
func cutNameDate(name string) (date, rest string) {
	found := nameDate.FindStringSubmatch(name)
	if found == nil {
		return "", name
	}
	if _, err := parseDate(found[1], time.UTC); err != nil {
		return "", name
	}
	if found[2] == "" {
		return found[1], name
	}
	return found[1], found[2]
}
