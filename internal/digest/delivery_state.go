package digest

import "time"

// Delivery is the state of one edition for one subscriber.
type Delivery struct {
	Edition    string
	Subscriber int64
	State      DeliveryState
	Reason     string // why it was skipped, refused or held
	Tries      int
	Code       int    // SMTP reply code of the last try, 0 if there was none
	Reply      string // text of that reply, with the enhanced status code
	Relay      string
	At         time.Time // of the last change
	NextTry    time.Time // for deferred ones
}

// DeliveryState is the state of a delivery.
type DeliveryState string

// The states of a delivery. DeliveryAttempting is the intent that is stored before a mail's body is
// sent: after a crash the attempting rows are exactly the mails whose outcome is unknown, and
// become uncertain.
const (
	DeliveryQueued     DeliveryState = "queued"
	DeliveryAttempting DeliveryState = "attempting"
	DeliverySent       DeliveryState = "sent"
	DeliveryDeferred   DeliveryState = "deferred"
	DeliveryRefused    DeliveryState = "refused"
	DeliveryUncertain  DeliveryState = "uncertain"
	DeliverySkipped    DeliveryState = "skipped"
)

// DeliveryStates lists all states of a delivery, in the usual order.
var DeliveryStates = []DeliveryState{
	DeliveryQueued, DeliveryAttempting, DeliverySent, DeliveryDeferred,
	DeliveryRefused, DeliveryUncertain, DeliverySkipped,
}

// DeliveryTransitions lists the allowed changes of a delivery's state, and what causes
// each. docs/states.md is drawn from it.
var DeliveryTransitions = []Transition[DeliveryState]{
	{DeliveryQueued, DeliveryAttempting, "a connection is about to send it"},
	{DeliveryQueued, DeliverySkipped, "the subscriber unsubscribed or was suppressed, the edition was cancelled, or it has no article for this subscriber"},
	{DeliveryQueued, DeliveryDeferred, "the recipient's domain is throttled"},
	{DeliveryAttempting, DeliverySent, "the server accepted it"},
	{DeliveryAttempting, DeliveryDeferred, "a temporary refusal, or the connection was lost before the final dot"},
	{DeliveryAttempting, DeliveryRefused, "a permanent refusal"},
	{DeliveryAttempting, DeliveryUncertain, "the connection or the process ended after the body was begun"},
	{DeliveryAttempting, DeliveryQueued, "it was not sent: the connection closed before its turn"},
	{DeliveryDeferred, DeliveryAttempting, "its next try is due"},
	{DeliveryDeferred, DeliveryRefused, "the time for retries (`retry_for`) is over"},
	{DeliveryDeferred, DeliverySkipped, "the subscriber unsubscribed or was suppressed, or the edition was cancelled"},
	{DeliveryRefused, DeliveryQueued, "an editor retries it, unless the subscriber is no longer active"},
	{DeliveryUncertain, DeliveryAttempting, "the policy is resend"},
	{DeliveryUncertain, DeliverySent, "the outcome arrived late, from a node whose lease had expired: accepted"},
	{DeliveryUncertain, DeliveryDeferred, "a late outcome: a temporary refusal"},
	{DeliveryUncertain, DeliveryRefused, "a late outcome: a permanent refusal"},
	{DeliveryUncertain, DeliveryQueued, "an editor sends it again"},
	{DeliveryUncertain, DeliverySkipped, "an editor decides not to send it again, or the subscriber unsubscribed or was suppressed"},
}
