package delivery

import (
	"errors"
	"testing"
	"time"
)

func TestHeartbeatsShowStalledAndFailingLoops(t *testing.T) {
	t.Parallel()
	e := &Engine{}
	if len(e.Heartbeats()) != 0 {
		t.Error("an engine that does not run has heartbeats")
	}
	e.heartbeats.begin("chunks")
	e.heartbeats.begin("single mails")
	now := time.Now()
	for _, p := range e.Heartbeats() {
		long := now.Add(2 * time.Minute)
		if p.Stalled(now) || p.Stalled(long) != (p.Name == "chunks") || !p.Stalled(now.Add(time.Hour)) {
			t.Errorf("%s counts as stalled at the wrong time: its timeout is %v", p.Name, p.Timeout)
		}
	}
	broken := errors.New("broken")
	e.heartbeats.round("chunks", broken)
	first := e.Heartbeats()[0]
	e.heartbeats.round("chunks", broken)
	again := e.Heartbeats()[0]
	if !errors.Is(again.Error, broken) || again.FailingSince.IsZero() || !again.FailingSince.Equal(first.FailingSince) {
		t.Errorf("after two passes that failed: %+v, and after the first: %+v", again, first)
	}
	e.heartbeats.round("chunks", nil)
	if p := e.Heartbeats()[0]; p.Error != nil || !p.FailingSince.IsZero() {
		t.Errorf("after a pass that succeeded: %+v", p)
	}
	e.heartbeats.end("chunks")
	e.heartbeats.beat("chunks")
	if all := e.Heartbeats(); len(all) != 1 || all[0].Name != "single mails" {
		t.Errorf("after the end of a loop: %+v", all)
	}
}
