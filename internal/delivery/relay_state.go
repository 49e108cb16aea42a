package delivery

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/tidings-press/tidings/internal/delivery/relay"
	"github.com/tidings-press/tidings/internal/store"
	"github.com/tidings-press/tidings/internal/subscriber"
	"github.com/tidings-press/tidings/internal/words"
	"github.com/tidings-press/tidings/mailer"
	"github.com/tidings-press/tidings/templates"
)

// RelayState is a relay and what is known of it.
type RelayState struct {
	relay.Config
	Reachable   bool         // this node's last dial succeeded
	Connections int64        // that are leased now, on all nodes
	Used        int64        // of the hourly quota in this hour, by all nodes; they take it in shares
	Holds       []store.Hold // on all nodes
	Today       WarmupState  // its warm-up
	// Domains are those with the most mails of today, at most maxDomainsShown, if it has a warm-up for each.
	Domains []store.DomainWarmup
}

// maxDomainsShown bounds the domains of a RelayState.
const maxDomainsShown = 5

// Stopped returns the hold that stops the relay on all nodes; nil if there is none.
func (s RelayState) Stopped() *store.Hold {
	i := slices.IndexFunc(s.Holds, func(h store.Hold) bool { return h.Kind == store.RelayHeld })
	if i < 0 {
		return nil
	}
	return &s.Holds[i]
}

// RelayStates returns all relays with their states.
func (e *Engine) RelayStates(ctx context.Context) ([]RelayState, error) {
	holds, err := e.Store.Holds(ctx)
	if err != nil {
		return nil, err
	}
	var out []RelayState
	for _, r := range e.relays.All() {
		state := RelayState{Config: r.Config, Reachable: r.Reachable()}
		if state.Connections, err = e.Store.CountConnections(ctx, r.Name); err != nil {
			return nil, err
		}
		if state.Used, err = r.UsedThisHour(ctx); err != nil {
			return nil, err
		}
		if state.Today.Set = r.Warmup.Set(); state.Today.Set {
			if state.Today.Warmup, err = r.WarmupToday(ctx); err != nil {
				return nil, err
			}
		}
		if r.WarmupPerDomain.Set() {
			if state.Domains, err = e.Store.DomainWarmups(ctx, r.Name, r.WarmupPerDomain, maxDomainsShown); err != nil {
				return nil, err
			}
		}
		for _, h := range holds {
			if h.Relay == r.Name {
				state.Holds = append(state.Holds, h)
			}
		}
		out = append(out, state)
	}
	return out, nil
}

// Breakers returns the state of the circuit breaker of each relay on this node, by the relay's name.
func (e *Engine) Breakers() map[string]relay.State {
	out := map[string]relay.State{}
	for _, r := range e.relays.All() {
		out[r.Name] = r.State()
	}
	return out
}

// stopByHand is for how long an editor stops a relay.
const stopByHand = time.Hour

// StopRelay stops a relay on all nodes for an hour.
func (e *Engine) StopRelay(ctx context.Context, name string) error {
	if _, err := e.relayConfig(name); err != nil {
		return err
	}
	return e.Store.PutHold(ctx, store.Hold{Relay: name, Kind: store.RelayHeld, Until: e.Store.Now().Add(stopByHand), Reason: words.T("stopped by an editor").String()})
}

// ResumeRelay ends the stop of a relay on all nodes.
func (e *Engine) ResumeRelay(ctx context.Context, name string) error {
	if _, err := e.relayConfig(name); err != nil {
		return err
	}
	return e.Store.DropHold(ctx, store.Hold{Relay: name, Kind: store.RelayHeld})
}

func (e *Engine) relayConfig(name string) (relay.Config, error) {
	for _, r := range e.Relays {
		if r.Name == name {
			return r, nil
		}
	}
	return relay.Config{}, fmt.Errorf("relay %q: %w", name, store.ErrNotFound)
}

// relayTestTimeout bounds the test of a relay.
const relayTestTimeout = 30 * time.Second

// TestRelay sends a short mail over a relay, also over one that is stopped, and returns the dialogue
// without passwords. The error says why the relay did not take the mail; the dialogue up to there is
// returned with it.
func (e *Engine) TestRelay(ctx context.Context, name string, to subscriber.Address) ([]mailer.TranscriptLine, error) {
	r, err := e.relayConfig(name)
	if err != nil {
		return nil, err
	}
	m, err := e.relayTestMail(name, to)
	if err != nil {
		return nil, err
	}
	body, err := e.signer.Clone().Render(nil, m.compiled, m.values)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, relayTestTimeout)
	defer cancel()
	var transcript mailer.Transcript
	conn, err := mailer.DialRecorded(ctx, r.Relay, &transcript)
	if err != nil {
		return transcript.Lines, err
	}
	_, err = sendOnConn(ctx, conn, mailer.Envelope{From: m.from, To: to.ASCII(), Size: len(body), NeedsUTF8: m.compiled.NeedsUTF8()}, body)
	_ = conn.Quit()
	return transcript.Lines, err
}

// relayTestMail returns the mail that tests a relay.
func (e *Engine) relayTestMail(name string, to subscriber.Address) (compiledMail, error) {
	text := "This is a test of the mail server \"" + strings.TrimSpace(name) + "\". If you read it, the server delivers mail."
	n := singleMail{ID: uuid.NewString(), To: to.String(), Mail: templates.Rendered{Subject: "Test of the mail server", Text: text}}
	return e.compileSingleMail(n)
}
