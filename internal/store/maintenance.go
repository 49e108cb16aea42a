package store

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"time"

	sqlite3 "modernc.org/sqlite/lib"

	"github.com/tidings-press/tidings/internal/backoff"
	"github.com/tidings-press/tidings/internal/store/sqldb"
)

// Retention holds the times before which old rows may be removed; a zero time keeps all. The
// ledger, ticks, editions with their counts and pages, subscribers and suppressions are
// never removed, since they prevent mail from being sent twice or unasked.
type Retention struct {
	Deliveries time.Time // of editions that ended earlier
	Feedback   time.Time // that arrived earlier
	Jobs       time.Time // that ended earlier
	Audit      time.Time // entries of the audit log that are older, and older than AuditKept
	Revisions  time.Time // of articles, that were saved earlier and are neither the newest nor the published one
	Media      time.Time // that no document has named since
	// MediaNamedIn are texts outside of the store, such as the configuration, that may name media.
	MediaNamedIn []string
}

// Removed counts the rows that were removed, and the bytes that SQLite's file shrank by.
type Removed struct {
	Deliveries, Variants, Feedback, Jobs, Audit, Revisions, Media, Sessions, Links, Bytes int64
}

// The bounds of one transaction of Prune. They are so small that it delays the outcomes of
// mails by a few milliseconds at most.
const (
	rowsPerStep     = 500
	variantsPerStep = 20
	pagesPerStep    = 500
)

// pruneLease is the length of the lease for pruning. If a node stops while it prunes, the
// others can prune after that time.
const pruneLease = 2 * time.Minute

// pruner removes old rows in small transactions while it holds the lease.
type pruner struct {
	store   *Store
	holder  string
	renewed time.Time
	removed Removed
}

// errLeaseTaken reports that another node holds the lease for pruning.
var errLeaseTaken = errors.New("another node is pruning")

// Prune removes rows older than the retention in small transactions, and returns free pages
// of a SQLite file to the system. Only one node does so at a time; on the others it removes
// nothing. When ctx ends, the rest is left to the next call.
func (s *Store) Prune(ctx context.Context, r Retention) (Removed, error) {
	p := &pruner{store: s, holder: rand.Text()}
	err := p.run(ctx, r)
	if errors.Is(err, errLeaseTaken) {
		err = nil
	}
	return p.removed, err
}

func (p *pruner) run(ctx context.Context, r Retention) error {
	if err := p.renew(ctx); err != nil {
		return err
	}
	now := p.store.Now()
	err := errors.Join(
		p.pruneEditions(ctx, r.Deliveries),
		p.pruneOlder(ctx, "retention.feedback", r.Feedback, &p.removed.Feedback),
		p.pruneOlder(ctx, "retention.jobs", r.Jobs, &p.removed.Jobs),
		p.pruneAudit(ctx, r.Audit),
		p.pruneOlder(ctx, "retention.revisions", r.Revisions, &p.removed.Revisions),
		p.pruneMedia(ctx, r),
		p.pruneOlder(ctx, "retention.sessions", now, &p.removed.Sessions),
		p.pruneOlder(ctx, "retention.links", now, &p.removed.Links),
		p.shrink(ctx),
	)
	return errors.Join(err, p.store.write(ctx, func(tx *conn) error {
		_, err := tx.Exec(ctx, "lease.release", "retention", p.holder)
		return err
	}))
}

// renew takes the lease, and renews it when half of it has passed.
func (p *pruner) renew(ctx context.Context) error {
	now := p.store.Now()
	if now.Sub(p.renewed) < pruneLease/2 {
		return nil
	}
	return p.store.write(ctx, func(tx *conn) error {
		var until int64
		taken, err := tx.One(ctx, "lease.take", []any{"retention", p.holder, millis(now.Add(pruneLease)), millis(now)}, &until)
		if err == nil && !taken {
			err = errLeaseTaken
		}
		if err == nil {
			p.renewed = now
		}
		return err
	})
}

// steps runs a query that removes up to size rows again and again, each time in its own
// transaction, until it removes fewer.
func (p *pruner) steps(ctx context.Context, removed *int64, query string, size int64, args ...any) error {
	for {
		if err := errors.Join(ctx.Err(), p.renew(ctx)); err != nil {
			return err
		}
		var n int64
		err := p.store.write(ctx, func(tx *conn) (err error) {
			n, err = tx.Exec(ctx, query, append(args, size)...)
			return err
		})
		*removed += n
		if err != nil || n < size {
			return err
		}
	}
}

// pruneOlder removes rows of one kind that are older than a time.
func (p *pruner) pruneOlder(ctx context.Context, query string, before time.Time, removed *int64) error {
	if before.IsZero() {
		return nil
	}
	return p.steps(ctx, removed, query, rowsPerStep, millis(before))
}

// pruneAudit removes entries of the audit log, but none that the database would keep. A day more
// allows for the difference between the clocks of this node and of the database.
func (p *pruner) pruneAudit(ctx context.Context, before time.Time) error {
	if kept := p.store.Now().Add(-AuditKept - 24*time.Hour); before.After(kept) {
		before = kept
	}
	return p.pruneOlder(ctx, "retention.audit", before, &p.removed.Audit)
}

// pruneEditions removes the deliveries of old editions, and all variants but the one
// that their page shows. Deliveries are removed last, since an edition is found by them: after an
// interruption, the next run finds it again.
func (p *pruner) pruneEditions(ctx context.Context, before time.Time) error {
	if before.IsZero() {
		return nil
	}
	for {
		old, err := sqldb.Column[int64](ctx, p.store.readers.Conn, "retention.editions", millis(before), 100)
		if err != nil || len(old) == 0 {
			return err
		}
		for _, seq := range old {
			var tries int64
			if err := p.steps(ctx, &tries, "retention.tries", rowsPerStep, seq); err != nil {
				return err
			}
			if err := p.keepMediaOfVariants(ctx, seq); err != nil {
				return err
			}
			if err := p.steps(ctx, &p.removed.Variants, "retention.variants", variantsPerStep, seq); err != nil {
				return err
			}
			if err := p.steps(ctx, &p.removed.Deliveries, "retention.deliveries", rowsPerStep, seq); err != nil {
				return err
			}
		}
	}
}

// sparePages is the share of a SQLite file's pages that stays free. The next edition needs
// pages again, and to release and allocate them costs writes.
const sparePages = 0.1

// shrink returns free pages of a SQLite file to the system, a few in each transaction. A
// file that was created before incremental vacuum was turned on keeps them for later rows,
// as PostgreSQL's autovacuum does.
func (p *pruner) shrink(ctx context.Context) error {
	s := p.store
	if s.engine != SQLite {
		return nil
	}
	for {
		if err := errors.Join(ctx.Err(), p.renew(ctx)); err != nil {
			return err
		}
		var mode, size, free, all int64
		for pragma, into := range map[string]*int64{"auto_vacuum": &mode, "page_size": &size, "freelist_count": &free, "page_count": &all} {
			if err := s.DB().QueryRowContext(ctx, "PRAGMA "+pragma).Scan(into); err != nil {
				return err
			}
		}
		const incremental = 2
		spare := int64(float64(all) * sparePages)
		if mode != incremental || free <= spare {
			return nil
		}
		pages := min(pagesPerStep, free-spare)
		if _, err := s.DB().ExecContext(ctx, fmt.Sprintf("PRAGMA incremental_vacuum(%d)", pages)); err != nil {
			return err
		}
		p.removed.Bytes += pages * size
	}
}

// Erased data must also be gone from SQLite's files. The writer runs with secure_delete,
// which overwrites deleted rows and freed pages with zeros. The log beside the file keeps
// former versions of pages until it is truncated; TruncateLog does that.

// truncateTimeout bounds how long truncateLog waits for readers; truncateEvery is how often
// it tries.
const (
	truncateTimeout = 5 * time.Second
	truncateEvery   = 50 * time.Millisecond
)

// truncateLog truncates SQLite's log. If a reader prevents that for longer than
// truncateTimeout, the next maintenance does it.
func (s *Store) truncateLog(ctx context.Context) error {
	for deadline := time.Now().Add(truncateTimeout); ; {
		done, err := s.TruncateLog(ctx)
		if err != nil || done || time.Now().After(deadline) {
			return err
		}
		if err := backoff.Wait(ctx, truncateEvery); err != nil {
			return err
		}
	}
}

// TruncateLog moves the log beside a SQLite file into the file and truncates it. The log
// holds former versions of changed and erased rows. It returns false when a reader
// prevented that. On PostgreSQL it does nothing.
func (s *Store) TruncateLog(ctx context.Context) (done bool, err error) {
	if s.engine != SQLite {
		return true, nil
	}
	conn, err := s.DB().Conn(ctx)
	if err != nil {
		return false, err
	}
	defer func() { err = errors.Join(err, conn.Close()) }()
	// A checkpoint that waits for a reader blocks every writer.
	if _, err := conn.ExecContext(ctx, fmt.Sprintf("PRAGMA busy_timeout = %d", truncateEvery.Milliseconds())); err != nil {
		return false, err
	}
	var busy, frames, moved int
	err = conn.QueryRowContext(ctx, "PRAGMA wal_checkpoint(TRUNCATE)").Scan(&busy, &frames, &moved)
	if code := sqldb.SQLiteCode(err) & 0xff; code == sqlite3.SQLITE_BUSY || code == sqlite3.SQLITE_LOCKED {
		busy, err = 1, nil
	}
	_, reset := conn.ExecContext(context.WithoutCancel(ctx), fmt.Sprintf("PRAGMA busy_timeout = %d", s.db.Wait.Milliseconds()))
	return busy == 0, errors.Join(sqldb.Wrap("checkpoint", err), reset)
}
