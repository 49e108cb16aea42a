package delivery

import (
	"sync/atomic"
	"time"
)

// activity tracks whether this node is busy with mail, so that other work on the machine can wait.
// A node that a relay or a limit slows down is not busy.
type activity struct {
	approvals atomic.Int64 // editions that are being rendered and frozen
	window    atomic.Int64 // number of the current time window
	mails     atomic.Int64 // attempts in that window
	until     atomic.Int64 // busy until then, Unix nanoseconds
}

// A node counts as busy for busyFor after it attempted busyMails within busyWindow. That is 40
// mails a second, fewer than one core can sign with RSA beside other work.
const (
	busyWindow = 250 * time.Millisecond
	busyMails  = 10
	busyFor    = 2 * time.Second
)

// tried counts an attempt to send a mail.
func (a *activity) tried(now time.Time) {
	window := now.UnixNano() / int64(busyWindow)
	if a.window.Swap(window) != window {
		a.mails.Store(0)
	}
	if a.mails.Add(1) >= busyMails {
		a.until.Store(now.Add(busyFor).UnixNano())
	}
}

// Busy reports whether this node is approving an edition, or sending mail as fast as the
// machine allows. It is cheap enough to call for every request.
func (e *Engine) Busy() bool { return e.activity.busy(time.Now()) }

func (a *activity) busy(now time.Time) bool {
	return a.approvals.Load() > 0 || now.UnixNano() < a.until.Load()
}
