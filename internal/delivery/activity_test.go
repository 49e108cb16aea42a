package delivery

import (
	"testing"
	"time"
)

func TestNodeIsBusyWhileItSendsFast(t *testing.T) {
	t.Parallel()
	var a activity
	at := time.Now()
	send := func(perSecond int, lasts time.Duration) (busy bool) {
		gap := time.Second / time.Duration(perSecond)
		for end := at.Add(lasts); at.Before(end); at = at.Add(gap) {
			a.tried(at)
			busy = busy || a.busy(at)
		}
		return busy
	}
	if send(20, 10*time.Second) {
		t.Error("a node limited to 20 mails a second is busy")
	}
	if !send(1000, time.Second) || !a.busy(at.Add(time.Second)) {
		t.Error("a node that sends 1000 mails a second is not busy all the time")
	}
	if a.busy(at.Add(3 * time.Second)) {
		t.Error("a node is still busy 3 s after its last mail")
	}
	a.approvals.Add(1)
	if !a.busy(at.Add(time.Minute)) {
		t.Error("a node that freezes an edition is not busy")
	}
}
