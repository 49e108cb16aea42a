// Package digest chooses articles for an edition, composes it and renders its
// variants. Choose, Compose and Render are its doors; it takes values and returns
// values, and knows neither store nor network.
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
	Audience     Audience
	Created      time.Time
	Approved     time.Time // zero until then
	Started      time.Time // first mail attempted
	Finished     time.Time // sent, cancelled or failed
}

// Audience is who an edition goes to, fixed when it is approved: subscribers
// with an id of at most MaxID that were active on the digest then.
type Audience struct {
	Count int64
	MaxID int64
}

// Variant is an edition rendered for one set of preferences. The holes in HTML
// and Text are marked by the words in Holes; everything else is frozen.
type Variant struct {
	Edition  string
	Key      string // canonical form of the preferences, "" for everything
	Subject  string
	HTML     string
	Text     string
	Holes    Holes
	Articles []string // ids it shows
}

// Holes are the marks that stand for what differs per recipient. Each is a word
// of ASCII letters and digits that occurs nowhere else in the variant, so that
// it survives every encoding of the message.
type Holes struct {
	Name        string // the subscriber's name, or the template's word for nobody in particular
	Address     string
	Unsubscribe string // URL of the page with one button
	Preferences string // URL
	Web         string // URL of the web edition
}
