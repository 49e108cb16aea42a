package store

import (
	"cmp"
	"context"
	"database/sql"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/tidings-press/tidings/internal/article"
	"github.com/tidings-press/tidings/internal/store/sqldb"
)

// Order is an order of articles.
type Order string

// The orders. Feeds and archives use the order of appearance, in which a later article
// always comes after an earlier one, whatever date its author gives it.
const (
	ByAppearance Order = "appears"
	ByDate       Order = "published"
	ByRemoval    Order = "removed"
)

// WithoutHTML is the HTMLBudget of a query for articles without their HTML.
const WithoutHTML = -1

// Query asks for articles.
type Query struct {
	Filter   article.Filter
	Statuses []article.Status // Published alone when empty
	Order    Order            // ByAppearance when empty
	Limit    int              // 50 when 0
	// Before and After are exclusive bounds, taken from the Position of an article
	// in the same order.
	Before, After Position
	Oldest        bool        // oldest first; implied by After
	IDs           bool        // return only the ids and positions of articles
	Titles        bool        // return only the ids, positions and titles of articles
	HTMLBudget    int         // bytes of HTML for all articles together; the largest articles come without HTML. 0 is unlimited
	AsOf          time.Time   // leave out articles whose time in the Order is later; zero includes future ones
	NotBefore     time.Time   // only articles whose time in the Order is later than this
	waits         *QueueQuery // only articles that wait for a digest
}

// Articles returns the articles that a query asks for, newest first. It reads them
// by index: the cost depends on the limit and, for combined filters, on the
// number of articles with their rarest term, not on the number stored.
func (s *Store) Articles(ctx context.Context, q Query) ([]StoredArticle, error) {
	found, err := s.search(ctx, q, 0)
	return found.Articles, err
}

// SearchResult is the result of a bounded search.
type SearchResult struct {
	Articles []StoredArticle
	// Until is the position at which the search stopped before it found as many articles as
	// the limit. Articles holds all matches before that position; a search that begins there
	// continues. It is zero when the search is complete.
	Until Position
}

// maxChecks is the number of terms that a bounded search checks. To check 8,000 articles
// with a frequent tag for another tag takes about 20 ms.
const maxChecks = 8000

// Search is Articles for filters from the public: its cost is bounded. Two frequent terms
// that rarely occur together are found among the newest articles only; a caller goes on
// from where the search stopped.
func (s *Store) Search(ctx context.Context, q Query) (SearchResult, error) {
	return s.search(ctx, q, maxChecks)
}

// search runs a query with at most this number of checks; 0 is unlimited.
func (s *Store) search(ctx context.Context, q Query, checks int) (SearchResult, error) {
	q.setDefaults()
	l := lister{Query: q, statement: statement{engine: s.engine}, r: s.readers}
	paths, err := l.paths(ctx)
	if err == nil && checks > 0 {
		err = l.findStop(ctx, paths, checks)
	}
	if err != nil || len(paths) == 0 {
		return SearchResult{}, err
	}
	text := l.compile(paths)
	rows, err := s.readers.QueryContext(ctx, text, l.args...)
	if err != nil {
		return SearchResult{}, fmt.Errorf("articles: %w", err)
	}
	var found SearchResult
	scan := scanArticle
	switch {
	case q.IDs:
		scan = scanArticleID
	case q.Titles:
		scan = scanArticleTitle
	}
	err = sqldb.Walk(rows, func(rows *sql.Rows) error {
		a, err := scan(rows)
		found.Articles = append(found.Articles, a)
		return err
	})
	if len(found.Articles) < q.Limit {
		found.Until = l.stopAt
	}
	return found, sqldb.Wrap("articles", err)
}

// setDefaults fills in the defaults of a query.
func (q *Query) setDefaults() {
	if len(q.Statuses) == 0 {
		q.Statuses = []article.Status{article.Published}
	}
	if q.Order == "" {
		q.Order = ByAppearance
	}
	if q.Limit <= 0 {
		q.Limit = 50
	}
	q.Oldest = q.Oldest || !q.After.IsZero()
}

// lister composes the SQL of a query for articles.
type lister struct {
	Query
	statement
	r       *conn
	stopAt  Position         // where a bounded search stops; zero without a bound
	counted map[string]int64 // results of counting queries, by query and arguments
}

// compile returns the SQL, empty when nothing can match: for each access path a subquery
// that reads its first rows, and the merge of these.
func (l *lister) compile(paths []path) string {
	if len(paths) == 0 {
		return ""
	}
	merged := l.merge(paths)
	columns := queries().Columns("article", "a.")
	switch {
	case l.IDs: // the other columns are stored after the HTML, which would have to be read to reach them
		columns = "a.id"
	case l.Titles:
		columns = "a.id, a.title"
	case l.HTMLBudget == WithoutHTML:
		columns = strings.Replace(columns, "a.html", "''", 1)
	case l.HTMLBudget > 0:
		merged = l.withinHTMLBudget(merged)
		columns = strings.Replace(columns, "a.html", "CASE WHEN p.fits THEN a.html ELSE '' END", 1)
	}
	return fmt.Sprintf("SELECT p.seq, p.at, a.revision, %s FROM (%s) AS p JOIN articles a ON a.seq = p.seq ORDER BY p.at %s, p.seq %s",
		columns, merged, l.direction(), l.direction())
}

// merge returns the SQL for the positions of the articles.
func (l *lister) merge(paths []path) string {
	var parts []string
	for i := range paths {
		parts = append(parts, l.limitedPath(&paths[i]))
	}
	return fmt.Sprintf("SELECT seq, at FROM (%s) AS parts ORDER BY at %s, seq %s LIMIT %s",
		strings.Join(parts, " UNION "), l.direction(), l.direction(), l.arg(l.Limit))
}

// withinHTMLBudget returns the SQL that decides which articles keep their HTML: the smallest ones,
// within the budget. Neither engine reads a text to find its length.
func (l *lister) withinHTMLBudget(merged string) string {
	return fmt.Sprintf(`SELECT seq, at, sum(size) OVER (ORDER BY size, at DESC, seq DESC ROWS UNBOUNDED PRECEDING) <= %s AS fits
		FROM (SELECT q.seq AS seq, q.at AS at, octet_length(b.html) AS size FROM (%s) AS q JOIN articles b ON b.seq = q.seq) AS sizes`, l.arg(l.HTMLBudget), merged)
}

func (l *lister) direction() string {
	if l.Oldest {
		return "ASC"
	}
	return "DESC"
}

// limitedPath returns the subquery of an access path.
func (l *lister) limitedPath(r *path) string {
	text := l.scanPath(r, &l.statement)
	if !l.stopAt.IsZero() {
		further := ">="
		if l.Oldest {
			further = "<="
		}
		text += fmt.Sprintf(" AND (d.%s, d.seq) %s (%s, %s)", l.Order, further, l.arg(l.stopAt.At), l.arg(l.stopAt.Seq))
	}
	if condition := l.remainingConditions(r); condition != "" {
		text += " AND " + condition
	}
	return fmt.Sprintf("SELECT seq, at FROM (%s ORDER BY d.%s %s, d.seq %s LIMIT %s) AS part", text, l.Order, l.direction(), l.direction(), l.arg(l.Limit))
}

// scanPath returns the SQL that reads an access path within the bounds of the query, without
// further conditions.
func (l *lister) scanPath(r *path, st *statement) string {
	from, where := "articles d", "1 = 1"
	switch {
	case r.beyondWatermark:
		from = l.waits.exceptions(st)
	case r.label != nil && l.Order == ByRemoval:
		from = st.withLabel(r.label, r.status)
	case r.label != nil:
		from, where = "article_labels d", fmt.Sprintf("d.kind = %s AND d.key = %s", st.arg(r.label.kind), st.arg(r.label.key))
	case r.words != nil:
		from = st.withWords(strings.Join(r.words, " "))
	}
	at := "d." + string(l.Order)
	text := fmt.Sprintf("SELECT d.seq AS seq, %s AS at FROM %s WHERE %s AND d.status = %s", at, from, where, st.arg(string(r.status)))
	if !l.Before.IsZero() {
		text += fmt.Sprintf(" AND (%s, d.seq) < (%s, %s)", at, st.arg(l.Before.At), st.arg(l.Before.Seq))
	}
	if !l.After.IsZero() {
		text += fmt.Sprintf(" AND (%s, d.seq) > (%s, %s)", at, st.arg(l.After.At), st.arg(l.After.Seq))
	}
	if !l.AsOf.IsZero() {
		text += fmt.Sprintf(" AND %s <= %s", at, st.arg(millis(l.AsOf)))
	}
	if !l.NotBefore.IsZero() {
		text += fmt.Sprintf(" AND %s > %s", at, st.arg(millis(l.NotBefore)))
	}
	if l.waits != nil {
		w := l.waits
		if w.watermark != nil && !r.beyondWatermark {
			w = w.covered()
			if l.Order == ByAppearance {
				text += fmt.Sprintf(" AND d.appears >= %s", st.arg(w.watermark.appears))
			}
		}
		text += w.condition(st, r.label != nil && l.Order != ByRemoval)
	}
	return text
}

// condition returns the SQL condition that an article waits for the digest. labels is set if d is the
// table of labels, which has no ids.
func (q *QueueQuery) condition(st *statement, labels bool) string {
	var text string
	if !q.Now.IsZero() {
		text += fmt.Sprintf(" AND d.published <= %s", st.arg(millis(q.Now)))
	}
	if own := q.own(st); own != "" {
		text += " AND " + own
	}
	if !q.Before.IsZero() {
		text += fmt.Sprintf(" AND d.published < %s", st.arg(millis(q.Before)))
	}
	if !q.From.IsZero() {
		text += fmt.Sprintf(" AND d.published >= %s", st.arg(millis(q.From)))
	}
	if !q.AppearedBy.IsZero() {
		text += fmt.Sprintf(" AND d.appears <= %s", st.arg(millis(q.AppearedBy)))
	}
	taken := "ledger e WHERE e.article_id = d.id"
	if labels {
		taken = "articles g JOIN ledger e ON e.article_id = g.id WHERE g.seq = d.seq"
	}
	each := ""
	if st.engine == Postgres && q.Limit < unlimited {
		each = " OFFSET 0" // looks each article up; else PostgreSQL reads all that the digest has sent, for the few that are asked for
	}
	return text + fmt.Sprintf(" AND NOT EXISTS (SELECT 1 FROM %s AND e.digest = %s AND e.edition_id <> %s%s)",
		taken, st.arg(q.Digest), st.arg(cmp.Or(q.Draft, noEdition)), each)
}

// noEdition is not the id of any edition. It also differs from the empty id of articles that
// were marked as seen.
const noEdition = "-"

// own returns the SQL condition that an article is the digest's own, or with Earlier that
// it is not.
func (q *QueueQuery) own(st *statement) string {
	if q.Since.IsZero() || !q.From.IsZero() && !q.From.Before(q.Since) {
		if q.Earlier {
			return "1 = 0"
		}
		return "" // with From, SQLite would otherwise begin to read the index at Since
	}
	own := fmt.Sprintf("d.published >= %s", st.arg(millis(q.Since)))
	if !q.Began.IsZero() {
		own = fmt.Sprintf("(%s OR d.appears > %s)", own, st.arg(millis(q.Began)))
	}
	if q.Earlier {
		return "NOT " + own
	}
	return own
}

// withLabel returns a subquery for the articles that have a label, for an order that the
// index of labels does not have: the few articles are sorted. The cross join makes SQLite
// read the labels first.
func (st *statement) withLabel(l *label, status article.Status) string {
	return fmt.Sprintf(`(SELECT b.* FROM article_labels w CROSS JOIN articles b
		WHERE b.seq = w.seq AND w.kind = %s AND w.key = %s AND w.status = %s) AS d`, st.arg(l.kind), st.arg(l.key), st.arg(string(status)))
}

// withWords returns a subquery for the articles that have all words of a phrase.
func (st *statement) withWords(phrase string) string {
	if st.engine == Postgres {
		// Without MATERIALIZED, the planner reads all articles first while a table has no
		// statistics.
		return fmt.Sprintf(`(WITH w AS MATERIALIZED (SELECT seq FROM article_words WHERE each_word(words) @> string_to_array(%s, ' '))
			SELECT b.* FROM w JOIN articles b ON b.seq = w.seq) AS d`, st.arg(phrase))
	}
	// The cross join makes SQLite ask the index once, and not for each article in turn.
	return fmt.Sprintf("(SELECT b.* FROM article_index w CROSS JOIN articles b WHERE b.seq = w.rowid AND w.article_index MATCH %s) AS d", st.arg(matchAll(phrase)))
}

// covers reports whether the index of the words of an access path finds exactly the articles with a
// term: a single word does not have to be looked up in their texts.
func (p *path) covers(term article.Node) bool {
	word := wordsOf(term)
	return word != "" && p.words != nil && slices.Contains(p.words, word)
}

// remainingConditions returns the conditions that the index of an access path does not cover.
func (l *lister) remainingConditions(r *path) string {
	if r.whole != nil {
		return l.expression(r.whole, "d")
	}
	var conditions []string
	for _, term := range r.must {
		if found, isLabel := labelOf(term); !r.covers(term) && (!isLabel || r.label == nil || found != *r.label) {
			conditions = append(conditions, l.matches(term, "d"))
		}
	}
	for _, term := range r.mustNot {
		conditions = append(conditions, "NOT "+l.matches(term, "d"))
	}
	for _, node := range r.also {
		conditions = append(conditions, l.expression(node, "d"))
	}
	return strings.Join(conditions, " AND ")
}

// findStop sets the position at which a bounded search stops. Each access path that checks
// its articles gets an equal share of the checks. The search stops where the first path has used
// its share, since results beyond it would be incomplete.
func (l *lister) findStop(ctx context.Context, paths []path, checks int) error {
	total := 0
	for i := range paths {
		total += paths[i].checks()
	}
	if total == 0 {
		return nil
	}
	steps := max(checks/total, minSteps)
	for i := range paths {
		if paths[i].checks() == 0 {
			continue
		}
		last, err := l.nthPosition(ctx, &paths[i], steps)
		if err != nil {
			return err
		}
		if !last.IsZero() && (l.stopAt.IsZero() || last.Compare(l.stopAt) > 0 != l.Oldest) {
			l.stopAt = last
		}
	}
	return nil
}

// minSteps is the minimum number of articles that are checked on an access path, however
// many terms a filter has.
const minSteps = 100

// nthPosition returns the position of the n-th article along an access path, zero when there are
// fewer.
func (l *lister) nthPosition(ctx context.Context, r *path, n int) (Position, error) {
	st := statement{engine: l.engine}
	text := fmt.Sprintf("%s ORDER BY d.%s %s, d.seq %s LIMIT 1 OFFSET %s", l.scanPath(r, &st), l.Order, l.direction(), l.direction(), st.arg(n-1))
	var p Position
	rows, err := l.r.QueryContext(ctx, text, st.args...)
	if err != nil {
		return p, fmt.Errorf("articles: %w", err)
	}
	return p, sqldb.Wrap("articles", sqldb.Walk(rows, func(rows *sql.Rows) error { return rows.Scan(&p.Seq, &p.At) }))
}
