package schedule

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// Describe describes the schedule for people, such as "every Friday at 08:00 (Europe/Paris)".
func (s *Schedule) Describe() string {
	zone := " (" + s.zone.String() + ")"
	if s.every > 0 {
		return "every " + describeDuration(s.every) + zone
	}
	days, times := s.describeDays(), s.describeTimes()
	switch {
	case times == "":
		return "by " + strconv.Quote(s.spec) + zone
	case strings.HasPrefix(times, "every") && days == "every day":
		return times + zone
	case strings.HasPrefix(times, "every"):
		return times + " on " + strings.TrimPrefix(days, "on ") + zone
	}
	return days + " at " + times + zone
}

func describeDuration(d time.Duration) string {
	for _, unit := range []struct {
		length time.Duration
		name   string
	}{{24 * time.Hour, "day"}, {time.Hour, "hour"}, {time.Minute, "minute"}, {time.Second, "second"}} {
		if d%unit.length != 0 {
			continue
		}
		if d == unit.length {
			return unit.name
		}
		return fmt.Sprintf("%d %ss", d/unit.length, unit.name)
	}
	return d.String()
}

// maxTimes is how many times of day are listed individually.
const maxTimes = 6

// describeTimes describes the times of day. It returns "" when that would be too long.
func (s *Schedule) describeTimes() string {
	seconds, minutes, hours := valuesOf(s.rule.Second, 0, 59), valuesOf(s.rule.Minute, 0, 59), valuesOf(s.rule.Hour, 0, 23)
	switch {
	case len(seconds) > 1 && !s.fixed && len(minutes) == 60:
		return describeStep(seconds, 60, "second")
	case len(seconds) > 1 || seconds[0] != 0 && len(minutes) > 1:
		return ""
	case !s.fixed && len(minutes) == 1:
		return "every hour at minute " + strconv.Itoa(minutes[0])
	case !s.fixed:
		return describeStep(minutes, 60, "minute")
	case len(minutes)*len(hours) > maxTimes:
		return ""
	}
	var out []string
	for _, hour := range hours {
		for _, minute := range minutes {
			out = append(out, clock(hour, minute, seconds[0]))
		}
	}
	return joinWords(out)
}

func clock(hour, minute, second int) string {
	if second == 0 {
		return fmt.Sprintf("%02d:%02d", hour, minute)
	}
	return fmt.Sprintf("%02d:%02d:%02d", hour, minute, second)
}

// describeStep returns "every 15 minutes" for 0, 15, 30 and 45, and "" for irregular values.
func describeStep(values []int, whole int, unit string) string {
	step := whole / len(values)
	for i, v := range values {
		if step*len(values) != whole || v != i*step {
			return ""
		}
	}
	if step == 1 {
		return "every " + unit
	}
	return fmt.Sprintf("every %d %ss", step, unit)
}

// describeDays describes the days, such as "every Friday" or "on day 1 of the month".
func (s *Schedule) describeDays() string {
	months, weekdays, dates := valuesOf(s.rule.Month, 1, 12), valuesOf(s.rule.Dow, 0, 6), valuesOf(s.rule.Dom, 1, 31)
	var in string
	if len(months) < 12 {
		in = " in " + joinWords(names(months, func(m int) string { return time.Month(m).String() }))
	}
	var parts []string
	if len(weekdays) < 7 {
		parts = append(parts, describeWeekdays(weekdays))
	}
	if len(dates) < 31 {
		parts = append(parts, "on day "+joinWords(names(dates, strconv.Itoa))+" of the month")
	}
	if len(parts) == 2 && (starred(s.rule.Dom) || starred(s.rule.Dow)) {
		return strings.Join(parts, " ") + in
	}
	if len(parts) == 0 {
		parts = []string{"every day"}
	}
	return strings.Join(parts, " and ") + in
}

func describeWeekdays(weekdays []int) string {
	if len(weekdays) == 5 && weekdays[0] == 1 && weekdays[4] == 5 {
		return "every day from Monday to Friday"
	}
	return "every " + joinWords(names(weekdays, func(d int) string { return time.Weekday(d).String() }))
}

// starred reports whether a field was written with a star, which the library marks in the top bit.
func starred(field uint64) bool { return field>>63 == 1 }

// valuesOf returns the values whose bits are set in a field.
func valuesOf(field uint64, low, high int) []int {
	var out []int
	for v := low; v <= high; v++ {
		if field>>v&1 == 1 {
			out = append(out, v)
		}
	}
	return out
}

func names(values []int, format func(int) string) []string {
	out := make([]string, len(values))
	for i, v := range values {
		out[i] = format(v)
	}
	return out
}

func joinWords(words []string) string {
	if len(words) < 2 {
		return strings.Join(words, "")
	}
	last := len(words) - 1
	return strings.Join(words[:last], ", ") + " and " + words[last]
}
