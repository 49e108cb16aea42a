package store

import (
	"context"
	"database/sql"
	"fmt"
	"regexp"
	"strconv"

	"github.com/tidings-press/tidings/internal/digest"
	"github.com/tidings-press/tidings/internal/store/sqldb"
)

// recordBatch holds the entries of one commit, by kind.
type recordBatch struct {
	outcomeEntries  []*Outcome
	skipEntries     []*Skip
	intentEntries   []*Intent
	feedbackEntries []*Outcome // outcomes with feedback about their address
	now             int64
}

func newBatch(group []pending, now int64) *recordBatch {
	b := &recordBatch{now: now}
	for _, p := range group {
		if done := p.entry.Outcome; done != nil {
			b.outcomeEntries = append(b.outcomeEntries, done)
			if done.Feedback != nil {
				b.feedbackEntries = append(b.feedbackEntries, done)
			}
		}
		if p.entry.Skip != nil {
			b.skipEntries = append(b.skipEntries, p.entry.Skip)
		}
		if p.entry.Intent != nil {
			b.intentEntries = append(b.intentEntries, p.entry.Intent)
		}
	}
	return b
}

// deliveryChange is a query that changes one delivery for each entry of a kind.
type deliveryChange struct {
	query   string
	n       int               // number of entries
	values  func(i int) []any // the parameters of an entry; the edition and the subscriber come first
	changed func(i int)       // called for each entry whose row was changed
}

// row returns an outcome as the parameters of delivery.results and delivery.late.
func (o *Outcome) row(now int64) []any {
	return []any{o.Chunk.Edition, o.Subscriber, o.Nonce, string(o.State), replyText(o.Reason), int64(o.Code), replyText(o.Reply), o.Relay, now, millis(o.NextTry)}
}

// outcomes returns the change for the outcomes. It marks in met those that found their
// intent.
func (b *recordBatch) outcomes(counts chunkCounts, met []bool) deliveryChange {
	values := func(i int) []any { return b.outcomeEntries[i].row(b.now) }
	return deliveryChange{"delivery.results", len(b.outcomeEntries), values, func(i int) {
		met[i] = true
		counts.count(b.outcomeEntries[i].Chunk, b.outcomeEntries[i].State)
	}}
}

// failures returns the change that records the tries that failed.
func (b *recordBatch) failures() deliveryChange {
	var failed []*Outcome
	for _, o := range b.outcomeEntries {
		if o.State == digest.DeliveryDeferred || o.State == digest.DeliveryRefused || o.State == digest.DeliveryUncertain {
			failed = append(failed, o)
		}
	}
	values := func(i int) []any {
		o := failed[i]
		return []any{o.Chunk.Edition, o.Subscriber, o.Nonce, string(o.State), replyText(o.Reason), int64(o.Code), replyText(o.Reply), o.Relay, b.now}
	}
	return deliveryChange{"try.insert", len(failed), values, func(int) {}}
}

// late returns the outcomes that did not find their intent.
func (b *recordBatch) late(met []bool) []*Outcome {
	var late []*Outcome
	for i, o := range b.outcomeEntries {
		if !met[i] {
			late = append(late, o)
		}
	}
	return late
}

func (b *recordBatch) skips(counts chunkCounts) deliveryChange {
	values := func(i int) []any {
		k := b.skipEntries[i]
		return []any{k.Chunk.Edition, k.Subscriber, k.Chunk.Number, k.Chunk.Epoch, string(k.State), replyText(k.Reason), b.now, millis(k.NextTry)}
	}
	return deliveryChange{"delivery.skips", len(b.skipEntries), values, func(i int) { counts.count(b.skipEntries[i].Chunk, b.skipEntries[i].State) }}
}

func (b *recordBatch) intents(granted map[[2]int64]bool) deliveryChange {
	values := func(i int) []any {
		n := b.intentEntries[i]
		return []any{n.Chunk.Edition, n.Subscriber, n.Nonce, n.Chunk.Number, n.Chunk.Epoch, b.now}
	}
	return deliveryChange{"delivery.intents", len(b.intentEntries), values, func(i int) { granted[[2]int64{b.intentEntries[i].Chunk.Edition, b.intentEntries[i].Subscriber}] = true }}
}

// change runs a query that changes deliveries for each entry. SQLite runs a prepared
// statement for each, which is twice as fast as reading them from JSON; PostgreSQL gets
// all at once, as an array for each column.
func (c *conn) change(ctx context.Context, b deliveryChange) error {
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

// chunkLease names a chunk and the lease under which its outcomes came.
type chunkLease struct{ edition, chunk, epoch int64 }

// chunkCounts counts final outcomes by chunk: sent, refused and skipped.
type chunkCounts map[chunkLease][3]int64

func (c chunkCounts) count(of Chunk, state digest.DeliveryState) {
	key := chunkLease{of.Edition, of.Number, of.Epoch}
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

// add writes the counts. If an outcome came after its chunk was taken over, the chunk is
// recounted.
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

// recountChunk recounts a chunk from its deliveries. If the chunk waits, it becomes due,
// since the outcome that it waited for may be stored now.
func recountChunk(ctx context.Context, tx *conn, edition, number int64) error {
	var held int
	if _, err := tx.One(ctx, "chunk.lockForCount", []any{edition, number}, &held); err != nil {
		return err
	}
	if _, err := tx.Exec(ctx, "chunk.recount", edition, number); err != nil {
		return err
	}
	_, err := tx.Exec(ctx, "chunk.wake", edition, number)
	return err
}

// places returns the index of the entry of each edition and subscriber.
func (d deliveryChange) places() map[[2]int64]int {
	out := make(map[[2]int64]int, d.n)
	for i := range d.n {
		row := d.values(i)
		out[[2]int64{row[0].(int64), row[1].(int64)}] = i
	}
	return out
}

// onChanged calls changed for the entry of a row.
func (d deliveryChange) onChanged(places map[[2]int64]int, edition, subscriber int64) {
	if at, found := places[[2]int64{edition, subscriber}]; found {
		d.changed(at)
	}
}

// changeAll runs a query for all entries at once.
func (c *conn) changeAll(ctx context.Context, b deliveryChange) error {
	places := b.places()
	return c.Each(ctx, b.query, b.columns(), func(rows *sql.Rows) error {
		var edition, subscriber int64
		if err := rows.Scan(&edition, &subscriber); err != nil {
			return err
		}
		b.onChanged(places, edition, subscriber)
		return nil
	})
}

// columns returns the values of all entries, an array for each parameter of the query.
func (d deliveryChange) columns() []any { return columnArrays(d.n, d.values) }

// columnArrays turns n rows of numbers and texts, which may be NULL, into an array for
// each column.
func columnArrays(n int, row func(i int) []any) []any {
	var columns []any
	for i := range n {
		for at, value := range row(i) {
			switch value := value.(type) {
			case int64:
				if len(columns) == at {
					columns = append(columns, make([]int64, 0, n))
				}
				columns[at] = append(columns[at].([]int64), value)
			case string:
				if len(columns) == at {
					columns = append(columns, make([]string, 0, n))
				}
				columns[at] = append(columns[at].([]string), value)
			case *string: // of a nullable column
				if len(columns) == at {
					columns = append(columns, make([]*string, 0, n))
				}
				columns[at] = append(columns[at].([]*string), value)
			}
		}
	}
	return columns
}

// changeBoth commits outcomes, intents or both with one statement, since a transaction of two
// statements takes four round trips to PostgreSQL. No row is in both, since an intent is for
// another mail. It may be repeated if it is unknown whether it was committed: the outcomes
// then change nothing, and the intents find their own nonce.
func (c *conn) changeBoth(ctx context.Context, outcomes, intents deliveryChange) error {
	switch {
	case outcomes.n == 0:
		return c.change(ctx, intents)
	case intents.n == 0:
		return c.change(ctx, outcomes)
	}
	kinds, places := [2]deliveryChange{outcomes, intents}, [2]map[[2]int64]int{outcomes.places(), intents.places()}
	return c.Each(ctx, "delivery.record", append(outcomes.columns(), intents.columns()...), func(rows *sql.Rows) error {
		var which int
		var edition, subscriber int64
		if err := rows.Scan(&which, &edition, &subscriber); err != nil {
			return err
		}
		kinds[which].onChanged(places[which], edition, subscriber)
		return nil
	})
}

// combineRecords combines the statements for outcomes and intents into one.
func combineRecords(q *sqldb.Queries) string {
	outcomes, intents := q.Text(Postgres, "delivery.results"), q.Text(Postgres, "delivery.intents")
	own := parameter.FindAllString(outcomes, -1)
	shifted := parameter.ReplaceAllStringFunc(intents, func(p string) string {
		n, _ := strconv.Atoi(p[1:])
		return "$" + strconv.Itoa(n+highest(own))
	})
	return fmt.Sprintf("WITH done AS (%s), next AS (%s) SELECT 0, edition, subscriber FROM done UNION ALL SELECT 1, edition, subscriber FROM next", outcomes, shifted)
}

var parameter = regexp.MustCompile(`\$\d+`)

// highest returns the highest number of some parameters.
func highest(parameters []string) int {
	limit := 0
	for _, p := range parameters {
		n, _ := strconv.Atoi(p[1:])
		limit = max(limit, n)
	}
	return limit
}
