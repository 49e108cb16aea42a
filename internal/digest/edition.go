// Package digest chooses articles for an edition, composes it and renders its variants. Start
// with Choose, Compose and Render. They take values and return values, and use neither store nor
// network.
//
// The package also defines the states of editions and deliveries, with tables of the allowed
// changes.
package digest

import "time"

// Edition is one issue of a digest. From Approved on, its articles, subject and
// variants never change.
type Edition struct {
	ID           string // UUID
	Digest       string
	Number       int    // 1 for a digest's first edition
	ScheduledFor string // the tick's key, or "manual:" and a UUID; unique per digest
	State        State
	Subject      string
	Articles     []string // article ids, in order
	Reason       string   // why it failed, was paused or was cancelled
	Recipients   Recipients
	Created      time.Time
	Approved     time.Time // zero until then
	Started      time.Time // first mail attempted
	Finished     time.Time // sent, cancelled or failed
}

// Recipients identifies the subscribers of an edition, fixed at its approval: those with an id of
// at most MaxID who were active on the digest then.
type Recipients struct {
	Count int64
	MaxID int64
}
