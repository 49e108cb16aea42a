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
