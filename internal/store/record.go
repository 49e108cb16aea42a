package store

import (
	"cmp"
	"context"
	"errors"
	"slices"

	"github.com/tidings-press/tidings/internal/subscriber"
)

// record is one transaction: outcomes first, since a connection's next mail may be
// the same reader's next edition, then skips, then intents.
func (s *Store) record(ctx context.Context, group []pending, counts chunkCounts) (map[[2]int64]bool, error) {
	batch := newBatch(group, millis(s.Now()))
	granted, met := map[[2]int64]bool{}, make([]bool, len(batch.done))
	outcomes, skips, intents := batch.outcomes(counts, met), batch.skips(counts), batch.intents(granted)
	keys, err := s.keysFor(ctx, batch)
	if err != nil {
		return nil, err
	}
	err = s.recorders.Retry(ctx, func() error {
		clear(granted)
		clear(counts)
		clear(met)
		if s.engine == Postgres && skips.n == 0 && len(batch.back) == 0 {
			return s.recorders.atOnce(ctx, outcomes, intents)
		}
		return s.recorders.transaction(ctx, func(tx *conn) error {
			for _, b := range []bulk{outcomes, skips, intents} {
				if err := tx.change(ctx, b); err != nil {
					return err
				}
			}
			for _, o := range batch.back {
				if _, err := s.takeFeedback(ctx, tx, keys, *o.Feedback, o.SoftRule); err != nil {
					return err
				}
			}
			return nil
		})
	})
	if err == nil {
		s.noteMails(batch, granted)
		err = s.recordLate(ctx, batch.late(met))
	}
	return granted, err
}

// keysFor are the keys that what came back is kept with, if anything did. They are
// read before the transaction, which may hold the one connection there is.
func (s *Store) keysFor(ctx context.Context, batch *noteBatch) (subscriber.Keys, error) {
	if len(batch.back) == 0 {
		return subscriber.Keys{}, nil
	}
	return s.Keys(ctx)
}

// recordLate stores outcomes that did not meet their intent: it is in doubt, since
// its holder was not heard of for longer than its lease. What counts the mail as
// one in doubt is put right by the same commit, or an editor could be shown a mail
// in doubt that is none, for good, should the process end before it counts again.
func (s *Store) recordLate(ctx context.Context, late []*Outcome) error {
	if len(late) == 0 {
		return nil
	}
	// Those who lock several chunks do so in one order.
	slices.SortFunc(late, func(a, b *Outcome) int {
		return cmp.Or(cmp.Compare(a.Chunk.Edition, b.Chunk.Edition), cmp.Compare(a.Chunk.Number, b.Chunk.Number))
	})
	now := millis(s.Now())
	return s.recorders.Retry(ctx, func() error {
		return s.recorders.transaction(ctx, func(tx *conn) error {
			for _, o := range late {
				changed, err := tx.Exec(ctx, "delivery.late", o.row(now)...)
				if err != nil {
					return err
				}
				if changed == 0 {
					continue
				}
				if err := recountChunk(ctx, tx, o.Chunk.Edition, o.Chunk.Number); err != nil {
					return err
				}
			}
			return nil
		})
	})
}

// DenialReason says why an intent was not granted: "lost" when the chunk is another
// node's, "stopped" when the edition is not being sent, "taken" when the mail has
// an outcome already, and else the reader's state, or "unsubscribed".
func (s *Store) DenialReason(ctx context.Context, in Intent) (string, error) {
	var why string
	found, err := s.readers.One(ctx, "delivery.whyNot", []any{in.Chunk.Edition, in.Chunk.Number, in.Chunk.Epoch, in.Subscriber}, &why)
	if err == nil && !found {
		err = errors.New("the edition is gone")
	}
	return why, err
}
