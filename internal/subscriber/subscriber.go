// Package subscriber is the person who receives digests: the address, the state
// and its allowed changes, consent, preferences, the signed links in mails, and
// the reading of subscriber lists. ParseAddress is the door for addresses,
// ReadList for lists, Keys for links and suppressions.
//
// The package does no I/O of its own.
package subscriber

import (
	"time"

	"github.com/google/uuid"
)

// Subscriber is one person.
type Subscriber struct {
	ID       int64     // the number of the row; a restored store may give it to somebody else
	UID      uuid.UUID // random, never shared with another person: tokens name this one
	Address  Address
	Name     string // as given; never run as a template
	State    State
	Language string   // BCP 47; articles in it, or in all languages when empty
	Timezone string   // IANA name, empty if unknown
	Labels   []string // an editor's notes, such as the tags of another system; they choose no articles
	Consent  Consent
	Created  time.Time
	Changed  time.Time // last change of State
	Soft     int       // soft bounces since the last success
	SoftFrom time.Time // first of these
}

// Consent records how a person came to be on the list.
type Consent struct {
	Source string // "form", "import", "editor", "api"
	Text   string // what was agreed to
	IP     string // of the request that confirmed, empty for imports
	At     time.Time
}

// Subscription is a subscriber's place on one digest.
type Subscription struct {
	Subscriber int64
	Digest     string
	Topics     []string // tags of interest; none means everything
	Since      time.Time
}
