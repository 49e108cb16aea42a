// Package subscriber describes the people who receive digests: addresses, states and their
// allowed changes, consent, and the CSV lists that subscribers are imported from and exported
// to. Start with ParseAddress for addresses, OpenList for lists, and Keys for links and
// suppressions.
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
	ID       int64     // row number; a restored store may give it to another person
	UID      uuid.UUID // random and never given to another person; tokens hold this one
	Address  Address
	Name     string // as the person gave it; never run as a template
	State    State
	Language string // BCP 47 tag of the articles to send; empty for all languages
	// MailLanguage is the BCP 47 tag of the language in which the person subscribed, for the fixed
	// texts of mails to them; empty for the site's.
	MailLanguage string
	Timezone     string   // IANA name; empty if unknown
	Labels       []string // notes of editors, such as the tags of another system; they do not select articles
	Consent      Consent
	Created      time.Time
	Changed      time.Time // last change of State
	Soft         int       // soft bounces since the last success
	SoftFrom     time.Time // time of the first of these
}

// Consent records how and when a person agreed to get mail.
type Consent struct {
	Source string // "form", "import", "editor", "api"
	Text   string // what was agreed to
	IP     string // of the request that confirmed; empty for imports
	At     time.Time
}

// Subscription is the subscription of one subscriber to one digest.
type Subscription struct {
	Subscriber int64
	Digest     string
	Topics     []string // tags of the articles to send; empty for all articles
	Since      time.Time
}

// State is the state of a subscriber.
type State string

// The states of a subscriber. Digests are sent to Active ones only.
const (
	Pending      State = "pending"
	Active       State = "active"
	Paused       State = "paused"
	Unsubscribed State = "unsubscribed"
	Bounced      State = "bounced"
	Complained   State = "complained"
	Erased       State = "erased"
)

// States lists all states.
var States = []State{Pending, Active, Paused, Unsubscribed, Bounced, Complained, Erased}

// Transition is one allowed change of a state.
type Transition struct {
	From, To State
	When     string // the occasion, as the documentation and messages show it
}

// Transitions lists the allowed changes of state. A subscriber gets back to Active from
// Unsubscribed, Bounced or Complained only if the person asks for it, or if an editor lifts the
// suppression of a bounced address.
var Transitions = []Transition{
	{Pending, Active, "the person confirms, or an editor records their consent"},
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
	{Unsubscribed, Active, "the person takes it back by a link that was mailed to them, or an editor records a later consent"},
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

// CanBecome reports whether the change from s to next is one of Transitions.
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
	suppression []byte // derived from the oldest secret
}

// NewKeys returns keys made from a secret of at least 16 random bytes. To rotate, pass the new
// secret first and the older ones after it, newest to oldest. Older secrets still verify links
// in mails that were sent. Suppression hashes are always made from the oldest secret, so that
// they stay the same.
func NewKeys(secret []byte, older ...[]byte) Keys {
	oldest := secret
	if len(older) > 0 {
		oldest = older[len(older)-1]
	}
	mac := hmac.New(sha256.New, oldest)
	mac.Write([]byte("tidings suppression"))
	return Keys{Keys: token.NewKeys(secret, older...), suppression: mac.Sum(nil)}
}

// SuppressionHash returns the keyed hash that a suppressed address is stored as: 32 bytes, the
// same for all spellings of a mailbox. It survives erasure, since the address cannot be
// computed from it, and without the oldest secret it cannot be checked against a list of
// addresses.
func (k Keys) SuppressionHash(a Address) []byte {
	mac := hmac.New(sha256.New, k.suppression)
	mac.Write([]byte(a.Key()))
	return mac.Sum(nil)
}
