package delivery

import (
	"slices"
	"strings"
	"sync"
	"time"
)

// Heartbeat records when one of the engine's loops was last active.
type Heartbeat struct {
	Name         string
	At           time.Time // time of the last activity
	Timeout      time.Duration
	Error        error     // of its last pass; nil when that succeeded
	FailingSince time.Time // first failure since the last success; zero if none
}

// Stalled reports whether the loop has been inactive for longer than its work can take.
func (h Heartbeat) Stalled(now time.Time) bool { return now.Sub(h.At) > h.Timeout }

// heartbeatTimeouts are the timeouts of loops whose passes may take long: one mail at a time to
// a slow server, or freezing an edition for millions of recipients.
var heartbeatTimeouts = map[string]time.Duration{"approval": 20 * time.Minute, "single mails": 20 * time.Minute, "schedule": 5 * time.Minute}

const defaultHeartbeatTimeout = 90 * time.Second

// heartbeats holds the heartbeats of all loops of a running engine.
type heartbeats struct {
	mu  sync.Mutex
	all map[string]Heartbeat
}

// beat records activity during a pass.
func (h *heartbeats) beat(name string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if one, runs := h.all[name]; runs {
		one.At = time.Now()
		h.all[name] = one
	}
}

// begin records that a loop has started.
func (h *heartbeats) begin(name string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.all == nil {
		h.all = map[string]Heartbeat{}
	}
	bound := heartbeatTimeouts[name]
	if bound == 0 {
		bound = defaultHeartbeatTimeout
	}
	h.all[name] = Heartbeat{Name: name, At: time.Now(), Timeout: bound}
}

// round records how a pass ended.
func (h *heartbeats) round(name string, err error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	one := h.all[name]
	one.At, one.Error = time.Now(), err
	if err == nil {
		one.FailingSince = time.Time{}
	} else if one.FailingSince.IsZero() {
		one.FailingSince = one.At
	}
	h.all[name] = one
}

// end records that a loop has ended.
func (h *heartbeats) end(name string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	delete(h.all, name)
}

// Heartbeats returns the heartbeats of the engine's loops, ordered by name; none when it does
// not run.
func (e *Engine) Heartbeats() []Heartbeat {
	e.heartbeats.mu.Lock()
	defer e.heartbeats.mu.Unlock()
	var out []Heartbeat
	for _, one := range e.heartbeats.all {
		out = append(out, one)
	}
	slices.SortFunc(out, func(a, b Heartbeat) int { return strings.Compare(a.Name, b.Name) })
	return out
}
