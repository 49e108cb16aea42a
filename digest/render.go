package digest

import (
	"errors"

	"github.com/tidings-press/tidings/templates"
)

// ErrEmpty says that an edition has nothing for a set of preferences. Its text is
// the reason that is recorded when the subscriber is skipped.
var ErrEmpty = errors.New("no article of this edition matches the reader's topics and language")

// Compose makes the draft of an edition: its subject and the ids of its articles.
// The caller adds what it knows of the schedule.
func Compose(in Issue) (Edition, error) {
	return Edition{}, errors.New("digest: not composed")
}

// Render makes the variant of an edition for one set of preferences. It returns
// ErrEmpty when nothing is left for them.
func Render(in Issue, prefs Preferences, set *templates.Set) (Variant, error) {
	return Variant{}, errors.New("digest: not rendered")
}
