package delivery

import (
	"context"

	"github.com/tidings-press/tidings/internal/digest"
)

// Pause stops an edition on every node; each connection sends at most one more mail. reason is
// stored and shown with the edition.
func (e *Engine) Pause(ctx context.Context, id, reason string) error {
	return e.Store.SetEditionState(ctx, id, digest.Paused, reason)
}

// Resume continues a paused edition with the subscribers who have not received it. An edition that
// was paused before its tick waits for it again.
func (e *Engine) Resume(ctx context.Context, id string) error {
	edition, err := e.Store.Edition(ctx, id)
	if err != nil {
		return err
	}
	next := digest.Sending
	if edition.State == digest.Paused && e.waitsForTick(edition) {
		next = digest.Approved
	}
	err = e.Store.SetEditionState(ctx, id, next, "")
	e.wakeDispatcher()
	return err
}

// Cancel ends an edition and skips all subscribers who have not received it. If it is cancelled
// before its first mail, its articles return to the queue.
func (e *Engine) Cancel(ctx context.Context, id, reason string) error {
	err := e.Store.SetEditionState(ctx, id, digest.Cancelled, reason)
	e.wakeDispatcher()
	return err
}

// ResolveUncertain carries out an editor's decision on an edition's uncertain mails: send them
// again with the same Message-ID, or drop them. It returns their number.
func (e *Engine) ResolveUncertain(ctx context.Context, id string, resend bool) (int64, error) {
	edition, err := e.Store.Edition(ctx, id)
	if err != nil {
		return 0, err
	}
	n, err := e.Store.ResolveUncertain(ctx, edition, resend)
	e.wakeDispatcher()
	return n, err
}
