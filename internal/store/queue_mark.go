package store

import (
	"context"
	"fmt"
	"time"

	"github.com/tidings-press/tidings/internal/article"
)

// queueMark is what an earlier search found out about the queue of a digest: as of a revision, no
// article waited that is dated before published, or that appeared before appears. Articles that changed
// since, or that appeared after ripe, are not covered.
type queueMark struct {
	releases                           int64 // the mark counts while this number stays the same
	basis                              string
	revision, ripe, published, appears int64
}

// basis returns what a mark depends on besides the articles and the ledger.
func (q *QueueQuery) basis() string {
	return fmt.Sprintf("%d %d %s", millis(q.Since), millis(q.Began), q.Filter)
}

// useMark adds the mark of the digest to a query, if there is one for its filter and beginning.
func (q *QueueQuery) useMark(ctx context.Context, on *conn) error {
	q.mark = nil
	if q.Earlier || q.Unmarked {
		return nil
	}
	m, err := on.queueMark(ctx, q.Digest)
	if err == nil && m.basis == q.basis() {
		q.mark = &m
	}
	return err
}

func (c *conn) queueMark(ctx context.Context, digest string) (m queueMark, err error) {
	_, err = c.One(ctx, "queue.mark", []any{digest}, &m.releases, &m.basis, &m.revision, &m.ripe, &m.published, &m.appears)
	return m, err
}

// covered returns the query for the articles that the mark covers: those dated before it are left out.
func (q *QueueQuery) covered() *QueueQuery {
	later := *q
	if from := timeOf(q.mark.published); from.After(q.From) {
		later.From = from
	}
	return &later
}

// exceptions returns a subquery for the articles that the mark may exclude although they wait: they
// changed or appeared after the search that made it, or are in the draft whose articles count as
// waiting.
func (q *QueueQuery) exceptions(st *statement) string {
	text := fmt.Sprintf(`SELECT seq FROM articles%s WHERE revision > %s
		UNION SELECT seq FROM articles%s WHERE status = '%s' AND appears > %s`,
		st.indexedBy("articles_revision"), st.arg(q.mark.revision), st.indexedBy("articles_appears"), article.Published, st.arg(q.mark.ripe))
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

// newMark begins a mark before a search, whose result moves it.
func (s *Store) newMark(ctx context.Context, q *QueueQuery) (queueMark, error) {
	known, err := s.readers.queueMark(ctx, q.Digest)
	if err != nil {
		return queueMark{}, err
	}
	revision, err := s.Revision(ctx)
	m := queueMark{releases: known.releases, basis: q.basis(), revision: revision, ripe: millis(q.Now), published: millis(q.Now), appears: millis(q.Now)}
	if !q.Ripe.IsZero() {
		m.ripe = millis(q.Ripe)
		m.appears = m.ripe
	}
	return m, err
}

// remembers reports whether the query finds out what a mark stores.
func (q *QueueQuery) remembers() bool {
	return q.Remember && !q.Earlier && q.From.IsZero() && q.Before.IsZero()
}

// before moves a mark so that it covers no article that was found.
func (m queueMark) before(found []StoredArticle) queueMark {
	for i := range found {
		m.published = min(m.published, millis(found[i].Published))
		m.appears = min(m.appears, millis(laterOf(found[i].Published, found[i].Ingested)))
	}
	return m
}

// setMark stores a mark after a search that found all articles that wait.
func (s *Store) setMark(ctx context.Context, digest string, m queueMark) error {
	return s.write(ctx, func(tx *conn) error {
		if _, err := tx.Exec(ctx, "queue.start", digest); err != nil {
			return err
		}
		_, err := tx.Exec(ctx, "queue.setMark", digest, m.releases, m.basis, m.revision, m.ripe, m.published, m.appears)
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
