package feed

import (
	"cmp"
	"net/mail"
	"regexp"
	"strings"
	"unicode"

	"golang.org/x/text/language"
)

// rightToLeft reports whether an article is written from right to left, by its language, or
// by the first letter of its text if the language is unknown.
func rightToLeft(tag, text string) bool {
	if parsed, err := language.Parse(tag); err == nil && tag != "" {
		script, _ := parsed.Script()
		switch script.String() {
		case "Arab", "Hebr", "Syrc", "Thaa", "Nkoo", "Adlm", "Rohg", "Mand", "Samr":
			return true
		}
		return false
	}
	for _, r := range text {
		if unicode.In(r, unicode.Arabic, unicode.Hebrew, unicode.Syriac, unicode.Thaana, unicode.Nko) {
			return true
		}
		if unicode.IsLetter(r) {
			return false
		}
	}
	return false
}

var mediaTypes = regexp.MustCompile(`^[a-z0-9][a-z0-9!#$&^_.+-]*/[a-z0-9][a-z0-9!#$&^_.+-]*$`)

// mediaType returns a media type without its parameters, or "" if it is invalid.
func mediaType(s string) string {
	s, _, _ = strings.Cut(s, ";")
	if s = strings.ToLower(strings.TrimSpace(s)); !mediaTypes.MatchString(s) {
		return ""
	}
	return s
}

var mailboxes = regexp.MustCompile(`^[A-Za-z0-9._%+'-]+@[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)*\.[A-Za-z]{2,}$`)

// mailbox returns a mail address, or "" if some validators would reject it.
func mailbox(s string) string {
	if s = strings.TrimSpace(s); !mailboxes.MatchString(s) {
		return ""
	}
	return s
}

// person converts "Name <address>" to the form of RSS: address (Name). fallback is used for a
// missing name. Characters with a meaning in mail headers (RFC 5322, section 3.2.1) are
// removed from the name, since programs that parse it as a header would split it there.
func person(s, fallback string) string {
	parsed, err := mail.ParseAddress(clean(s))
	if err != nil || mailbox(parsed.Address) == "" {
		return ""
	}
	local, _, _ := strings.Cut(parsed.Address, "@")
	return parsed.Address + " (" + cmp.Or(realName(parsed.Name), realName(fallback), local) + ")"
}

func realName(name string) string {
	return singleLine(strings.Map(func(r rune) rune {
		if strings.ContainsRune(`()<>[]:;@\,"`, r) {
			return ' '
		}
		return r
	}, name))
}

func emailOf(person string) string {
	email, _, _ := strings.Cut(person, " ")
	return email
}

func nameOf(person string) string {
	_, name, _ := strings.Cut(person, " (")
	return strings.TrimSuffix(name, ")")
}
