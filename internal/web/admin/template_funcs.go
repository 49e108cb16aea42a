package admin

import (
	"fmt"
	"html/template"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/tidings-press/tidings/internal/digest"
	"github.com/tidings-press/tidings/internal/subscriber"
	"github.com/tidings-press/tidings/internal/words"
)

// templateFuncs returns the functions of the page templates in a language. Times are shown in the
// site's timezone.
func (h *Handler) templateFuncs(l *words.Language) template.FuncMap {
	return template.FuncMap{
		"can":        h.can,
		"language":   func() string { return l.Tag },
		"languages":  h.languageList,
		"t":          func(text string, args ...any) any { return sayInPage(l, text, args) },
		"plural":     func(n any, one, other string, args ...any) any { return pluralInPage(l, n, one, other, args) },
		"translate":  l.Translate,
		"stored":     func(text string) string { return l.Translate(storedText(text)) },
		"number":     l.Number,
		"percent":    l.Percent,
		"int64":      func(n int) int64 { return int64(n) },
		"day":        func(t time.Time) string { return l.Day(t.In(h.zone)) },
		"shortday":   func(t time.Time) string { return l.ShortDay(t.In(h.zone)) },
		"longday":    func(t time.Time) string { return l.LongDay(t.In(h.zone)) },
		"month":      func(t time.Time) string { return l.Month(t.In(h.zone)) },
		"weekday":    l.ShortWeekday,
		"datetime":   func(t time.Time) string { return l.DateTime(t.In(h.zone)) },
		"datetimein": l.DateTime, // in the time’s own timezone
		"rfc3339":    func(t time.Time) string { return t.UTC().Format(time.RFC3339) },
		"until":      func(t time.Time) string { return l.Until(t.Sub(h.store.Now())) },
		"ago":        func(t time.Time) string { return l.Ago(h.store.Now().Sub(t)) },
		"duration":   l.Duration,
		"waits":      func(s digest.DeliveryState, reason string) string { return l.Translate(deliveryStateFor(s, reason)) },
		"outcome":    func(s digest.DeliveryState) string { return l.Translate(deliveryState(s)) },
		"state":      func(s digest.State) string { return l.Say(s.Label()) },
		"plus":       func(a, b int) int { return a + b },
		"named":      func(value any) string { return l.Translate(nameOf(value)) },
		"consent":    func(source string) string { return l.Translate(nameOf(consentSource(source))) },
		"sentence":   asSentence,
		"mailbox":    shownMailbox,
		"breakable":  breakable,
		"agent":      func(agent string) string { return l.Translate(describeAgent(agent)) },

		// HTML in place of {0} and so on
		"link":   func(path, text string) template.HTML { return element("a", text, "href", path) },
		"code":   func(text string) template.HTML { return element("code", text) },
		"strong": func(text string) template.HTML { return element("strong", text) },
		"moment": func(t time.Time) template.HTML {
			return element("time", l.DateTime(t.In(h.zone)), "datetime", t.UTC().Format(time.RFC3339))
		},
	}
}

// asSentence returns a text of a page with a capital letter and a full stop. Reasons are stored as parts of
// sentences. Of HTML it only adds the full stop. A text that begins with an address keeps its first letter.
func asSentence(text any) any {
	markup, isHTML := text.(template.HTML)
	if isHTML {
		return template.HTML(withFullStop(string(markup)))
	}
	s := fmt.Sprint(text)
	if first, _, _ := strings.Cut(s, " "); first != "" && !strings.ContainsAny(first, "@./") {
		r, size := utf8.DecodeRuneInString(s)
		s = string(unicode.ToUpper(r)) + s[size:]
	}
	return withFullStop(s)
}

func withFullStop(s string) string {
	if last, _ := utf8.DecodeLastRuneInString(s); s == "" || strings.ContainsRune(".!?…", last) {
		return s
	}
	return s + "."
}

// shownMailbox returns an address of an email as people read it, with its domain in Unicode.
func shownMailbox(address string) string {
	parsed, err := subscriber.ParseAddress(address)
	if err != nil {
		return address
	}
	return parsed.String()
}

// breakable returns a web address that may be wrapped after its slashes, and not only in the middle of a
// word.
func breakable(address string) template.HTML {
	return template.HTML(strings.ReplaceAll(template.HTMLEscapeString(address), "/", "/<wbr>"))
}

// storedText returns an English text of the store for a page. The reason of a delivery that was once in
// doubt has two parts.
func storedText(text string) words.Text {
	if first, latest, ok := strings.Cut(text, "; then: "); ok {
		return words.T("{0}; then: {1}", words.Stored(first), words.Stored(latest))
	}
	return words.T("{0}", words.Stored(text))
}

// sayInPage returns a text of a page: a string, or HTML if one of args is HTML.
func sayInPage(l *words.Language, text string, args []any) any {
	if hasHTML(args) {
		return l.SayHTML(text, args...)
	}
	return l.Say(text, args...)
}

// pluralInPage is like sayInPage, for texts with a number.
func pluralInPage(l *words.Language, n any, one, other string, args []any) any {
	if hasHTML(args) {
		return l.PluralHTML(n, one, other, args...)
	}
	return l.Plural(n, one, other, args...)
}

func hasHTML(args []any) bool {
	for _, arg := range args {
		if _, ok := arg.(template.HTML); ok {
			return true
		}
	}
	return false
}

// element returns an HTML element with a text and attributes.
func element(name, text string, attributes ...string) template.HTML {
	open := "<" + name
	for i := 0; i < len(attributes); i += 2 {
		open += " " + attributes[i] + `="` + template.HTMLEscapeString(attributes[i+1]) + `"`
	}
	return template.HTML(open + ">" + template.HTMLEscapeString(text) + "</" + name + ">")
}
