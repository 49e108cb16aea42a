package digest

import "time"

// Delivery is what became of one edition for one subscriber.
type Delivery struct {
	Edition    string
	Subscriber int64
	State      DeliveryState
	Reason     string // why it was skipped, refused or held
	Tries      int
	Code       int    // SMTP reply code of the last try, 0 if there was none
	Reply      string // its text, with the enhanced status code
	Relay      string
	At         time.Time // of the last change
	NextTry    time.Time // for deferred ones
}

// DeliveryState is where a delivery stands.
type DeliveryState string

// The states of a delivery. DeliveryAttempting is the intent that is stored before a
// mail's body goes out: after a crash the attempting rows are exactly those in
// doubt, and become uncertain.
const (
	DeliveryQueued     DeliveryState = "queued"
	DeliveryAttempting DeliveryState = "attempting"
	DeliverySent       DeliveryState = "sent"
	DeliveryDeferred   DeliveryState = "deferred"
	DeliveryRefused    DeliveryState = "refused"
	DeliveryUncertain  DeliveryState = "uncertain"
	DeliverySkipped    DeliveryState = "skipped"
)

// DeliveryStates are all states of a delivery, in the order of its life.
var DeliveryStates = []DeliveryState{
	DeliveryQueued, DeliveryAttempting, DeliverySent, DeliveryDeferred,
	DeliveryRefused, DeliveryUncertain, DeliverySkipped,
}

// DeliveryTransitions says which changes of a delivery's state are allowed, and on
// what occasion. docs/states.md is drawn from it.
var DeliveryTransitions = []Transition[DeliveryState]{
	{DeliveryQueued, DeliveryAttempting, "a connection is about to send it"},
	{DeliveryQueued, DeliverySkipped, "unsubscribed, suppressed or cancelled since, or nothing in it for this reader"},
	{DeliveryQueued, DeliveryDeferred, "its domain asks for a rest"},
	{DeliveryAttempting, DeliverySent, "the server took it"},
	{DeliveryAttempting, DeliveryDeferred, "the server said later, or could not be reached before the final dot"},
	{DeliveryAttempting, DeliveryRefused, "the server refused it for good"},
	{DeliveryAttempting, DeliveryUncertain, "the connection or the process died after the body began"},
	{DeliveryAttempting, DeliveryQueued, "it was never offered: the connection closed before its turn"},
	{DeliveryDeferred, DeliveryAttempting, "its next try is due"},
	{DeliveryDeferred, DeliveryRefused, "it has been tried for as long as retries go on"},
	{DeliveryDeferred, DeliverySkipped, "unsubscribed, suppressed or cancelled since"},
	{DeliveryUncertain, DeliveryAttempting, "the policy is resend"},
	{DeliveryUncertain, DeliverySent, "the answer came after all, from a node that was thought dead"},
	{DeliveryUncertain, DeliveryDeferred, "the same, and the answer was later"},
	{DeliveryUncertain, DeliveryRefused, "the same, and the answer was no"},
	{DeliveryUncertain, DeliveryQueued, "an editor sends it again"},
	{DeliveryUncertain, DeliverySkipped, "an editor drops it, or unsubscribed or suppressed since"},
}

// CanBecome reports whether a delivery may go from s to next.
func (s DeliveryState) CanBecome(next DeliveryState) bool {
	return canBecome(DeliveryTransitions, s, next)
}

// Final reports whether nothing follows on s.
func (s DeliveryState) Final() bool { return final(DeliveryTransitions, DeliveryStates, s) }
