package store

import (
	"context"

	"github.com/tidings-press/tidings/internal/digest"
	"github.com/tidings-press/tidings/internal/store/sqldb"
)

// noteBatch are the notes of one commit, by kind.
type noteBatch struct {
	done []*Outcome
	skip []*Skip
	next []*Intent
	back []*Outcome // those of done that say something of their addresses
	now  int64
}

func newBatch(group []pending, now int64) *noteBatch {
	b := &noteBatch{now: now}
	for _, p := range group {
		if done := p.note.Outcome; done != nil {
			b.done = append(b.done, done)
			if done.Feedback != nil {
				b.back = append(b.back, done)
			}
		}
		if p.note.Skip != nil {
			b.skip = append(b.skip, p.note.Skip)
		}
		if p.note.Intent != nil {
			b.next = append(b.next, p.note.Intent)
		}
	}
	return b
}

// bulk is one kind of notes as the parameters of a query: the edition and the
// subscriber first.
type bulk struct {
	query   string
	n       int
	values  func(i int) []any
	changed func(i int) // hears of each whose row was there to change
}

// row is an outcome as the parameters of delivery.results and delivery.late.
func (o *Outcome) row(now int64) []any {
	return []any{o.Chunk.Edition, o.Subscriber, o.Attempt, string(o.State), replyText(o.Reason), int64(o.Code), replyText(o.Reply), o.Relay, now, millis(o.NextTry)}
}

// outcomes tells met which of them found their intent.
func (b *noteBatch) outcomes(counts chunkCounts, met []bool) bulk {
	values := func(i int) []any { return b.done[i].row(b.now) }
	return bulk{"delivery.results", len(b.done), values, func(i int) {
		met[i] = true
		counts.note(b.done[i].Chunk, b.done[i].State)
	}}
}

// late are the outcomes that did not find their intent.
func (b *noteBatch) late(met []bool) []*Outcome {
	var late []*Outcome
	for i, o := range b.done {
		if !met[i] {
			late = append(late, o)
		}
	}
	return late
}

func (b *noteBatch) skips(counts chunkCounts) bulk {
	values := func(i int) []any {
		k := b.skip[i]
		return []any{k.Chunk.Edition, k.Subscriber, k.Chunk.Number, k.Chunk.Epoch, string(k.State), replyText(k.Reason), b.now, millis(k.NextTry)}
	}
	return bulk{"delivery.skips", len(b.skip), values, func(i int) { counts.note(b.skip[i].Chunk, b.skip[i].State) }}
}

func (b *noteBatch) intents(granted map[[2]int64]bool) bulk {
	values := func(i int) []any {
		n := b.next[i]
		return []any{n.Chunk.Edition, n.Subscriber, n.Attempt, n.Chunk.Number, n.Chunk.Epoch, b.now}
	}
	return bulk{"delivery.intents", len(b.next), values, func(i int) { granted[[2]int64{b.next[i].Chunk.Edition, b.next[i].Subscriber}] = true }}
}

// change runs a query that changes deliveries for each note. SQLite runs a prepared
// statement for each, which is twice as fast there as to read them from JSON;
// PostgreSQL gets them all at once, a column in each parameter.
func (c *conn) change(ctx context.Context, b bulk) error {
	if b.n == 0 {
		return nil
	}
	if c.Engine == Postgres {
		return c.changeAll(ctx, b)
	}
	stmt, err := c.Statement(ctx, b.query)
	if err != nil {
		return sqldb.Wrap(b.query, err)
	}
	for i := range b.n {
		result, err := stmt.ExecContext(ctx, b.values(i)...)
		if err != nil {
			return sqldb.Wrap(b.query, err)
		}
		if rows, err := result.RowsAffected(); err != nil || rows > 0 {
			b.changed(i)
		}
	}
	return nil
}

// counted names a chunk and the lease under which its outcomes came.
type counted struct{ edition, chunk, epoch int64 }

// chunkCounts are final outcomes: sent, refused, skipped.
type chunkCounts map[counted][3]int64

func (c chunkCounts) note(of Chunk, state digest.DeliveryState) {
	key := counted{of.Edition, of.Number, of.Epoch}
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
func (c chunkCounts) add(ctx context.Context, tx *conn) error {
	for key, n := range c {
		changed, err := tx.Exec(ctx, "delivery.count", key.edition, key.chunk, key.epoch, n[0], n[1], n[2])
		if err != nil {
			return err
		}
		if changed > 0 {
			continue
		}
		if err := recountChunk(ctx, tx, key.edition, key.chunk); err != nil {
			return err
		}
	}
	return nil
}

// recountChunk counts a chunk anew from its deliveries and, if it waits, has
// somebody look at it: what it waited for may have come.
func recountChunk(ctx context.Context, tx *conn, edition, number int64) error {
	var held int
	if _, err := tx.One(ctx, "chunk.hold", []any{edition, number}, &held); err != nil {
		return err
	}
	if _, err := tx.Exec(ctx, "chunk.recount", edition, number); err != nil {
		return err
	}
	_, err := tx.Exec(ctx, "chunk.look", edition, number)
	return err
}
