package store

import (
	"context"
	"database/sql"

	"github.com/tidings-press/tidings/digest"
)

// row is a note as the queries read it. Names are short: thousands of them are
// written every second.
type row struct {
	Edition    int64  `json:"e"`
	Subscriber int64  `json:"s"`
	Attempt    int64  `json:"a,omitempty"`
	Chunk      int64  `json:"c"`
	Epoch      int64  `json:"ep,omitempty"`
	State      string `json:"st,omitempty"`
	Reason     string `json:"why"`
	Code       int    `json:"code"`
	Reply      string `json:"reply"`
	Relay      string `json:"relay"`
	At         int64  `json:"ms"`
	NextTry    int64  `json:"nxt"`
}

type noteBatch struct{ done, skip, next []row }

func newBatch(group []pending, now int64) *noteBatch {
	b := &noteBatch{}
	for _, p := range group {
		if o := p.note.Done; o != nil {
			b.done = append(b.done, row{Edition: o.Chunk.Edition, Subscriber: o.Subscriber, Attempt: o.Attempt, State: string(o.State),
				Chunk: o.Chunk.Number, Epoch: o.Chunk.Epoch,
				Reason: said(o.Reason), Code: o.Code, Reply: said(o.Reply), Relay: o.Relay, At: now, NextTry: millis(o.NextTry)})
		}
		if k := p.note.Skip; k != nil {
			b.skip = append(b.skip, row{Edition: k.Chunk.Edition, Subscriber: k.Subscriber, Chunk: k.Chunk.Number, Epoch: k.Chunk.Epoch,
				State: string(k.State), Reason: said(k.Reason), At: now, NextTry: millis(k.NextTry)})
		}
		if n := p.note.Next; n != nil {
			b.next = append(b.next, row{Edition: n.Chunk.Edition, Subscriber: n.Subscriber, Attempt: n.Attempt,
				Chunk: n.Chunk.Number, Epoch: n.Chunk.Epoch, At: now})
		}
	}
	return b
}

func (b *noteBatch) outcomes(ctx context.Context, tx *runner, counts chunkCounts) error {
	return changes(ctx, tx, "delivery.results", b.done, counts)
}

func (b *noteBatch) skips(ctx context.Context, tx *runner, counts chunkCounts) error {
	return changes(ctx, tx, "delivery.skips", b.skip, counts)
}

// changes runs a query that returns the rows it changed, and counts them.
func changes(ctx context.Context, tx *runner, query string, rows []row, counts chunkCounts) error {
	if len(rows) == 0 {
		return nil
	}
	epochs := map[[2]int64]int64{}
	for _, r := range rows {
		epochs[[2]int64{r.Edition, r.Chunk}] = r.Epoch
	}
	text, err := marshalRows(rows)
	if err != nil {
		return err
	}
	return tx.each(ctx, query, []any{text}, func(rows *sql.Rows) error {
		var edition, subscriber, chunk int64
		var state digest.DeliveryState
		if err := rows.Scan(&edition, &subscriber, &chunk, &state); err != nil {
			return err
		}
		counts.note(edition, chunk, epochs[[2]int64{edition, chunk}], state)
		return nil
	})
}

func (b *noteBatch) intents(ctx context.Context, tx *runner, granted map[[2]int64]bool) error {
	if len(b.next) == 0 {
		return nil
	}
	text, err := marshalRows(b.next)
	if err != nil {
		return err
	}
	return tx.each(ctx, "delivery.intents", []any{text}, func(rows *sql.Rows) error {
		var edition, subscriber, chunk int64
		if err := rows.Scan(&edition, &subscriber, &chunk); err != nil {
			return err
		}
		granted[[2]int64{edition, subscriber}] = true
		return nil
	})
}

// counted names a chunk and the lease under which its outcomes came.
type counted struct{ edition, chunk, epoch int64 }

// chunkCounts are final outcomes: sent, refused, skipped.
type chunkCounts map[counted][3]int64

func (c chunkCounts) note(edition, chunk, epoch int64, state digest.DeliveryState) {
	key := counted{edition, chunk, epoch}
	n := c[key]
	switch state {
	case digest.DeliverySent:
		n[0]++
	case digest.DeliveryRefused:
		n[1]++
	case digest.DeliverySkipped:
		n[2]++
	}
	c[key] = n
}

// merge adds the counts of another batch.
func (c chunkCounts) merge(other chunkCounts) {
	for key, n := range other {
		have := c[key]
		c[key] = [3]int64{have[0] + n[0], have[1] + n[1], have[2] + n[2]}
	}
}

// add writes the counts. An answer that came after its chunk was taken over makes
// that chunk be counted anew, and looked at again.
func (c chunkCounts) add(ctx context.Context, tx *runner) error {
	for key, n := range c {
		changed, err := tx.exec(ctx, "delivery.count", key.edition, key.chunk, key.epoch, n[0], n[1], n[2])
		if err != nil {
			return err
		}
		if changed > 0 {
			continue
		}
		if _, err := tx.exec(ctx, "chunk.recount", key.edition, key.chunk); err != nil {
			return err
		}
		if _, err := tx.exec(ctx, "chunk.look", key.edition, key.chunk); err != nil {
			return err
		}
	}
	return nil
}
