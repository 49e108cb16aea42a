package delivery

import (
	"slices"
	"strings"
	"sync"
	"time"
)

// Heartbeat is a sign of life of one of the engine's loops.
type Heartbeat struct {
	Name         string
	At           time.Time // its last sign of life
	Timeout      time.Duration
	Error        error     // of its last round; nil when that went well
	FailingSince time.Time // since when its rounds have failed; zero when they do not
}

// Stalled reports whether the loop has given no sign of life for longer than its work
// can take.
func (p Heartbeat) Stalled(now time.Time) bool { return now.Sub(p.At) > p.Timeout }

// Rounds of the loops wait for what is outside: one mail at a time for a slow server, an
// audience of millions to be frozen. The others are short.
var heartbeatTimeouts = map[string]time.Duration{"approval": 20 * time.Minute, "notices": 20 * time.Minute, "schedule": 5 * time.Minute}

const defaultHeartbeatTimeout = 90 * time.Second

// heartbeats are those of all loops of an engine that runs.
type heartbeats struct {
	mu  sync.Mutex
	all map[string]Heartbeat
}

// beat notes a sign of life in the middle of a round.
func (p *heartbeats) beat(name string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if one, runs := p.all[name]; runs {
		one.At = time.Now()
		p.all[name] = one
	}
}

// begin notes that a loop runs.
func (p *heartbeats) begin(name string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.all == nil {
		p.all = map[string]Heartbeat{}
	}
	bound := heartbeatTimeouts[name]
	if bound == 0 {
		bound = defaultHeartbeatTimeout
	}
	p.all[name] = Heartbeat{Name: name, At: time.Now(), Timeout: bound}
}

// round notes how a round ended.
func (p *heartbeats) round(name string, err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	one := p.all[name]
	one.At, one.Error = time.Now(), err
	if err == nil {
		one.FailingSince = time.Time{}
	} else if one.FailingSince.IsZero() {
		one.FailingSince = one.At
	}
	p.all[name] = one
}

// end notes that a loop has ended.
func (p *heartbeats) end(name string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.all, name)
}

// Heartbeats are the signs of life of the engine's loops, by name; none when it does not
// run.
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
