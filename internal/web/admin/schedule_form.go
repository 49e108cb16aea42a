package admin

import (
	"encoding/json"
	"fmt"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/tidings-press/tidings/internal/schedule"
	"github.com/tidings-press/tidings/internal/settings"
	"github.com/tidings-press/tidings/internal/words"
)

// scheduleForm is a schedule in a form: one of the presets, or a cron expression.
type scheduleForm struct {
	Field    *settingField // of the key
	When     string        // daily, workdays, weekly, monthly or cron
	Weekday  int           // of weekly
	Day      int           // of the month, of monthly
	Time     string        // such as 08:00; of all but cron
	Cron     string
	Timezone string
	Text     words.Text
	Next     []string // the next times, in the digest's timezone
	Hints    []words.Text
}

// The presets of schedules.
const (
	everyDay     = "daily"
	everyWorkday = "workdays"
	everyWeek    = "weekly"
	everyMonth   = "monthly"
	byCron       = "cron"
)

var presetPattern = regexp.MustCompile(`^(\d{1,2}) (\d{1,2}) (\*|\d{1,2}) \* (\*|[0-7]|1-5)$`)

// newScheduleForm returns the form of a cron expression.
func newScheduleForm(spec, timezone string) scheduleForm {
	out := scheduleForm{When: byCron, Weekday: 5, Day: 1, Time: "08:00", Cron: spec, Timezone: timezone}
	m := presetPattern.FindStringSubmatch(strings.Join(strings.Fields(spec), " "))
	if m == nil {
		return out
	}
	minute, _ := strconv.Atoi(m[1])
	hour, _ := strconv.Atoi(m[2])
	day, dayErr := strconv.Atoi(m[3])
	weekday, weekdayErr := strconv.Atoi(m[4])
	switch {
	case dayErr != nil && m[4] == "*":
		out.When = everyDay
	case dayErr != nil && m[4] == "1-5":
		out.When = everyWorkday
	case dayErr != nil && weekdayErr == nil:
		out.When, out.Weekday = everyWeek, weekday%7
	case dayErr == nil && m[4] == "*":
		out.When, out.Day = everyMonth, day
	default:
		return out
	}
	out.Time = fmt.Sprintf("%02d:%02d", hour, minute)
	return out
}

// readSchedule returns the schedule of a request, and its cron expression.
func readSchedule(posted url.Values) scheduleForm {
	out := scheduleForm{When: posted.Get("when"), Time: posted.Get("time"), Cron: strings.TrimSpace(posted.Get("cron")), Timezone: strings.TrimSpace(posted.Get("timezone"))}
	out.Weekday, _ = strconv.Atoi(posted.Get("weekday"))
	out.Day, _ = strconv.Atoi(posted.Get("day"))
	clock, err := time.Parse("15:04", out.Time)
	if err != nil || out.When == byCron {
		out.When = byCron
		return out
	}
	at := fmt.Sprintf("%d %d", clock.Minute(), clock.Hour())
	switch out.When {
	case everyDay:
		out.Cron = at + " * * *"
	case everyWorkday:
		out.Cron = at + " * * 1-5"
	case everyWeek:
		out.Cron = fmt.Sprintf("%s * * %d", at, out.Weekday)
	case everyMonth:
		out.Cron = fmt.Sprintf("%s %d * *", at, out.Day)
	}
	return out
}

// change returns the change of a key to this schedule.
func (s *scheduleForm) change(key string) settings.Change {
	value, _ := json.Marshal(s.Cron) // texts cannot fail
	return settings.Change{Key: key, Value: string(value)}
}

// shownTimes is how many of the next times are shown.
const shownTimes = 5

// describe fills in the text, the next times, and hints about changes of the clock. A schedule with an error has
// none.
func (s *scheduleForm) describe(l *words.Language, now time.Time) {
	times, err := schedule.Parse(s.Cron, s.Timezone)
	if err != nil {
		return
	}
	s.Text = times.Describe()
	for _, tick := range times.NextN(now, shownTimes) {
		s.Next = append(s.Next, l.DateTime(tick.At))
	}
	zone, err := schedule.LoadZone(times.Timezone())
	if err != nil {
		return
	}
	change, found := nextClockChange(now.In(zone))
	if !found {
		return
	}
	s.Hints = append(s.Hints, words.T("On {0} the clocks change there. The edition keeps its time on the clock.", l.Day(change)))
	wanted, err := time.Parse("15:04", s.Time)
	if err != nil || s.When == byCron {
		return
	}
	for _, tick := range times.NextN(now, 400) {
		if tick.At.Hour() != wanted.Hour() || tick.At.Minute() != wanted.Minute() {
			s.Hints = append(s.Hints, words.T("On {0} there is no {1}: the edition is sent at {2}.", l.Day(tick.At), s.Time, tick.At.Format("15:04")))
			return
		}
	}
}

// nextClockChange returns the day of the next change of the clock within a year.
func nextClockChange(now time.Time) (time.Time, bool) {
	_, offset := now.Zone()
	for day := range 366 {
		later := now.AddDate(0, 0, day)
		if _, changed := later.Zone(); changed != offset {
			return later, true
		}
	}
	return time.Time{}, false
}
