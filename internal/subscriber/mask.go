package subscriber

import (
	"strings"
	"unicode/utf8"
)

// Masked is the address for pages that a passed-on link opens: enough for its owner to
// recognise it, and no use to anybody else. ada@mail.example.org becomes a…@m….org.
func (a Address) Masked() string {
	if a.IsZero() {
		return ""
	}
	local, domain, _ := cutLast(a.String(), "@")
	name, top, dotted := cutLast(domain, ".")
	if !dotted {
		return first(local) + "…@" + first(domain) + "…"
	}
	return first(local) + "…@" + first(name) + "…." + top
}

func cutLast(s, sep string) (before, after string, found bool) {
	at := strings.LastIndex(s, sep)
	if at < 0 {
		return s, "", false
	}
	return s[:at], s[at+len(sep):], true
}

// first is the first letter of a text, or nothing of a quoted or numeric one.
func first(s string) string {
	s = strings.TrimLeft(s, `"[`)
	_, size := utf8.DecodeRuneInString(s)
	return s[:size]
}
