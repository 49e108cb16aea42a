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

// QueueQuery is a query for the articles that wait for a digest's next edition: they are
// published, dated no later than Now, in no edition of the digest, not marked as seen, and
// belong to the digest. An article belongs to a digest if its date is not before Since, or,
// whatever its date, if it was added after Began: a late article.
type QueueQuery struct {
	Digest     string
	Since      time.Time // the digest's beginning; zero for all articles
	Began      time.Time // when its first tick or edition was handled; zero before that
	Now        time.Time
	Filter     article.Filter
	Before     time.Time // only articles dated before; zero for all
	From       time.Time // only articles dated from then on; zero for all
	AppearedBy time.Time // only articles that appeared no later than this; zero for all
	Draft      string    // id of an edition whose articles count as waiting; empty for none
	Limit      int
	// WithoutHTML returns the articles without their HTML.
	WithoutHTML bool
	Oldest      bool // return those that have waited longest first, instead of the newest
	// Earlier selects the articles that do not belong to the digest instead: they are dated
	// before Since and were added before Began.
	Earlier bool
	// Remember stores which articles cannot wait, if the query finds all that do, so that later
	// queries do not search them.
	Remember        bool
	IgnoreWatermark bool // search all articles, whatever earlier queries remembered

	watermark *queueWatermark // what an earlier query remembered; nil for nothing
}

// query returns the Query for the articles. The index articles_waiting serves the order by
// date.
func (q *QueueQuery) query() Query {
	all := Query{Filter: q.Filter, Limit: q.Limit, Order: ByDate, AsOf: q.Now, waits: q}
	if q.WithoutHTML {
		all.HTMLBudget = WithoutHTML
	}
	if q.Oldest {
		all.Order, all.Oldest = ByAppearance, true
	}
	return all
}

// WaitingArticles returns the articles that wait, the newest first, or with Oldest the
// oldest.
func (s *Store) WaitingArticles(ctx context.Context, w QueueQuery) ([]article.Article, error) {
	var next queueWatermark
	var err error
	if w.remembers() {
		next, err = s.newWatermark(ctx, &w)
	}
	if err == nil {
		err = w.useWatermark(ctx, s.readers)
	}
	if err != nil {
		return nil, err
	}
	found, err := s.Articles(ctx, w.query())
	if err == nil && w.remembers() && len(found) < w.Limit {
		err = s.setWatermark(ctx, w.Digest, next.before(found))
	}
	out := make([]article.Article, len(found))
	for i := range found {
		out[i] = found[i].Article
	}
	return out, err
}

// unlimited exceeds the number of articles of any store.
const unlimited = 1 << 40

// CountWaiting returns how many articles wait. It ignores the limit.
func (s *Store) CountWaiting(ctx context.Context, w QueueQuery) (int, error) {
	w.Limit = unlimited
	var next queueWatermark
	if w.remembers() {
		var err error
		if next, err = s.newWatermark(ctx, &w); err != nil {
			return 0, err
		}
	}
	text, args, err := s.waiting(ctx, s.readers, w, func(_ *lister, merged string) string {
		return fmt.Sprintf("SELECT count(*), coalesce(min(at), 0) FROM (%s) AS w", merged)
	})
	if err != nil || text == "" {
		return 0, err
	}
	n, first := 0, int64(0)
	rows, err := s.readers.QueryContext(ctx, text, args...)
	if err == nil {
		err = sqldb.Walk(rows, func(rows *sql.Rows) error { return rows.Scan(&n, &first) })
	}
	if err == nil && w.remembers() && !w.Oldest { // else first is not a date of publication
		if n > 0 {
			next.published, next.appears = min(next.published, first), 0
		}
		err = s.setWatermark(ctx, w.Digest, next)
	}
	return n, sqldb.Wrap("articles", err)
}

// waiting returns SQL with its arguments: around wraps the query for the positions of the
// articles that wait. The text is empty if no article can match.
func (s *Store) waiting(ctx context.Context, on *conn, w QueueQuery, around func(l *lister, merged string) string) (string, []any, error) {
	if err := w.useWatermark(ctx, on); err != nil {
		return "", nil, err
	}
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
func (s *Store) MarkSeen(ctx context.Context, w QueueQuery) (int64, error) {
	w.Limit = unlimited
	var n int64
	err := s.write(ctx, func(tx *conn) error {
		n = 0
		text, args, err := s.waiting(ctx, tx, w, func(l *lister, merged string) string {
			return fmt.Sprintf(`INSERT INTO ledger (digest, article_id, edition_id) SELECT CAST(%s AS text), a.id, ''
				FROM (%s) AS w JOIN articles a ON a.seq = w.seq WHERE true ON CONFLICT (digest, article_id) DO NOTHING`, l.arg(w.Digest), merged)
		})
		if err != nil || text == "" {
			noteAuditCount(ctx, 0, "articles")
			return err
		}
		result, err := tx.ExecContext(ctx, text, args...)
		if err != nil {
			return sqldb.Wrap("mark as seen", err)
		}
		n, err = result.RowsAffected()
		noteAuditCount(ctx, n, "articles")
		return err
	})
	return n, err
}

// MarkUnseen puts articles that were marked as seen back into a digest's queue, and returns their
// number: those that are dated before a time, or all with the zero time. Articles that an edition
// contained, or that an editor excluded for good, stay out of the queue.
func (s *Store) MarkUnseen(ctx context.Context, digest string, before time.Time) (int64, error) {
	var n int64
	err := s.write(ctx, func(tx *conn) (err error) {
		if n, err = tx.Exec(ctx, "ledger.unmarkSeen", digest, millis(before)); err == nil && n > 0 {
			_, err = tx.Exec(ctx, "queue.released", digest)
		}
		noteAuditCount(ctx, n, "articles")
		return err
	})
	return n, err
}

// LedgerCounts counts the articles of a digest that do not wait any more, by reason.
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

// EditionsUnderWay returns the ids of the editions that contain an article and are approved,
// being sent or paused.
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

// WithdrawalNotice is a pending notification of the editors that an article of an approved
// edition was withdrawn.
type WithdrawalNotice struct {
	WithdrawnArticle
	Seq             int64 // of the edition
	Edition, Digest string
	Subject         string
	State           digest.State
}

// PendingWithdrawalNotices returns the pending notifications about the editions that are
// approved, being sent or paused.
func (s *Store) PendingWithdrawalNotices(ctx context.Context) ([]WithdrawalNotice, error) {
	var out []WithdrawalNotice
	err := s.readers.Each(ctx, "edition.pendingNotices", nil, func(rows *sql.Rows) error {
		var n WithdrawalNotice
		err := rows.Scan(&n.Seq, &n.Edition, &n.Digest, &n.Subject, &n.State, &n.ID, &n.Title)
		out = append(out, n)
		return err
	})
	return out, err
}

// RecordWithdrawalNotice marks a notification as sent and stores the jobs that send it. first
// is false, and nothing is stored, if another node was faster.
func (s *Store) RecordWithdrawalNotice(ctx context.Context, notice WithdrawalNotice, jobs []Job) (first bool, err error) {
	err = s.write(ctx, func(tx *conn) error {
		n, err := tx.Exec(ctx, "edition.recordNotice", notice.Seq, notice.ID, millis(s.Now()))
		if first = n == 1; err != nil || !first {
			return err
		}
		return s.enqueueAll(ctx, tx, jobs)
	})
	return first, err
}
