package schedule

import (
	"fmt"
	"strconv"
	"time"

	"github.com/tidings-press/tidings/internal/words"
)

// Describe describes the schedule for people, such as "every Friday at 08:00 (Europe/Paris)".
func (s *Schedule) Describe() words.Text {
	return words.T("{0} ({1})", s.describe(), s.zone.String())
}

func (s *Schedule) describe() words.Text {
	if s.every > 0 {
		return describeInterval(s.every)
	}
	times, repeated := s.describeTimes()
	switch {
	case times.IsZero():
		return words.T("by the cron expression {0}", strconv.Quote(s.spec))
	case repeated && s.daily():
		return times
	case repeated:
		return words.T("{0}, {1}", times, s.describeDays())
	}
	return words.T("{0} at {1}", s.describeDays(), times)
}

// step are the texts for something that happens every so often.
type step struct {
	length    time.Duration
	one, more words.Text // more has the number in place of {0}
}

var steps = []step{
	{24 * time.Hour, words.T("every day"), words.T("every {0} days")},
	{time.Hour, words.T("every hour"), words.T("every {0} hours")},
	{time.Minute, words.T("every minute"), words.T("every {0} minutes")},
	{time.Second, words.T("every second"), words.T("every {0} seconds")},
}

// describeInterval describes an interval of whole seconds.
func describeInterval(d time.Duration) words.Text {
	for _, s := range steps {
		switch {
		case d == s.length:
			return s.one
		case d%s.length == 0:
			text := s.more
			text.Args = []any{int64(d / s.length)}
			return text
		}
	}
	return words.T("every {0}", d.String())
}

// maxTimes is how many times of day are listed individually.
const maxTimes = 6

// describeTimes describes the times of day; it returns no text if that would be too long. repeated
// reports that they come in a regular step, and not at fixed times of day.
func (s *Schedule) describeTimes() (text words.Text, repeated bool) {
	seconds, minutes, hours := valuesOf(s.rule.Second, 0, 59), valuesOf(s.rule.Minute, 0, 59), valuesOf(s.rule.Hour, 0, 23)
	switch {
	case len(seconds) > 1 && !s.fixed && len(minutes) == 60:
		return describeStep(seconds, time.Second), true
	case len(seconds) > 1 || seconds[0] != 0 && len(minutes) > 1:
		return words.Text{}, false
	case !s.fixed && len(minutes) == 1:
		return words.T("every hour at minute {0}", minutes[0]), true
	case !s.fixed:
		return describeStep(minutes, time.Minute), true
	case len(minutes)*len(hours) > maxTimes:
		return words.Text{}, false
	}
	var out []string
	for _, hour := range hours {
		for _, minute := range minutes {
			out = append(out, clock(hour, minute, seconds[0]))
		}
	}
	return words.List(out...), false
}

func clock(hour, minute, second int) string {
	if second == 0 {
		return fmt.Sprintf("%02d:%02d", hour, minute)
	}
	return fmt.Sprintf("%02d:%02d:%02d", hour, minute, second)
}

// describeStep returns "every 15 minutes" for 0, 15, 30 and 45 of sixty units, and no text for
// irregular values.
func describeStep(values []int, unit time.Duration) words.Text {
	const whole = 60
	step := whole / len(values)
	for i, v := range values {
		if step*len(values) != whole || v != i*step {
			return words.Text{}
		}
	}
	return describeInterval(time.Duration(step) * unit)
}

// daily reports whether the schedule fires on every day.
func (s *Schedule) daily() bool {
	weekdays, dates := s.days()
	return len(valuesOf(s.rule.Month, 1, 12)) == 12 && len(weekdays) == 7 && len(dates) == 31
}

// days returns the days of the week and of the month. When both are given without a star, either one fires,
// so a field that lists all days makes every day one: "0 8 1 * 0-6" fires daily.
func (s *Schedule) days() (weekdays, dates []int) {
	weekdays, dates = valuesOf(s.rule.Dow, 0, 6), valuesOf(s.rule.Dom, 1, 31)
	if !starred(s.rule.Dom) && !starred(s.rule.Dow) && (len(weekdays) == 7 || len(dates) == 31) {
		return valuesOf(^uint64(0), 0, 6), valuesOf(^uint64(0), 1, 31)
	}
	return weekdays, dates
}

// describeDays describes the days, such as "every Friday" or "on day 1 of the month".
func (s *Schedule) describeDays() words.Text {
	months := valuesOf(s.rule.Month, 1, 12)
	weekdays, dates := s.days()
	days := words.T("every day")
	switch byWeekday, byDate := describeWeekdays(weekdays), words.T("on day {0} of the month", words.List(dates...)); {
	case len(weekdays) < 7 && len(dates) < 31 && (starred(s.rule.Dom) || starred(s.rule.Dow)):
		days = words.T("{0} {1}", byWeekday, byDate)
	case len(weekdays) < 7 && len(dates) < 31:
		days = words.T("{0} and {1}", byWeekday, byDate)
	case len(weekdays) < 7:
		days = byWeekday
	case len(dates) < 31:
		days = byDate
	}
	if len(months) == 12 {
		return days
	}
	named := make([]time.Month, len(months))
	for i, m := range months {
		named[i] = time.Month(m)
	}
	return words.T("{0} in {1}", days, words.List(named...))
}

func describeWeekdays(weekdays []int) words.Text {
	if len(weekdays) == 5 && weekdays[0] == 1 && weekdays[4] == 5 {
		return words.T("every day from Monday to Friday")
	}
	named := make([]time.Weekday, len(weekdays))
	for i, d := range weekdays {
		named[i] = time.Weekday(d)
	}
	return words.T("every {0}", words.List(named...))
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
