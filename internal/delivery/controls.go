package delivery

import (
	"context"

	"github.com/tidings-press/tidings/internal/digest"
)

// Pause stops an edition within one mail per connection, on every node. reason is
// kept for whoever looks.
func (e *Engine) Pause(ctx context.Context, id, reason string) error {
	return e.Store.SetEditionState(ctx, id, digest.Paused, reason)
}

// Resume lets a paused edition go on where it stopped.
func (e *Engine) Resume(ctx context.Context, id string) error {
	err := e.Store.SetEditionState(ctx, id, digest.Sending, "")
	e.nudge()
	return err
}

// Cancel ends an edition: who has it keeps it, everyone else is skipped. Dropped
// before its first mail, it gives its articles to the next edition.
func (e *Engine) Cancel(ctx context.Context, id, reason string) error {
	err := e.Store.SetEditionState(ctx, id, digest.Cancelled, reason)
	e.nudge()
	return err
}

// ResolveUncertain is an editor's word on the mails of an edition that are in doubt: send
// them again, with the same Message-ID, or leave them be. It returns how many there
// were.
func (e *Engine) ResolveUncertain(ctx context.Context, id string, resend bool) (int64, error) {
	edition, err := e.Store.Edition(ctx, id)
	if err != nil {
		return 0, err
	}
	n, err := e.Store.ResolveUncertain(ctx, edition, resend)
	e.nudge()
	return n, err
}
