package words

import (
	"strings"
	"time"
)

// formats are the formats of dates in a language. In layouts, months and weekdays are those of package
// time; they are replaced by the names.
type formats struct {
	day, dateTime, fullDay, longDay, longDateTime, month, shortDay string
	months, shortMonths                                            []string
	weekdays, shortWeekdays                                        []string // Sunday first
}

var byLanguage = map[string]formats{
	"en": {
		day: "2 Jan 2006", dateTime: "Mon 2 Jan 2006, 15:04 MST", fullDay: "2 January 2006", longDay: "Monday 2 January 2006", longDateTime: "Monday, 2 January 2006 at 15:04 MST", month: "January 2006", shortDay: "2 Jan",
		months:        strings.Fields("January February March April May June July August September October November December"),
		shortMonths:   strings.Fields("Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec"),
		weekdays:      strings.Fields("Sunday Monday Tuesday Wednesday Thursday Friday Saturday"),
		shortWeekdays: strings.Fields("Sun Mon Tue Wed Thu Fri Sat"),
	},
	"fr": {
		day: "2 Jan 2006", dateTime: "Mon 2 Jan 2006, 15:04 MST", fullDay: "2 January 2006", longDay: "Monday 2 January 2006", longDateTime: "Monday 2 January 2006 à 15:04 MST", month: "January 2006", shortDay: "2 Jan",
		months:        strings.Fields("janvier février mars avril mai juin juillet août septembre octobre novembre décembre"),
		shortMonths:   strings.Fields("janv. févr. mars avr. mai juin juil. août sept. oct. nov. déc."),
		weekdays:      strings.Fields("dimanche lundi mardi mercredi jeudi vendredi samedi"),
		shortWeekdays: strings.Fields("dim. lun. mar. mer. jeu. ven. sam."),
	},
	"de": {
		day: "2. Jan 2006", dateTime: "Mon, 2. Jan 2006, 15:04 MST", fullDay: "2. January 2006", longDay: "Monday, 2. January 2006", longDateTime: "Monday, 2. January 2006, 15:04 MST", month: "January 2006", shortDay: "2. Jan",
		months:        strings.Fields("Januar Februar März April Mai Juni Juli August September Oktober November Dezember"),
		shortMonths:   strings.Fields("Jan. Feb. März Apr. Mai Juni Juli Aug. Sept. Okt. Nov. Dez."),
		weekdays:      strings.Fields("Sonntag Montag Dienstag Mittwoch Donnerstag Freitag Samstag"),
		shortWeekdays: strings.Fields("So. Mo. Di. Mi. Do. Fr. Sa."),
	},
}

func formatsOf(tag string) formats {
	if f, ok := byLanguage[tag]; ok {
		return f
	}
	return byLanguage["en"]
}

// Day formats a date, such as "27 Nov 2026".
func (l *Language) Day(t time.Time) string { return l.date(t, l.formats.day) }

// FullDay formats a date with the whole name of its month, such as "27 November 2026".
func (l *Language) FullDay(t time.Time) string { return l.date(t, l.formats.fullDay) }

// ShortDay formats a date without its year, such as "27 Nov".
func (l *Language) ShortDay(t time.Time) string { return l.date(t, l.formats.shortDay) }

// LongDay formats a date with its weekday, such as "Friday 27 November 2026".
func (l *Language) LongDay(t time.Time) string { return l.date(t, l.formats.longDay) }

// DateTime formats a time, such as "Fri 27 Nov 2026, 08:00 CET".
func (l *Language) DateTime(t time.Time) string { return l.date(t, l.formats.dateTime) }

// ShortMonth names the month of a time, such as "Nov".
func (l *Language) ShortMonth(t time.Time) string { return l.formats.shortMonths[t.Month()-1] }

// Month formats a month, such as "November 2026".
func (l *Language) Month(t time.Time) string { return l.date(t, l.formats.month) }

// Weekday returns the name of a weekday.
func (l *Language) Weekday(d time.Weekday) string { return l.formats.weekdays[d] }

// ShortWeekday returns the short name of a weekday.
func (l *Language) ShortWeekday(d time.Weekday) string { return l.formats.shortWeekdays[d] }

// date formats a time. The names of months and weekdays are put in after the digits, because the layouts of
// package time would read letters of other languages as parts of a layout.
func (l *Language) date(t time.Time, layout string) string {
	f := l.formats
	names := strings.NewReplacer(
		"January", "\x01", "Jan", "\x02", "Monday", "\x03", "Mon", "\x04",
	)
	digits := t.Format(names.Replace(layout))
	return strings.NewReplacer(
		"\x01", f.months[t.Month()-1], "\x02", f.shortMonths[t.Month()-1],
		"\x03", f.weekdays[t.Weekday()], "\x04", f.shortWeekdays[t.Weekday()],
	).Replace(digits)
}

// A unit is one in which durations are formatted: its length, and the texts for one and several, for
// the time until and since.
type unit struct {
	length                                 time.Duration
	one, other, inOne, inOther, ago1, agoN string
}

// units are the units of durations. The largest is used of which a duration has at least two.
var units = []unit{
	{24 * time.Hour, "{0} day", "{0} days", "in {0} day", "in {0} days", "{0} day ago", "{0} days ago"},
	{time.Hour, "{0} hour", "{0} hours", "in {0} hour", "in {0} hours", "{0} hour ago", "{0} hours ago"},
	{time.Minute, "{0} minute", "{0} minutes", "in {0} minute", "in {0} minutes", "{0} minute ago", "{0} minutes ago"},
	{time.Second, "{0} second", "{0} seconds", "in {0} second", "in {0} seconds", "{0} second ago", "{0} seconds ago"},
}

// split returns the unit of a duration, and how many of it the duration has.
func split(d time.Duration) (int64, unit) {
	for _, u := range units {
		if d >= 2*u.length {
			return int64(d / u.length), u
		}
	}
	return max(1, int64(d.Round(time.Second)/time.Second)), units[len(units)-1]
}

// Duration formats a duration, such as "90 seconds" or "3 hours".
func (l *Language) Duration(d time.Duration) string {
	n, u := split(d)
	return l.Plural(n, u.one, u.other)
}

// Until formats the time until something, such as "in 3 hours" or "now".
func (l *Language) Until(d time.Duration) string {
	if d <= 0 {
		return l.Say("now")
	}
	n, u := split(d)
	return l.Plural(n, u.inOne, u.inOther)
}

// Ago formats the time since something, such as "3 hours ago" or "just now".
func (l *Language) Ago(d time.Duration) string {
	if d < time.Minute {
		return l.Say("just now")
	}
	n, u := split(d)
	return l.Plural(n, u.ago1, u.agoN)
}
