package admin

import (
	"fmt"
	"html/template"
	"strings"
	"time"

	"golang.org/x/text/language"
	"golang.org/x/text/message"

	"github.com/tidings-press/tidings/internal/digest"
)

// templateFuncs returns the functions of the page templates. Times are shown in the site's
// timezone.
func (h *Handler) templateFuncs() template.FuncMap {
	return template.FuncMap{
		"t":        translated,
		"agent":    describeAgent,
		"number":   number,
		"plural":   plural,
		"day":      func(t time.Time) string { return t.In(h.zone).Format("2 Jan 2006") },
		"datetime": func(t time.Time) string { return t.In(h.zone).Format("Mon 2 Jan 2006, 15:04 MST") },
		"rfc3339":  func(t time.Time) string { return t.UTC().Format(time.RFC3339) },
		"until":    func(t time.Time) string { return until(t.Sub(h.store.Now())) },
		"ago":      func(t time.Time) string { return ago(h.store.Now().Sub(t)) },
		"duration": duration,
		"state":    digest.State.Label,
	}
}

// translated returns a text of a page with args in place of {0}, {1} and so on.
func translated(text string, args ...any) string {
	pairs := make([]string, 0, 2*len(args))
	for i, arg := range args {
		pairs = append(pairs, fmt.Sprintf("{%d}", i), fmt.Sprint(arg))
	}
	return strings.NewReplacer(pairs...).Replace(text)
}

var english = message.NewPrinter(language.English)

// number formats a whole number with separators, such as 1,204.
func number(n any) string { return english.Sprintf("%d", n) }

// plural formats a number with a noun, such as "1 subscriber" or "1,204 subscribers".
func plural(n any, one, more string) string {
	if written := number(n); written != "1" {
		return written + " " + more
	}
	return "1 " + one
}

func until(d time.Duration) string {
	if d <= 0 {
		return "now"
	}
	return "in " + duration(d)
}

func ago(d time.Duration) string {
	if d < time.Minute {
		return "just now"
	}
	return duration(d) + " ago"
}

// duration formats a duration in the largest unit of which it has at least two.
func duration(d time.Duration) string {
	switch {
	case d < 2*time.Minute:
		return plural(max(1, int64(d.Round(time.Second)/time.Second)), "second", "seconds")
	case d < 2*time.Hour:
		return plural(int64(d/time.Minute), "minute", "minutes")
	case d < 48*time.Hour:
		return plural(int64(d/time.Hour), "hour", "hours")
	}
	return plural(int64(d/(24*time.Hour)), "day", "days")
}

// percent formats a percentage, such as "33 %".
func percent(part, whole int64) string {
	if whole == 0 {
		return "0 %"
	}
	return fmt.Sprintf("%d %%", part*100/whole)
}
