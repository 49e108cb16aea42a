package delivery

import (
	"context"
	"time"

	"github.com/tidings-press/tidings/internal/store"
)

// unlessQuarantined returns a step that fails with store.ErrQuarantined while the store is
// quarantined, so that no node fires a tick, approves a draft or sends a mail.
func (e *Engine) unlessQuarantined(step func(ctx context.Context) error) func(ctx context.Context) error {
	return func(ctx context.Context) error {
		if err := e.mayPublish(ctx); err != nil {
			return err
		}
		return step(ctx)
	}
}

// mayPublish returns store.ErrQuarantined while the store is quarantined.
func (e *Engine) mayPublish(ctx context.Context) error {
	q, err := e.Store.Quarantine(ctx)
	if err == nil && q != nil {
		err = store.ErrQuarantined
	}
	return err
}

// maxSkippedTicks bounds how many skipped ticks of a digest are recorded when a quarantine ends.
// If there are more, the latest are recorded.
const maxSkippedTicks = 100

// Release ends the quarantine of the store: it carries out the decisions about editions, skips
// the ticks since the backup, and lets all nodes send mail again. articlesSent marks articles as
// seen that wait now, and those dated between the backup and now that are imported later. It
// returns the editions with the decisions.
func (e *Engine) Release(ctx context.Context, articlesSent bool) ([]store.QuarantinedEdition, error) {
	release := store.Release{SingleMails: singleMailKind, ArticlesSent: articlesSent}
	missed, err := e.MissedTicks(ctx)
	if err != nil {
		return nil, err
	}
	release.Ticks = missed
	if articlesSent {
		if err := e.markAllSeen(ctx); err != nil {
			return nil, err
		}
	}
	editions, err := e.Store.ReleaseQuarantine(ctx, release)
	if err == nil {
		e.wakeDispatcher()
	}
	return editions, err
}

// markAllSeen marks the waiting articles of all digests as seen.
func (e *Engine) markAllSeen(ctx context.Context) error {
	for i := range e.Digests {
		if _, err := e.MarkSeen(store.WithoutAudit(ctx), e.Digests[i].Name, e.Store.Now().Add(time.Second)); err != nil {
			return err
		}
	}
	return nil
}

// MissedTicks returns the ticks of all digests that are due, with the next tick after them. It
// lists at most maxSkippedTicks of each digest, the latest ones.
func (e *Engine) MissedTicks(ctx context.Context) ([]store.SkippedTicks, error) {
	var out []store.SkippedTicks
	now := e.Store.Now()
	for i := range e.Digests {
		def := &e.Digests[i]
		if def.Schedule == nil {
			continue
		}
		state, err := e.Store.DigestState(ctx, def.Name)
		if err != nil {
			return nil, err
		}
		if state.Next.IsZero() || state.Next.After(now) {
			continue
		}
		skipped := store.SkippedTicks{Digest: def.Name, Keys: []string{state.NextKey}, Advance: store.ScheduleUpdate{From: state.Next}}
		for after := state.Next; ; {
			tick, ok := def.Schedule.Next(after)
			if !ok {
				break
			}
			if tick.At.After(now) {
				skipped.Advance.Next, skipped.Advance.NextKey = tick.At, tick.Key
				break
			}
			if skipped.Keys = append(skipped.Keys, tick.Key); len(skipped.Keys) > maxSkippedTicks {
				skipped.Keys = skipped.Keys[1:]
			}
			after = tick.At
		}
		out = append(out, skipped)
	}
	return out, nil
}
