package digest

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// MessageTemplate is the mail template of messages whose audience names none.
const MessageTemplate = "letter"

// ErrNoText refuses a message without a text.
var ErrNoText = errors.New("the message has no text")

// checkMessage returns an error for a message without a subject, or without a text for the
// subscribers in whose language there is none.
func (in Input) checkMessage() error {
	if !in.IsMessage() {
		return nil
	}
	if strings.TrimSpace(in.Subject) == "" {
		return errors.New("the message has no subject; spam filters refuse mails without one")
	}
	lang := in.language(Preferences{})
	if strings.TrimSpace(InLanguage(in.Edits.Intro, lang)) != "" {
		return nil
	}
	if len(in.Edits.Intro) > 0 {
		return fmt.Errorf("%w in %q, the language of subscribers for whom there is no other; add one in it, or one for every language", ErrNoText, lang)
	}
	return ErrNoText
}

// hasPage reports whether everyone may read the edition on the web.
func (in Input) hasPage() bool {
	audience, err := ParseAudience(in.Audience)
	return !in.IsMessage() || err == nil && audience.Public
}

// MessagePreferences returns the preferences of the variant of a message that a subscriber gets:
// the text in the language of mails to them or, if there is none, in that of the articles they
// read. Both are BCP 47 tags, or empty. Without a text in either they get the one for everyone.
func MessagePreferences(in Input, mailLanguage, language string) Preferences {
	for _, tag := range []string{mailLanguage, language} {
		for _, key := range []string{tag, canonical(tag)} {
			if key != "" && strings.TrimSpace(in.Edits.Intro[key]) != "" {
				return Preferences{MailLanguage: key}
			}
		}
	}
	return Preferences{}
}

// MessageVariants returns the preferences that give all variants of a message.
func MessageVariants(in Input) []Preferences {
	out := []Preferences{{}}
	for _, lang := range slices.Sorted(maps.Keys(in.Edits.Intro)) {
		if prefs := MessagePreferences(in, lang, ""); prefs.MailLanguage != "" {
			out = append(out, prefs)
		}
	}
	return out
}
