// Package digest chooses articles for an edition, composes it and renders its
// variants. Choose, Compose and Render are its doors; it takes values and returns
// values, and knows neither store nor network.
//
// It also has the states of editions and deliveries, with the tables of what may
// follow on what.
package digest

import "time"

// Edition is one issue of a digest. From Approved on, its articles, subject and
// variants never change.
type Edition struct {
	ID           string // UUID
	Digest       string
	Number       int    // 1 for a digest's first edition
	ScheduledFor string // the tick's wall-time key, or "manual:" + a unique word; unique per digest
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

// Recipients is who an edition goes to, fixed when it is approved: subscribers
// with an id of at most MaxID that were active on the digest then.
type Recipients struct {
	Count int64
	MaxID int64
}
