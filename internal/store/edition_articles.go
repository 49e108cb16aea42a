package store

import (
	"context"
	"database/sql"
	"fmt"
	"time"

	"github.com/tidings-press/tidings/internal/article"
	"github.com/tidings-press/tidings/internal/digest"
	"github.com/tidings-press/tidings/internal/store/sqldb"
)

// Waiting asks for the articles that wait for a digest's next editions: published, dated
// no later than now, in no edition of it yet, not marked as seen, and its own. An article
// is a digest's own when its date is not before the digest's beginning or, whatever its
// date, when it came in after the digest's first tick or edition: a late article.
type Waiting struct {
	Digest string
	Since  time.Time // the digest's beginning; zero for everything
	Began  time.Time // when its first tick or edition was dealt with; zero before
	Now    time.Time
	Filter article.Filter
	Before time.Time // only those dated before; zero for all
	Draft  string    // id of an edition whose articles wait as well; empty for none
	Limit  int
	Oldest bool // those that have waited longest first, and not the newest
	// Earlier asks for those instead that are not its own: dated before its beginning,
	// and there before its first tick or edition.
	Earlier bool
}

// query is the question as the lister puts it. The order by date is served by
// articles_waiting.
func (w *Waiting) query() Query {
	q := Query{Filter: w.Filter, Limit: w.Limit, Order: ByDate, AsOf: w.Now, waits: w}
	if w.Oldest {
		q.Order, q.Oldest = ByAppearance, true
	}
	return q
}

// WaitingArticles returns the articles that wait, the newest first unless the oldest are
// asked for.
func (s *Store) WaitingArticles(ctx context.Context, w Waiting) ([]article.Article, error) {
	found, err := s.Articles(ctx, w.query())
	out := make([]article.Article, len(found))
	for i := range found {
		out[i] = found[i].Article
	}
	return out, err
}

// unlimited exceeds the number of articles of any store.
const unlimited = 1 << 40

// CountWaiting returns how many articles wait, whatever the limit.
func (s *Store) CountWaiting(ctx context.Context, w Waiting) (int, error) {
	w.Limit = unlimited
	text, args, err := s.waiting(ctx, s.readers, w, func(_ *lister, merged string) string {
		return fmt.Sprintf("SELECT count(*) FROM (%s) AS w", merged)
	})
	if err != nil || text == "" {
		return 0, err
	}
	n := 0
	rows, err := s.readers.QueryContext(ctx, text, args...)
	if err == nil {
		err = sqldb.Walk(rows, func(rows *sql.Rows) error { return rows.Scan(&n) })
	}
	return n, sqldb.Wrap("articles", err)
}

// waiting composes SQL around the query for the positions of the articles that wait. It is
// empty when there cannot be any.
func (s *Store) waiting(ctx context.Context, on *conn, w Waiting, around func(l *lister, merged string) string) (string, []any, error) {
	q := w.query()
	q.setDefaults()
	l := lister{Query: q, statement: statement{engine: s.engine}, r: on}
	paths, err := l.paths(ctx)
	if err != nil || len(paths) == 0 {
		return "", nil, err
	}
	text := around(&l, l.merge(paths))
	return text, l.args, nil
}

// MarkSeen removes the articles that wait for a digest from its queue, as if an edition
// had contained them, and returns their number. MarkUnseen undoes it.
func (s *Store) MarkSeen(ctx context.Context, w Waiting) (int64, error) {
	w.Limit = unlimited
	var n int64
	err := s.write(ctx, func(tx *conn) error {
		n = 0
		text, args, err := s.waiting(ctx, tx, w, func(l *lister, merged string) string {
			return fmt.Sprintf(`INSERT INTO ledger (digest, article_id, edition_id) SELECT CAST(%s AS text), a.id, ''
				FROM (%s) AS w JOIN articles a ON a.seq = w.seq WHERE true ON CONFLICT (digest, article_id) DO NOTHING`, l.arg(w.Digest), merged)
		})
		if err != nil || text == "" {
			return err
		}
		result, err := tx.ExecContext(ctx, text, args...)
		if err != nil {
			return sqldb.Wrap("mark as seen", err)
		}
		n, err = result.RowsAffected()
		return err
	})
	return n, err
}

// MarkUnseen puts the articles that were marked as seen and are dated before a time, zero
// for all, back into a digest's queue. Those that an edition has had are not among them.
func (s *Store) MarkUnseen(ctx context.Context, digest string, before time.Time) (int64, error) {
	var n int64
	err := s.write(ctx, func(tx *conn) (err error) {
		n, err = tx.Exec(ctx, "ledger.unmarkSeen", digest, millis(before))
		return err
	})
	return n, err
}

// LedgerCounts are how many articles of a digest do not wait any more, and why.
type LedgerCounts struct {
	Seen    int // marked as seen
	Drafted int // in a draft
	Sent    int // in an edition that is no draft
}

// LedgerCounts returns how many articles of a digest do not wait any more.
func (s *Store) LedgerCounts(ctx context.Context, digest string) (LedgerCounts, error) {
	var c LedgerCounts
	_, err := s.readers.One(ctx, "ledger.counts", []any{digest}, &c.Seen, &c.Drafted, &c.Sent)
	return c, err
}

// WithdrawnArticle is an article of an edition that is not published any more.
type WithdrawnArticle struct {
	ID, Title string
}

// WithdrawnArticles returns the articles of an edition that are not published any more.
func (s *Store) WithdrawnArticles(ctx context.Context, seq int64) ([]WithdrawnArticle, error) {
	var out []WithdrawnArticle
	err := s.readers.Each(ctx, "edition.withdrawn", []any{seq}, func(rows *sql.Rows) error {
		var w WithdrawnArticle
		err := rows.Scan(&w.ID, &w.Title)
		out = append(out, w)
		return err
	})
	return out, err
}

// EditionsUnderWay returns the ids of the editions that hold an article and are approved, being
// sent or paused.
func (s *Store) EditionsUnderWay(ctx context.Context, article string) ([]string, error) {
	var out []string
	err := s.readers.Each(ctx, "edition.underWayWith", []any{article}, func(rows *sql.Rows) error {
		var id string
		err := rows.Scan(&id)
		out = append(out, id)
		return err
	})
	return out, err
}

// WithdrawalNotice is an article of an approved edition that was withdrawn, of which the editors
// have not been notified yet.
type WithdrawalNotice struct {
	WithdrawnArticle
	Seq             int64 // of the edition
	Edition, Digest string
	Subject         string
	State           digest.State
}

// PendingWithdrawalNotices returns the withdrawn articles of all editions that are approved, being sent or
// paused, of which the editors have not been notified.
func (s *Store) PendingWithdrawalNotices(ctx context.Context) ([]WithdrawalNotice, error) {
	var out []WithdrawalNotice
	err := s.readers.Each(ctx, "edition.pendingNotices", nil, func(rows *sql.Rows) error {
		var u WithdrawalNotice
		err := rows.Scan(&u.Seq, &u.Edition, &u.Digest, &u.Subject, &u.State, &u.ID, &u.Title)
		out = append(out, u)
		return err
	})
	return out, err
}

// RecordWithdrawalNotice records that editors are notified of a withdrawn article, and stores the jobs that
// do so. first is false when another node was faster.
func (s *Store) RecordWithdrawalNotice(ctx context.Context, u WithdrawalNotice, jobs []Job) (first bool, err error) {
	err = s.write(ctx, func(tx *conn) error {
		n, err := tx.Exec(ctx, "edition.recordNotice", u.Seq, u.ID, millis(s.Now()))
		if first = n == 1; err != nil || !first {
			return err
		}
		return s.enqueueAll(ctx, tx, jobs)
	})
	return first, err
}
