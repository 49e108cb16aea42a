package bounce

import (
	"context"
	"time"

	"github.com/tidings-press/tidings/mailer"
)

// Kind is what a delivery's aftermath means for the subscriber.
type Kind string

// The kinds.
const (
	Bounced      Kind = "bounced"      // the address is dead
	Soft         Kind = "soft"         // refused for a reason that may pass
	Complained   Kind = "complained"   // the reader called it spam
	Unsubscribed Kind = "unsubscribed" // the reader asked to leave
	Delivered    Kind = "delivered"    // the mail is in the reader's mailbox: earlier soft bounces count no more
)

// Outcome is one thing that came back about one delivery.
type Outcome struct {
	// Key is the same for everything of its kind about a delivery, however often
	// and by whichever way it comes: it is recorded once.
	Key    string
	ID     mailer.DeliveryID
	Kind   Kind
	Code   int    // SMTP reply code, 0 if there is none
	Text   string // the server's words, bounded
	Source string // which way it came: smtp, lmtp, imap, pop3 or the webhook's service
	At     time.Time
}

// Recorder keeps outcomes and draws the consequences, in one transaction. It says
// whether the outcome's key was new. A subscriber that is not there any more is no
// error.
type Recorder interface {
	Record(ctx context.Context, outcome Outcome) (fresh bool, err error)
}
