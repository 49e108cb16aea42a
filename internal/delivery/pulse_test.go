package delivery

import (
	"errors"
	"testing"
	"time"
)

func TestPulsesTellOfLoopsThatStallOrFail(t *testing.T) {
	t.Parallel()
	e := &Engine{}
	if len(e.Pulses()) != 0 {
		t.Error("an engine that does not run has pulses")
	}
	e.pulses.begin("chunks")
	e.pulses.begin("notices")
	now := time.Now()
	for _, p := range e.Pulses() {
		long := now.Add(2 * time.Minute)
		if p.Stalled(now) || p.Stalled(long) != (p.Name == "chunks") || !p.Stalled(now.Add(time.Hour)) {
			t.Errorf("%s stalls at the wrong time: its bound is %v", p.Name, p.Bound)
		}
	}
	broken := errors.New("broken")
	e.pulses.round("chunks", broken)
	first := e.Pulses()[0]
	e.pulses.round("chunks", broken)
	again := e.Pulses()[0]
	if !errors.Is(again.Error, broken) || again.Failing.IsZero() || !again.Failing.Equal(first.Failing) {
		t.Errorf("after two rounds that failed: %+v, and after the first: %+v", again, first)
	}
	e.pulses.round("chunks", nil)
	if p := e.Pulses()[0]; p.Error != nil || !p.Failing.IsZero() {
		t.Errorf("after a round that went well: %+v", p)
	}
	e.pulses.end("chunks")
	e.pulses.beat("chunks")
	if all := e.Pulses(); len(all) != 1 || all[0].Name != "notices" {
		t.Errorf("after the end of a loop: %+v", all)
	}
}
