package digest

// State is where an edition stands.
type State string

// The states of an edition.
const (
	Draft     State = "draft"
	Approved  State = "approved"
	Sending   State = "sending"
	Paused    State = "paused"
	Sent      State = "sent"
	Cancelled State = "cancelled"
	Failed    State = "failed"
)
