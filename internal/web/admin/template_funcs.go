package admin

import (
	"fmt"
	"html/template"
	"time"

	"golang.org/x/text/language"
	"golang.org/x/text/message"

	"github.com/tidings-press/tidings/internal/digest"
)

func (h *Handler) templateFuncs() template.FuncMap {
	return template.FuncMap{
		"number":  number,
		"many":    many,
		"when":    func(t time.Time) string { return t.In(h.zone).Format("Mon 2 Jan 2006, 15:04") },
		"machine": func(t time.Time) string { return t.UTC().Format(time.RFC3339) },
		"until":   func(t time.Time) string { return until(t.Sub(h.store.Now())) },
		"ago":     func(t time.Time) string { return ago(h.store.Now().Sub(t)) },
		"long":    long,
		"state":   func(s digest.State) string { return stateWords[s] },
	}
}

var english = message.NewPrinter(language.English)

// number writes a whole number such as 1,204.
func number(n any) string { return english.Sprintf("%d", n) }

// many writes "1 reader" or "1,204 readers".
func many(n any, one, more string) string {
	if written := number(n); written != "1" {
		return written + " " + more
	}
	return "1 " + one
}

// stateWords say what an edition does, for people.
var stateWords = map[digest.State]string{
	digest.Draft: "waits for approval", digest.Approved: "about to go", digest.Sending: "sending", digest.Paused: "paused",
	digest.Sent: "sent", digest.Cancelled: "cancelled", digest.Failed: "failed",
}

func until(d time.Duration) string {
	if d <= 0 {
		return "now"
	}
	return "in " + long(d)
}

func ago(d time.Duration) string {
	if d < time.Minute {
		return "just now"
	}
	return long(d) + " ago"
}

// long writes a duration as people say it, in its largest unit.
func long(d time.Duration) string {
	switch {
	case d < 2*time.Minute:
		return many(max(1, int64(d.Round(time.Second)/time.Second)), "second", "seconds")
	case d < 2*time.Hour:
		return many(int64(d/time.Minute), "minute", "minutes")
	case d < 48*time.Hour:
		return many(int64(d/time.Hour), "hour", "hours")
	}
	return many(int64(d/(24*time.Hour)), "day", "days")
}

// share is how much of a whole a part is, for people.
func share(part, whole int64) string {
	if whole == 0 {
		return "0 %"
	}
	return fmt.Sprintf("%d %%", part*100/whole)
}
