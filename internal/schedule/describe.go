package schedule

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// Describe says the schedule for people, such as "every Friday at 08:00 (Europe/Paris)".
func (s *Schedule) Describe() string {
	zone := " (" + s.zone.String() + ")"
	if s.every > 0 {
		return "every " + describeDuration(s.every) + zone
	}
	days, times := s.days(), s.times()
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

// maxTimes is how many times of day are listed one by one.
const maxTimes = 6

// times says the time of day, "" when that takes too many words.
func (s *Schedule) times() string {
	seconds, minutes, hours := set(s.rule.Second, 0, 59), set(s.rule.Minute, 0, 59), set(s.rule.Hour, 0, 23)
	switch {
	case len(seconds) > 1 && !s.fixed && len(minutes) == 60:
		return stepWords(seconds, 60, "second")
	case len(seconds) > 1 || seconds[0] != 0 && len(minutes) > 1:
		return ""
	case !s.fixed && len(minutes) == 1:
		return "every hour at minute " + strconv.Itoa(minutes[0])
	case !s.fixed:
		return stepWords(minutes, 60, "minute")
	case len(minutes)*len(hours) > maxTimes:
		return ""
	}
	var out []string
	for _, hour := range hours {
		for _, minute := range minutes {
			out = append(out, clock(hour, minute, seconds[0]))
		}
	}
	return list(out)
}

func clock(hour, minute, second int) string {
	if second == 0 {
		return fmt.Sprintf("%02d:%02d", hour, minute)
	}
	return fmt.Sprintf("%02d:%02d:%02d", hour, minute, second)
}

// stepWords says "every 15 minutes" of 0, 15, 30 and 45.
func stepWords(values []int, whole int, unit string) string {
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

// days says on which days: "every Friday", "on day 1 of January".
func (s *Schedule) days() string {
	months, weekdays, dates := set(s.rule.Month, 1, 12), set(s.rule.Dow, 0, 6), set(s.rule.Dom, 1, 31)
	var in string
	if len(months) < 12 {
		in = " in " + list(names(months, func(m int) string { return time.Month(m).String() }))
	}
	var parts []string
	if len(weekdays) < 7 {
		parts = append(parts, weekdayWords(weekdays))
	}
	if len(dates) < 31 {
		parts = append(parts, "on day "+list(names(dates, strconv.Itoa))+" of the month")
	}
	if len(parts) == 2 && (starred(s.rule.Dom) || starred(s.rule.Dow)) {
		return strings.Join(parts, " ") + in
	}
	if len(parts) == 0 {
		parts = []string{"every day"}
	}
	return strings.Join(parts, " and ") + in
}

func weekdayWords(weekdays []int) string {
	if len(weekdays) == 5 && weekdays[0] == 1 && weekdays[4] == 5 {
		return "every day from Monday to Friday"
	}
	return "every " + list(names(weekdays, func(d int) string { return time.Weekday(d).String() }))
}

// starred is how the library marks a field written with a star.
func starred(field uint64) bool { return field>>63 == 1 }

// set lists the values of a field's bits.
func set(field uint64, low, high int) []int {
	var out []int
	for v := low; v <= high; v++ {
		if field>>v&1 == 1 {
			out = append(out, v)
		}
	}
	return out
}

func names(values []int, name func(int) string) []string {
	out := make([]string, len(values))
	for i, v := range values {
		out[i] = name(v)
	}
	return out
}

func list(words []string) string {
	if len(words) < 2 {
		return strings.Join(words, "")
	}
	last := len(words) - 1
	return strings.Join(words[:last], ", ") + " and " + words[last]
}
