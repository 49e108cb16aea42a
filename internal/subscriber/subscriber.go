// Package subscriber is the person who receives digests: the address, the state
// and its allowed changes, consent, preferences, the signed links in mails, and
// the reading of subscriber lists. Start with ParseAddress for addresses, ReadList
// for lists, and Keys for links and suppressions.
//
// The package does no I/O of its own.
package subscriber

import (
	"crypto/hmac"
	"crypto/sha256"
	"slices"
	"time"

	"github.com/google/uuid"

	"github.com/tidings-press/tidings/internal/token"
)

// Subscriber is one person.
type Subscriber struct {
	ID       int64     // the number of the row; a restored store may give it to another person
	UID      uuid.UUID // random, never shared with another person: tokens name this one
	Address  Address
	Name     string // as given; never run as a template
	State    State
	Language string   // BCP 47; articles in it, or in all languages when empty
	Timezone string   // IANA name, empty if unknown
	Labels   []string // an editor's notes, such as the tags of another system; they do not select articles
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

// State is the state of a subscriber.
type State string

// The states of a subscriber. Only an Active one is sent digests.
const (
	Pending      State = "pending"
	Active       State = "active"
	Paused       State = "paused"
	Unsubscribed State = "unsubscribed"
	Bounced      State = "bounced"
	Complained   State = "complained"
	Erased       State = "erased"
)

// States lists all states, from the first to the last of a subscription.
var States = []State{Pending, Active, Paused, Unsubscribed, Bounced, Complained, Erased}

// Transition is one allowed change of a state.
type Transition struct {
	From, To State
	When     string // the occasion, for people
}

// Transitions lists the allowed changes of state and their occasions. Only the person, or an
// editor who lifts a suppression by hand, leads from Unsubscribed, Bounced or Complained back
// to Active.
var Transitions = []Transition{
	{Pending, Active, "the person confirms"},
	{Pending, Unsubscribed, "the person says no in the confirmation mail"},
	{Pending, Bounced, "the confirmation mail is refused for good"},
	{Pending, Complained, "the person reports the confirmation mail as spam"},
	{Pending, Erased, "the person asks for it, or never confirms"},
	{Active, Paused, "the person or an editor pauses all mail"},
	{Active, Unsubscribed, "the person leaves the last digest"},
	{Active, Bounced, "the address does not exist, or bounces too often"},
	{Active, Complained, "the person reports a mail as spam"},
	{Active, Erased, "the person asks for it"},
	{Paused, Active, "the pause ends"},
	{Paused, Unsubscribed, "the person leaves the last digest"},
	{Paused, Bounced, "a late bounce comes in"},
	{Paused, Complained, "a late complaint comes in"},
	{Paused, Erased, "the person asks for it"},
	{Unsubscribed, Pending, "the person subscribes again"},
	{Unsubscribed, Active, "the person takes it back by a link that was mailed to them"},
	{Unsubscribed, Bounced, "a late bounce comes in"},
	{Unsubscribed, Complained, "a late complaint comes in"},
	{Unsubscribed, Erased, "the person asks for it"},
	{Bounced, Pending, "the suppression is lifted and the person subscribes again"},
	{Bounced, Active, "an editor lifts the suppression"},
	{Bounced, Unsubscribed, "the person leaves"},
	{Bounced, Complained, "a late complaint comes in"},
	{Bounced, Erased, "the person asks for it"},
	{Complained, Pending, "the suppression is lifted and the person subscribes again"},
	{Complained, Unsubscribed, "the person leaves"},
	{Complained, Erased, "the person asks for it"},
}

// CanBecome reports whether a subscriber may go from s to next.
func (s State) CanBecome(next State) bool {
	return slices.ContainsFunc(Transitions, func(t Transition) bool { return t.From == s && t.To == next })
}

// Known reports whether s is one of States.
func (s State) Known() bool { return slices.Contains(States, s) }

// Mailable reports whether digests are sent to a subscriber in this state.
func (s State) Mailable() bool { return s == Active }

// Keys signs and verifies the links in mails, and hashes suppressed addresses. It is
// safe for concurrent use.
type Keys struct {
	token.Keys
	suppression []byte // from the oldest secret
}

// NewKeys makes keys from a secret of at least 16 random bytes. To rotate, put
// the new secret first and keep the older ones, newest to oldest: they still
// verify the links in mails that were sent, and suppression hashes come from the
// oldest, always.
func NewKeys(secret []byte, older ...[]byte) Keys {
	oldest := secret
	if len(older) > 0 {
		oldest = older[len(older)-1]
	}
	mac := hmac.New(sha256.New, oldest)
	mac.Write([]byte("tidings suppression"))
	return Keys{Keys: token.NewKeys(secret, older...), suppression: mac.Sum(nil)}
}

// SuppressionHash is what is kept of a suppressed address: 32 bytes that only the
// holder of the oldest secret can make, equal for all spellings of a mailbox. It
// survives erasure without keeping the address itself.
func (k Keys) SuppressionHash(a Address) []byte {
	mac := hmac.New(sha256.New, k.suppression)
	mac.Write([]byte(a.Key()))
	return mac.Sum(nil)
}
