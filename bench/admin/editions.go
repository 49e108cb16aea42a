package main

import (
	"context"
	"fmt"
	"log/slog"
	"time"

	"github.com/google/uuid"

	"github.com/tidings-press/tidings/internal/app"
	"github.com/tidings-press/tidings/internal/config"
	"github.com/tidings-press/tidings/internal/delivery"
	"github.com/tidings-press/tidings/internal/digest"
	"github.com/tidings-press/tidings/internal/store"
)

// Of the editions, the newest one of the digest weekly went to all of its subscribers, some to a tenth
// of them, and the others to few: all deliveries of 500 such editions would not fit on the disk.
const (
	articlesOfEdition  = 12
	editionsToMany     = 10
	deliveriesToMany   = 100_000
	deliveriesToFew    = 1000
	deliveriesPerChunk = 500
)

// fillEditions makes one edition as the program does, and copies it to all others with plain SQL. In
// the queue of the digest weekly nearly all articles wait, in that of daily only the newest ones.
func (s *site) fillEditions(ctx context.Context, db *store.Store) error {
	c, err := config.Parse([]byte(s.settings("127.0.0.1:1")), "config.yaml")
	if err != nil {
		return err
	}
	service, err := app.Open(ctx, c, slog.New(slog.DiscardHandler))
	if err != nil {
		return err
	}
	defer service.Close()
	engine, err := service.Engine(ctx)
	if err != nil {
		return err
	}
	for _, name := range []string{"weekly", "daily", "monthly", "staff"} {
		if err := engine.SetBeginning(ctx, name, time.Time{}); err != nil {
			return err
		}
	}
	first, err := engine.Draft(ctx, "staff", delivery.SendOptions{By: "bench"})
	if err == nil {
		first, err = engine.Approve(ctx, first.ID)
	}
	if err != nil {
		return err
	}
	f := &editionFiller{site: s, db: db, first: first.Seq, now: time.Now()}
	if err := f.fill(ctx); err != nil {
		return err
	}
	if _, err := engine.MarkSeen(ctx, "daily", time.Now().AddDate(0, 0, -20)); err != nil {
		return err
	}
	if _, err := engine.Draft(ctx, "weekly", delivery.SendOptions{By: "bench"}); err != nil {
		return err
	}
	for i := range 3 {
		m := delivery.Message{Audience: digest.Audience{Digests: []string{"weekly"}}, Subject: fmt.Sprint("Message ", i), Text: map[string]string{"": "A **message** to all."}}
		if _, err := engine.NewMessage(ctx, "bench", m); err != nil {
			return err
		}
	}
	return nil
}

// editionFiller copies an edition.
type editionFiller struct {
	*site
	db    *store.Store
	first int64 // the edition that is copied
	now   time.Time
	err   error
}

func (f *editionFiller) exec(ctx context.Context, statement string, args ...any) {
	if f.err != nil {
		return
	}
	if _, f.err = f.db.DB().ExecContext(ctx, statement, args...); f.err != nil {
		f.err = fmt.Errorf("%s: %w", statement, f.err)
	}
}

func (f *editionFiller) fill(ctx context.Context) error {
	f.exec(ctx, "UPDATE deliveries SET state = 'sent', tries = 1, code = 250, reply = '2.0.0 ok', relay = 'sink' WHERE edition = $1", f.first)
	f.exec(ctx, "UPDATE chunks SET state = 'done', sent = total WHERE edition = $1", f.first)
	f.exec(ctx, "UPDATE editions SET state = 'sent', started = approved, finished = approved WHERE seq = $1", f.first)
	n := f.editions()
	for i := 1; i < n && f.err == nil; i++ {
		age := n - i
		name, size := "weekly", deliveriesToFew
		switch {
		case age == 1:
			size = allSubscribers
		case age <= editionsToMany+1:
			size = deliveriesToMany
		case i%3 == 1:
			name = "daily"
		case i%7 == 2:
			name = "monthly"
		}
		f.copyEdition(ctx, i, name, f.now.Add(-time.Duration(age)*26*time.Hour), size/f.scale)
	}
	f.exec(ctx, "UPDATE editions SET state = 'paused', finished = 0 WHERE seq = (SELECT max(seq) - 2 FROM editions)")
	f.exec(ctx, "UPDATE deliveries SET state = 'queued', tries = 0, code = 0, reply = '', relay = '' WHERE edition = (SELECT max(seq) - 2 FROM editions) AND subscriber % 2 = 0")
	f.exec(ctx, "UPDATE chunks SET state = 'waiting', sent = total / 2, deferred = 0, refused = 0, skipped = 0, uncertain = 0 WHERE edition = (SELECT max(seq) - 2 FROM editions)")
	f.fillRecords(ctx)
	if f.err == nil {
		f.err = f.db.DB().QueryRowContext(ctx, "SELECT count(*) FROM deliveries").Scan(&f.deliveries)
	}
	return f.err
}

// copyEdition makes the i-th edition, with other articles, to the first size subscribers of a digest.
func (f *editionFiller) copyEdition(ctx context.Context, i int, name string, at time.Time, size int) {
	id, ms := uuid.NewString(), at.UnixMilli()
	f.exec(ctx, `INSERT INTO editions (id, digest, number, scheduled_for, state, automatic, author, subject, reason, audience_count, audience_max, created, approved, started, finished, settings, edits, audience, send_at, held, undo_until, noticed)
		SELECT $1, $2, $3, $4, state, automatic, author, $5, reason, $6, audience_max, $7, $7, $7, $8, settings, edits, audience, 0, '', 0, 1 FROM editions WHERE seq = $9`,
		id, name, i, at.Format("2006-01-02T15:04"), fmt.Sprintf("Edition %d", i), size, ms, ms+int64(time.Hour/time.Millisecond), f.first)
	var seq int64
	if f.err == nil {
		f.err = f.db.DB().QueryRowContext(ctx, "SELECT seq FROM editions WHERE id = $1", id).Scan(&seq)
	}
	f.exec(ctx, "INSERT INTO variants (edition, number, data) SELECT $1, number, data FROM variants WHERE edition = $2", seq, f.first)
	f.exec(ctx, "INSERT INTO edition_articles (edition, position, article_id, told) SELECT CAST($1 AS bigint), seq - $2, id, 0 FROM articles WHERE seq > $2 AND seq <= $3", seq, i*articlesOfEdition, (i+1)*articlesOfEdition)
	f.exec(ctx, "INSERT INTO ledger (digest, article_id, edition_id) SELECT CAST($1 AS text), article_id, $2 FROM edition_articles WHERE edition = $3", name, id, seq)
	f.exec(ctx, "INSERT INTO ticks (digest, scheduled_for, edition, reason, at) VALUES ($1, $2, $3, '', $4)", name, at.Format("2006-01-02T15:04"), id, ms)
	f.exec(ctx, `INSERT INTO deliveries (edition, subscriber, chunk, variant, state, reason, tries, attempt, code, reply, relay, first_try, at, next_try, digest)
		SELECT CAST($1 AS bigint), subscriber, (row_number() OVER (ORDER BY subscriber) - 1) / $2, 0,
			CASE subscriber % 100 WHEN 7 THEN 'refused' WHEN 8 THEN 'skipped' ELSE 'sent' END, CASE subscriber % 100 WHEN 8 THEN 'unsubscribed meanwhile' ELSE '' END,
			1, 1, CASE subscriber % 100 WHEN 7 THEN 550 WHEN 8 THEN 0 ELSE 250 END, CASE subscriber % 100 WHEN 7 THEN '5.1.1 unknown user' WHEN 8 THEN '' ELSE '2.0.0 ok: queued as 4F3k9x' END,
			'sink', CAST($3 AS bigint), CAST($3 AS bigint) + subscriber % 3600000, 0, ''
		FROM (SELECT subscriber FROM subscriptions WHERE digest = $4 AND left_at = 0 ORDER BY subscriber LIMIT $5) AS p`, seq, deliveriesPerChunk, ms, name, size)
	f.exec(ctx, `INSERT INTO chunks (edition, number, first_id, last_id, state, holder, lease_until, not_before, epoch, total, sent, refused, skipped, deferred, uncertain)
		SELECT edition, chunk, min(subscriber), max(subscriber), 'done', '', 0, 0, 1, count(*), sum(CASE WHEN state = 'sent' THEN 1 ELSE 0 END), sum(CASE WHEN state = 'refused' THEN 1 ELSE 0 END),
			sum(CASE WHEN state = 'skipped' THEN 1 ELSE 0 END), 0, 0 FROM deliveries WHERE edition = $1 GROUP BY edition, chunk`, seq)
	f.exec(ctx, `INSERT INTO delivery_tries (edition, subscriber, try, state, reason, code, reply, relay, at)
		SELECT edition, subscriber, 1, 'refused', '', code, reply, relay, at FROM deliveries WHERE edition = $1 AND state = 'refused'`, seq)
	f.exec(ctx, `INSERT INTO feedback (key, subscriber, edition, kind, code, reply, source, at)
		SELECT CAST($1 AS text) || '/' || subscriber, subscriber, $1, 'unsubscribed', 0, '', 'link', at FROM deliveries WHERE edition = $2 AND state = 'sent' ORDER BY subscriber LIMIT $3`, id, seq, max(size/2000, 1))
}

// fillRecords fills the audit log, and the records of changes of subscribers.
func (f *editionFiller) fillRecords(ctx context.Context) {
	f.exec(ctx, `INSERT INTO audit_log (at, editor, who, action, kind, object, detail, request, network)
		SELECT $1 - seq * 60000, 1, 'editor' || seq % 7 || '@bench.example', CASE seq % 3 WHEN 0 THEN 'article.save' WHEN 1 THEN 'edition.approve' ELSE 'subscriber.edit' END,
			'article', id, '', 'r' || seq, '192.0.2.0/24' FROM articles`, f.now.UnixMilli())
	f.exec(ctx, `INSERT INTO subscriber_changes (subscriber, at, who, what, detail)
		SELECT id, created + 60000, '', 'state:active', '' FROM subscribers WHERE id % 10 = 0`)
}
