package store

import (
	"context"
	"fmt"
	"time"

	"github.com/tidings-press/tidings/internal/article"
)

// queueWatermark records what an earlier search found in the queue of a digest: as of a revision, no
// article waited that is dated before published, or that appeared before appears. It does not cover
// articles that changed since, or that appeared after appearedBy.
type queueWatermark struct {
	releases                                 int64 // the watermark is valid while this number stays the same
	basis                                    string
	revision, appearedBy, published, appears int64
}

// basis returns what a watermark depends on besides the articles and the ledger.
func (q *QueueQuery) basis() string {
	return fmt.Sprintf("%d %d %s", millis(q.Since), millis(q.Began), q.Filter)
}

// useWatermark adds the watermark of the digest to a query, if there is one for its filter and beginning.
func (q *QueueQuery) useWatermark(ctx context.Context, on *conn) error {
	q.watermark = nil
	if q.Earlier || q.IgnoreWatermark {
		return nil
	}
	m, err := on.readWatermark(ctx, q.Digest)
	if err == nil && m.basis == q.basis() {
		q.watermark = &m
	}
	return err
}

func (c *conn) readWatermark(ctx context.Context, digest string) (m queueWatermark, err error) {
	_, err = c.One(ctx, "queue.watermark", []any{digest}, &m.releases, &m.basis, &m.revision, &m.appearedBy, &m.published, &m.appears)
	return m, err
}

// covered returns the query for the articles that the watermark covers: those dated before it are left out.
func (q *QueueQuery) covered() *QueueQuery {
	later := *q
	if from := timeOf(q.watermark.published); from.After(q.From) {
		later.From = from
	}
	return &later
}

// exceptions returns a subquery for the articles that the watermark may exclude although they wait: they
// changed or appeared after the search that made it, or are in the draft whose articles count as
// waiting.
func (q *QueueQuery) exceptions(st *statement) string {
	text := fmt.Sprintf(`SELECT seq FROM articles%s WHERE revision > %s
		UNION SELECT seq FROM articles%s WHERE status = '%s' AND appears > %s`,
		st.indexedBy("articles_revision"), st.arg(q.watermark.revision), st.indexedBy("articles_appears"), article.Published, st.arg(q.watermark.appearedBy))
	if q.Draft != "" {
		text += fmt.Sprintf(" UNION SELECT a.seq FROM ledger l CROSS JOIN articles a%s WHERE a.id = l.article_id AND l.edition_id = %s", st.indexedBy("articles_id"), st.arg(q.Draft))
	}
	return fmt.Sprintf("(WITH w AS MATERIALIZED (%s) SELECT b.* FROM w CROSS JOIN articles b WHERE b.seq = w.seq) AS d", text)
}

// indexedBy returns the SQL that makes SQLite read a table by an index. Left to itself, it reads all
// articles in the order of their numbers, to merge two lists of numbers without sorting them; and it
// reads the HTML of each on the way to its revision.
func (st *statement) indexedBy(index string) string {
	if st.engine == SQLite {
		return " INDEXED BY " + index
	}
	return ""
}

// newWatermark returns the watermark to store after a search that is about to begin. The result of the search
// moves it.
func (s *Store) newWatermark(ctx context.Context, q *QueueQuery) (queueWatermark, error) {
	known, err := s.readers.readWatermark(ctx, q.Digest)
	if err != nil {
		return queueWatermark{}, err
	}
	revision, err := s.Revision(ctx)
	m := queueWatermark{releases: known.releases, basis: q.basis(), revision: revision, appearedBy: millis(q.Now), published: millis(q.Now), appears: millis(q.Now)}
	if !q.AppearedBy.IsZero() {
		m.appearedBy = millis(q.AppearedBy)
		m.appears = m.appearedBy
	}
	return m, err
}

// remembers reports whether the query finds what a watermark stores.
func (q *QueueQuery) remembers() bool {
	return q.Remember && !q.Earlier && q.From.IsZero() && q.Before.IsZero()
}

// before moves a watermark so that it covers no article that was found.
func (m queueWatermark) before(found []StoredArticle) queueWatermark {
	for i := range found {
		m.published = min(m.published, millis(found[i].Published))
		m.appears = min(m.appears, millis(laterOf(found[i].Published, found[i].Ingested)))
	}
	return m
}

// setWatermark stores a watermark after a search that found all articles that wait. The search may be a part
// of a change, whose entry in the audit log belongs to another transaction.
func (s *Store) setWatermark(ctx context.Context, digest string, m queueWatermark) error {
	return s.write(WithoutAudit(ctx), func(tx *conn) error {
		if _, err := tx.Exec(ctx, "queue.start", digest); err != nil {
			return err
		}
		_, err := tx.Exec(ctx, "queue.setWatermark", digest, m.releases, m.basis, m.revision, m.appearedBy, m.published, m.appears)
		return err
	})
}

func laterOf(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

// releaseArticlesOf returns the articles of an edition to the queue.
func (c *conn) releaseArticlesOf(ctx context.Context, edition string) error {
	if _, err := c.Exec(ctx, "queue.releasedBy", edition); err != nil {
		return err
	}
	_, err := c.Exec(ctx, "ledger.release", edition)
	return err
}
