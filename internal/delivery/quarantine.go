package delivery

import (
	"context"
	"time"

	"github.com/tidings-press/tidings/internal/store"
)

// unlessQuarantined runs a step of the engine. While the store is quarantined it does
// nothing, so that no node fires a tick, approves a draft or sends a mail.
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

// maxSkippedTicks bounds the ticks that are kept one by one when a quarantine ends; of
// more, the last ones are.
const maxSkippedTicks = 100

// Release ends the quarantine of the store: what was decided about its editions is
// carried out, the ticks since the backup are not fired, and mail is sent again on
// every node. articlesSent marks all articles as seen that wait now, or are dated
// between the backup and now and come in later. It returns the editions as they were
// decided.
func (e *Engine) Release(ctx context.Context, articlesSent bool) ([]store.QuarantinedEdition, error) {
	release := store.Release{Notices: noticeKind, ArticlesSent: articlesSent}
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
		e.nudge()
	}
	return editions, err
}

// markAllSeen marks the articles that wait for a digest as seen.
func (e *Engine) markAllSeen(ctx context.Context) error {
	for i := range e.Digests {
		if _, err := e.MarkSeen(ctx, e.Digests[i].Name, e.Store.Now().Add(time.Second)); err != nil {
			return err
		}
	}
	return nil
}

// MissedTicks are the ticks of all digests that are due by now, with what follows on
// them. Of more than a hundred, the last ones are named.
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
		skipped := store.SkippedTicks{Digest: def.Name, Keys: []string{state.NextKey}, Advance: store.Advance{From: state.Next}}
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
