package delivery

import (
	"context"

	"github.com/tidings-press/tidings/internal/digest"
	"github.com/tidings-press/tidings/internal/store"
	"github.com/tidings-press/tidings/internal/words"
)

// Pause stops an edition on every node; each connection sends at most one more mail. reason is
// stored and shown with the edition.
func (e *Engine) Pause(ctx context.Context, id, reason string) error {
	return e.Store.SetEditionState(ctx, id, digest.Paused, reason)
}

// Resume continues a paused edition with the subscribers who have not received it. An edition that
// was paused before its tick waits for it again. What is known of complaints and dead addresses now
// does not pause it again.
func (e *Engine) Resume(ctx context.Context, id string) error {
	edition, err := e.Store.Edition(ctx, id)
	if err != nil {
		return err
	}
	next := digest.Sending
	if edition.State == digest.Paused && (e.waitsForTick(edition) || e.waitsForUndo(edition)) {
		next = digest.Approved
	}
	err = e.Store.ResumeEdition(ctx, edition, next)
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

// Undo makes an approved edition a draft again, if no mail of it was begun. by is the editor. It is
// sent only once it is approved again. The error is a *store.UndoError if it is too late.
func (e *Engine) Undo(ctx context.Context, id, by string) error {
	err := e.Store.UndoApproval(ctx, id, words.T("the approval was undone by {0}", by).String())
	if err == nil {
		e.Log.Info("the approval of an edition was undone", "edition", id, "by", by)
	}
	return err
}

// waitsForUndo reports whether a frozen edition waits because its approval can be undone.
func (e *Engine) waitsForUndo(edition store.Edition) bool {
	return edition.Started.IsZero() && edition.UndoUntil.After(e.Store.Now())
}

// ResolveUncertain carries out an editor's decision on an edition's uncertain mails: send them
// again with the same Message-ID, or drop them. Without subscribers it decides on all. It returns
// their number.
func (e *Engine) ResolveUncertain(ctx context.Context, id string, resend bool, subscribers ...int64) (int64, error) {
	edition, err := e.Store.Edition(ctx, id)
	if err != nil {
		return 0, err
	}
	n, err := e.Store.ResolveUncertain(ctx, edition, resend, subscribers...)
	e.wakeDispatcher()
	return n, err
}

// RetryRefused sends refused mails of an edition again, to some subscribers or, without any, to all. by
// is the editor. Mails to subscribers who are no longer active, as their address was suppressed, are
// left as they are. It returns the number of mails.
func (e *Engine) RetryRefused(ctx context.Context, id, by string, subscribers ...int64) (int64, error) {
	edition, err := e.Store.Edition(ctx, id)
	if err == nil {
		err = e.mayPublish(ctx)
	}
	if err != nil {
		return 0, err
	}
	n, err := e.Store.RetryRefused(ctx, edition, words.T("retried by {0}", by).String(), subscribers...)
	if err == nil {
		e.Log.Info("refused mails are retried", "edition", id, "by", by, "mails", n)
	}
	e.wakeDispatcher()
	return n, err
}
