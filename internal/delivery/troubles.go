package delivery

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/tidings-press/tidings/internal/store"
	"github.com/tidings-press/tidings/mailer"
)

// unreachable holds a relay back after a dial that failed: shortly when that may
// pass, for long when only a change of settings helps, so that a wrong password is
// not tried for every mail.
func (r *relay) unreachable(ctx context.Context, err error) {
	if ctx.Err() != nil {
		return
	}
	var failed *mailer.DialError
	if errors.As(err, &failed) && !failed.Temporary() {
		r.engine.Log.Error("relay stopped", "relay", r.Name, "reason", err)
		r.rest(ctx, settingsWait, err.Error())
		return
	}
	if errors.As(err, &failed) && failed.Reply.Code == 421 {
		r.shrink()
	}
	r.mu.Lock()
	r.dials++
	n := r.dials
	r.mu.Unlock()
	if n == 1 || n%10 == 0 {
		r.engine.Log.Warn("relay cannot be reached", "relay", r.Name, "times", n, "error", err)
	}
	r.rest(ctx, backoff(250*time.Millisecond, 30*time.Second, n), err.Error())
}

// reached is a dial that succeeded. Where connections end before they take a mail
// that proves nothing yet.
func (r *relay) reached(ctx context.Context) {
	r.mu.Lock()
	r.dials = 0
	well, first := r.stumbles < stumblesBeforeRest, !r.proved
	r.proved = well
	r.mu.Unlock()
	if well && first {
		r.nudge()
	}
	if well {
		r.recovered(ctx)
	}
}

// recovered ends what rest began.
func (r *relay) recovered(ctx context.Context) {
	r.mu.Lock()
	told := r.told
	r.failing, r.told, r.until = false, false, time.Time{}
	r.mu.Unlock()
	if told {
		r.drop(ctx, store.ConnectionHeld)
	}
}

// stumbled is a connection that ended before it took a mail. A server that hangs up
// on everybody is not dialled for each mail of a list.
func (r *relay) stumbled(ctx context.Context, reason string, asked bool) {
	if asked {
		r.shrink()
	}
	r.mu.Lock()
	r.stumbles++
	n := r.stumbles
	r.mu.Unlock()
	if n >= stumblesBeforeRest {
		r.rest(ctx, backoff(250*time.Millisecond, 30*time.Second, n+1-stumblesBeforeRest), reason)
	}
}

// heard is a server that answers as servers do, be it with a refusal.
func (r *relay) heard(ctx context.Context) {
	r.mu.Lock()
	stumbled := r.stumbles > 0
	r.stumbles, r.proved = 0, true
	failing := r.failing
	r.mu.Unlock()
	if stumbled {
		r.nudge()
	}
	if failing {
		r.recovered(ctx)
	}
}

// praised is a mail that was taken: it ends every row of troubles.
func (r *relay) praised(domain string) {
	r.accepted.Add(1)
	r.share.add(time.Now())
	r.domains.took(domain)
	r.mu.Lock()
	r.faults, r.doubts, r.doubted = 0, 0, 0
	r.mu.Unlock()
}

// blame counts a refusal for what we are or send. Before a recipient was named it is
// about us and this relay; after that it may be about the recipient's domain, which
// gets a rest. When several domains say so in a row the relay stops, rather than burn
// through the list.
func (r *relay) blame(ctx context.Context, domain string, reply mailer.Reply) {
	if reply.Stage != mailer.StageMail {
		r.restDomain(ctx, domain, r.domains.blamed(domain), reply)
	}
	if n := r.fault(domain, reply.Stage == mailer.StageMail); n > 0 {
		r.hold(ctx, faultWait, fmt.Sprintf("%d refusals in a row for what we are or send, the last: %s", n, reply))
	}
}

// fault counts a refusal for what we are and returns how many there were when they
// are too many.
func (r *relay) fault(domain string, atOnce bool) int {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.stoppedNow() {
		return 0 // it was under way when the relay was stopped
	}
	if r.faults++; r.faults == 1 {
		r.domain, r.several = domain, false
	}
	r.several = r.several || atOnce || domain != r.domain
	if r.faults < faultsBeforeHold || !r.several {
		return 0
	}
	n := r.faults
	r.faults = 0
	return n
}

// doubt counts a mail of which nobody knows whether the server has it. After several
// in a row the relay stops, longer each time.
func (r *relay) doubt(ctx context.Context, reason string) {
	r.mu.Lock()
	if r.doubts++; r.doubts < doubtsBeforeHold || r.stoppedNow() {
		r.mu.Unlock()
		return
	}
	n := r.doubts
	r.doubts = 0
	r.doubted++
	d := backoff(doubtHold, faultWait, r.doubted)
	r.mu.Unlock()
	r.hold(ctx, d, fmt.Sprintf("%d mails in a row were left in doubt, the last: %s", n, reason))
}

// throttled backs off from a domain that asked to slow down.
func (r *relay) throttled(ctx context.Context, domain string, reply mailer.Reply) {
	if reply.Code == 421 {
		r.shrink()
	}
	r.restDomain(ctx, domain, r.domains.throttled(domain), reply)
}

// restDomain tells all nodes that a domain rests; for no time there is nothing to tell.
func (r *relay) restDomain(ctx context.Context, domain string, d time.Duration, reply mailer.Reply) {
	if d > 0 {
		r.tell(ctx, store.DomainHeld, domain, d, reply.String())
	}
}
