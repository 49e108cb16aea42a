package schedule

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/robfig/cron/v3"

	"github.com/tidings-press/tidings/internal/words"
)

// Error reports what is wrong with a spec or timezone, and how to fix it.
type Error struct {
	Spec    string
	Problem string
	Fix     string
}

func (e *Error) Error() string { return e.Text().String() }

// Text returns the error for pages.
func (e *Error) Text() words.Text {
	return words.T("schedule {0}: {1}; use {2}", strconv.Quote(e.Spec), words.Stored(e.Problem), words.Stored(e.Fix))
}

const fieldsFix = `five fields (minute hour day-of-month month day-of-week) such as "0 8 * * 5", six with seconds first, or @weekly`

var parser = cron.NewParser(cron.SecondOptional | cron.Minute | cron.Hour | cron.Dom | cron.Month | cron.Dow | cron.Descriptor)

// Parse reads a cron spec for a timezone (an IANA name; UTC when empty). A prefix TZ= or CRON_TZ=
// in the spec overrides timezone. Errors are of type *Error. A spec that never fires, such as one
// for 30 February, is an error.
func Parse(spec, timezone string) (*Schedule, error) {
	bare, timezone, err := cutZone(spec, timezone)
	if err != nil {
		return nil, err
	}
	zone, err := LoadZone(timezone)
	if err != nil {
		return nil, &Error{Spec: spec, Problem: err.Error(), Fix: "an IANA name such as Europe/Paris, or UTC"}
	}
	s := &Schedule{spec: bare, zone: zone}
	if err := s.parse(bare); err != nil {
		return nil, err
	}
	return s, nil
}

// cutZone removes the timezone prefix from a spec. The library would panic on a prefix without a
// schedule.
func cutZone(spec, timezone string) (bare, zone string, err error) {
	bare = strings.TrimSpace(spec)
	for _, prefix := range []string{"TZ=", "CRON_TZ="} {
		rest, found := strings.CutPrefix(bare, prefix)
		if !found {
			continue
		}
		end := strings.IndexAny(rest, " \t")
		if end < 0 {
			return "", "", &Error{Spec: spec, Problem: "no schedule follows the timezone", Fix: fmt.Sprintf("%sEurope/Paris 0 8 * * 5", prefix)}
		}
		return strings.TrimSpace(rest[end:]), rest[:end], nil
	}
	return bare, timezone, nil
}

// LoadZone finds a timezone by its IANA name; UTC when empty. It refuses "Local", which would
// differ between nodes.
func LoadZone(name string) (*time.Location, error) {
	if name == "" {
		return time.UTC, nil
	}
	zone, err := time.LoadLocation(name)
	if err != nil || name == "Local" {
		return nil, words.Errorf("timezone {0} is unknown", strconv.Quote(name))
	}
	return zone, nil
}

func (s *Schedule) parse(spec string) error {
	if len(spec) > 1000 || strings.ContainsAny(spec, "\r\n\x00") {
		return &Error{Spec: spec[:min(len(spec), 80)], Problem: "it is not a cron spec", Fix: fieldsFix}
	}
	if spec == "" {
		return &Error{Spec: spec, Problem: "it is empty", Fix: fieldsFix}
	}
	parsed, err := parser.Parse(replaceSundays(spec))
	if err != nil {
		return explain(spec, err)
	}
	switch rule := parsed.(type) {
	case cron.ConstantDelaySchedule:
		return s.setInterval(rule.Delay)
	case *cron.SpecSchedule:
		return s.setRule(rule)
	}
	return &Error{Spec: spec, Problem: "it is not a cron spec", Fix: fieldsFix}
}

// setInterval sets the interval of @every. It parses the interval again, since the library turns
// anything below a second, even negative values, into a second.
func (s *Schedule) setInterval(delay time.Duration) error {
	written, err := time.ParseDuration(strings.TrimSpace(strings.TrimPrefix(s.spec, "@every")))
	if err != nil || written != delay {
		return &Error{Spec: s.spec, Problem: "the interval is not a whole number of seconds", Fix: "@every 90m, with at least a second"}
	}
	s.every = delay
	return nil
}

// setRule sets the rule, and returns an error if it never fires.
func (s *Schedule) setRule(rule *cron.SpecSchedule) error {
	for _, field := range []uint64{rule.Second, rule.Minute, rule.Hour, rule.Dom, rule.Month, rule.Dow} {
		if field == 0 { // a lone comma
			return &Error{Spec: s.spec, Problem: "a field is empty", Fix: fieldsFix}
		}
	}
	rule.Location = time.UTC
	s.rule = rule
	s.fixed = rule.Hour&allHours != allHours
	if _, ok := s.nextWall(time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC)); !ok {
		return &Error{Spec: s.spec, Problem: "it never fires: none of its months has this day", Fix: "a day of month that the month has"}
	}
	return nil
}

const allHours = 1<<24 - 1

// replaceSundays replaces 7 in the day of week by 0. Most crons accept 7 for Sunday, but the
// library does not.
func replaceSundays(spec string) string {
	fields := strings.Fields(spec)
	if len(fields) < 5 {
		return spec
	}
	last := len(fields) - 1
	days := strings.Split(fields[last], ",")
	for i, day := range days {
		days[i] = replaceSunday(day)
	}
	fields[last] = strings.Join(days, ",")
	return strings.Join(fields, " ")
}

func replaceSunday(day string) string {
	if day == "7" {
		return "0"
	}
	from, ok := strings.CutSuffix(day, "-7")
	switch {
	case !ok:
		return day
	case from == "7":
		return "0"
	}
	return from + "-6,0"
}

// hints maps parts of the library's error messages to fixes.
var hints = []struct{ contains, fix string }{
	{"beyond end of range", "a range from lower to higher, or two with a comma: 5-6,0-1"},
	{"above maximum", "seconds and minutes 0-59, hours 0-23, days 1-31, months 1-12, weekdays 0-7"},
	{"below minimum", "seconds and minutes 0-59, hours 0-23, days 1-31, months 1-12, weekdays 0-7"},
	{"unrecognized descriptor", "@yearly, @monthly, @weekly, @daily, @hourly or @every 90m"},
	{"failed to parse duration", "a duration such as @every 90m"},
	{"failed to parse int", "numbers, names such as MON or JAN, *, lists, ranges and steps"},
	{"step of range", "a step of at least 1, such as */15"},
}

// explain turns an error of the library into an *Error.
func explain(spec string, err error) error {
	what := strings.ReplaceAll(err.Error(), "\n", " ")
	if cause := errors.Unwrap(err); cause != nil {
		what = cause.Error()
	}
	for _, hint := range hints {
		if strings.Contains(what, hint.contains) {
			return &Error{Spec: spec, Problem: what, Fix: hint.fix}
		}
	}
	return &Error{Spec: spec, Problem: what, Fix: fieldsFix}
}
