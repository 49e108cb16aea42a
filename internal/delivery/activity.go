package delivery

import (
	"sync/atomic"
	"time"
)

// activity tells whether this node is busy with mail, for those who share the machine
// with it. A node that sends slowly, because a relay or a limit lets it, is not: it
// leaves the processors to others.
type activity struct {
	approvals atomic.Int64 // editions that are being rendered and frozen
	window    atomic.Int64 // number of the present window of time
	mails     atomic.Int64 // tried in it
	until     atomic.Int64 // busy until then, Unix nanoseconds
}

// A node is busy for a while after it tried so many mails in a window: forty a second,
// which is less than one core signs with RSA while it has other work.
const (
	busyWindow = 250 * time.Millisecond
	busyMails  = 10
	busyFor    = 2 * time.Second
)

// tried counts a mail.
func (a *activity) tried(now time.Time) {
	window := now.UnixNano() / int64(busyWindow)
	if a.window.Swap(window) != window {
		a.mails.Store(0)
	}
	if a.mails.Add(1) >= busyMails {
		a.until.Store(now.Add(busyFor).UnixNano())
	}
}

// Busy reports whether this node approves or sends an edition right now, as fast as the
// machine allows. It costs next to nothing.
func (e *Engine) Busy() bool { return e.activity.busy(time.Now()) }

func (a *activity) busy(now time.Time) bool {
	return a.approvals.Load() > 0 || now.UnixNano() < a.until.Load()
}
