package schedule

import (
	"strconv"
	"strings"
	"time"

	"github.com/robfig/cron/v3"

	"github.com/tidings-press/tidings/internal/words"
)

// Error reports what is wrong with a spec or timezone, and how to fix it.
type Error struct {
	Spec    string
	Problem words.Text
	Fix     words.Text
}

func (e *Error) Error() string { return e.Text().String() }

// Text returns the error for pages.
func (e *Error) Text() words.Text {
	return words.T("schedule {0}: {1}; use {2}", strconv.Quote(e.Spec), e.Problem, e.Fix)
}

var fieldsFix = words.T(`five fields (minute hour day-of-month month day-of-week) such as "0 8 * * 5", six with seconds first, or @weekly`)

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
		return nil, &Error{Spec: spec, Problem: words.T("{0}", err), Fix: words.T("an IANA name such as Europe/Paris, or UTC")}
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
			return "", "", &Error{Spec: spec, Problem: words.T("no schedule follows the timezone"), Fix: words.Verbatim(prefix + "Europe/Paris 0 8 * * 5")}
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
		return &Error{Spec: spec[:min(len(spec), 80)], Problem: words.T("it is not a cron spec"), Fix: fieldsFix}
	}
	if spec == "" {
		return &Error{Spec: spec, Problem: words.T("it is empty"), Fix: fieldsFix}
	}
	parsed, err := parser.Parse(replaceSundays(spec))
	if err != nil {
		return explain(spec)
	}
	switch rule := parsed.(type) {
	case cron.ConstantDelaySchedule:
		return s.setInterval(rule.Delay)
	case *cron.SpecSchedule:
		return s.setRule(rule)
	}
	return &Error{Spec: spec, Problem: words.T("it is not a cron spec"), Fix: fieldsFix}
}

// setInterval sets the interval of @every. It parses the interval again, since the library turns
// anything below a second, even negative values, into a second.
func (s *Schedule) setInterval(delay time.Duration) error {
	written, err := time.ParseDuration(strings.TrimSpace(strings.TrimPrefix(s.spec, "@every")))
	if err != nil || written != delay {
		return &Error{Spec: s.spec, Problem: words.T("the interval is not a whole number of seconds"), Fix: words.T("@every 90m, with at least a second")}
	}
	s.every = delay
	return nil
}

// setRule sets the rule, and returns an error if it never fires.
func (s *Schedule) setRule(rule *cron.SpecSchedule) error {
	for _, field := range []uint64{rule.Second, rule.Minute, rule.Hour, rule.Dom, rule.Month, rule.Dow} {
		if field == 0 { // a lone comma
			return &Error{Spec: s.spec, Problem: words.T("a field is empty"), Fix: fieldsFix}
		}
	}
	rule.Location = time.UTC
	s.rule = rule
	s.fixed = rule.Hour&allHours != allHours
	if _, ok := s.nextWall(time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC)); !ok {
		return &Error{Spec: s.spec, Problem: words.T("it never fires: none of its months has this day"), Fix: words.T("a day of month that the month has")}
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

// field is a field of a cron spec.
type field struct {
	name     words.Text
	min, max int
}

// fields are the fields in their order; seconds may be left out.
var fields = []field{
	{words.T("second"), 0, 59}, {words.T("minute"), 0, 59}, {words.T("hour"), 0, 23},
	{words.T("day of the month"), 1, 31}, {words.T("month"), 1, 12}, {words.T("day of the week"), 0, 7},
}

// explain returns the reason why the library refused a spec. Its own errors exist in English only and do not name the
// field.
func explain(spec string) error {
	if rest, found := strings.CutPrefix(spec, "@"); found {
		if name, _, _ := strings.Cut(rest, " "); name == "every" {
			return &Error{Spec: spec, Problem: words.T("the interval is not a duration"), Fix: words.T("a duration such as @every 90m")}
		}
		return &Error{Spec: spec, Problem: words.T("there is no such word for a schedule"), Fix: words.T("@yearly, @monthly, @weekly, @daily, @hourly or @every 90m")}
	}
	written := strings.Fields(spec)
	if n := len(written); n != len(fields) && n != len(fields)-1 {
		return &Error{Spec: spec, Problem: words.T("the number of its fields is {0}", n), Fix: fieldsFix}
	}
	of := fields[len(fields)-len(written):]
	for i, text := range written {
		for item := range strings.SplitSeq(text, ",") {
			if err := of[i].explain(item); err != nil {
				err.Spec = spec
				return err
			}
		}
	}
	return &Error{Spec: spec, Problem: words.T("it is not a cron spec"), Fix: fieldsFix}
}

// explain returns the reason why the library refuses an item of the field's list; it returns nil if it does not.
func (f field) explain(item string) *Error {
	if item == "" {
		return nil
	}
	one := []string{"*", "*", "*", "*", "*"} // a spec with this item alone
	at := map[int]int{59: 0, 23: 1, 31: 2, 12: 3, 7: 4}[f.max]
	one[at] = item
	_, err := parser.Parse(replaceSundays(strings.Join(one, " ")))
	if err == nil {
		return nil
	}
	switch what := err.Error(); {
	case strings.Contains(what, "above maximum"), strings.Contains(what, "below minimum"):
		return &Error{
			Problem: words.T("{0} in the field “{1}” is out of range", strconv.Quote(item), f.name),
			Fix:     words.T("a number from {0} to {1}", f.min, f.max),
		}
	case strings.Contains(what, "beyond end of range"):
		return &Error{
			Problem: words.T("the range {0} in the field “{1}” ends before it begins", strconv.Quote(item), f.name),
			Fix:     words.T("a range from lower to higher, or two with a comma: 5-6,0-1"),
		}
	case strings.Contains(what, "step of range"):
		return &Error{
			Problem: words.T("the step of {0} in the field “{1}” is 0", strconv.Quote(item), f.name),
			Fix:     words.T("a step of at least 1, such as */15"),
		}
	}
	return &Error{
		Problem: words.T("{0} in the field “{1}” cannot be read", strconv.Quote(item), f.name),
		Fix:     words.T("numbers, names such as MON or JAN, *, lists, ranges and steps"),
	}
}
