package store

import (
	"context"
	"fmt"
	"strings"

	"github.com/tidings-press/tidings/article"
)

// lister puts the SQL of a query together.
type lister struct {
	Query
	statement
	r *runner
}

// compile returns the SQL, empty when nothing can match: for each alternative of
// the filter and each status a subquery that reads the first few rows from the
// index of its rarest term, and around them the merge of these.
func (l *lister) compile(ctx context.Context) (string, error) {
	clauses, ok := clausesOf(l.Filter.Expr, false)
	var parts []string
	for _, status := range l.Statuses {
		if !ok {
			condition := func(table string) string { return l.expression(l.Filter.Expr, table) }
			parts = append(parts, l.walkArticles(status, condition))
			continue
		}
		for _, c := range clauses {
			part, err := l.clause(ctx, c, status)
			if err != nil {
				return "", err
			}
			parts = append(parts, part)
		}
	}
	if len(parts) == 0 {
		return "", nil
	}
	limit := l.arg(l.Limit)
	return fmt.Sprintf("SELECT p.seq, p.at, a.revision, %s FROM (SELECT seq, at FROM (%s) AS parts ORDER BY at %s, seq %s LIMIT %s) AS p JOIN articles a ON a.seq = p.seq ORDER BY p.at %s, p.seq %s",
		articleColumns, strings.Join(parts, " UNION "), l.way(), l.way(), limit, l.way(), l.way()), nil
}

func (l *lister) way() string {
	if l.Oldest {
		return "ASC"
	}
	return "DESC"
}

// few is how many articles with a word are sorted rather than found on the way.
const few = 1000

// clause is the subquery of one alternative.
func (l *lister) clause(ctx context.Context, c clause, status article.Status) (string, error) {
	driver, count, err := l.rarest(ctx, c.must, status)
	if err != nil {
		return "", err
	}
	rest := func(table string) string {
		var conditions strings.Builder
		for i, term := range c.must {
			if _, isLabel := labelOf(term); i != driver || !isLabel {
				conditions.WriteString(" AND " + l.holds(term, table))
			}
		}
		for _, term := range c.mustNot {
			conditions.WriteString(" AND NOT " + l.holds(term, table))
		}
		return strings.TrimPrefix(conditions.String(), " AND ")
	}
	if driver < 0 || l.Order == ByRemoval && count >= few {
		return l.walkArticles(status, func(table string) string { return l.all(c, table) }), nil
	}
	found, isLabel := labelOf(c.must[driver])
	if isLabel && l.Order == ByRemoval {
		return l.part(l.withLabel(found, status), "d", "1 = 1", status, rest("d")), nil
	}
	if isLabel {
		where := fmt.Sprintf("d.kind = %s AND d.key = %s", l.arg(found.kind), l.arg(found.key))
		return l.part("article_labels d", "d", where, status, rest("d")), nil
	}
	if count >= few {
		return l.walkArticles(status, func(table string) string { return l.all(c, table) }), nil
	}
	return l.part(l.withWords(wordsOf(c.must[driver])), "d", "1 = 1", status, rest("d")), nil
}

// all is the condition of a whole clause.
func (l *lister) all(c clause, table string) string {
	conditions := []string{"1 = 1"}
	for _, term := range c.must {
		conditions = append(conditions, l.holds(term, table))
	}
	for _, term := range c.mustNot {
		conditions = append(conditions, "NOT "+l.holds(term, table))
	}
	return strings.Join(conditions, " AND ")
}

// withLabel is the table of the articles that have a label, for an order that labels
// do not know: the few of them are sorted. The cross join has SQLite read labels first.
func (l *lister) withLabel(found label, status article.Status) string {
	return fmt.Sprintf(`(SELECT b.* FROM article_labels w CROSS JOIN articles b
		WHERE b.seq = w.seq AND w.kind = %s AND w.key = %s AND w.status = %s) AS d`, l.arg(found.kind), l.arg(found.key), l.arg(string(status)))
}

// withWords is the table of the articles that have all words of a phrase.
func (l *lister) withWords(phrase string) string {
	if l.engine == Postgres {
		// Materialised, or the planner of a young table reads all articles first.
		return fmt.Sprintf(`(WITH w AS MATERIALIZED (SELECT seq FROM article_words WHERE each_word(words) @> string_to_array(%s, ' '))
			SELECT b.* FROM w JOIN articles b ON b.seq = w.seq) AS d`, l.arg(phrase))
	}
	return fmt.Sprintf("(SELECT b.* FROM article_index w JOIN articles b ON b.seq = w.rowid WHERE w.article_index MATCH %s) AS d", l.arg(matchAll(phrase)))
}

// walkArticles reads all articles in order until enough of them meet a condition.
func (l *lister) walkArticles(status article.Status, condition func(table string) string) string {
	return l.part("articles d", "d", "1 = 1", status, condition("d"))
}

// part is a subquery over a table that has status and the column of the order.
func (l *lister) part(from, table, where string, status article.Status, condition string) string {
	at := table + "." + string(l.Order)
	text := fmt.Sprintf("SELECT %s.seq AS seq, %s AS at FROM %s WHERE %s AND %s.status = %s", table, at, from, where, table, l.arg(string(status)))
	if !l.Before.IsZero() {
		text += fmt.Sprintf(" AND (%s, %s.seq) < (%s, %s)", at, table, l.arg(l.Before.At), l.arg(l.Before.Seq))
	}
	if !l.After.IsZero() {
		text += fmt.Sprintf(" AND (%s, %s.seq) > (%s, %s)", at, table, l.arg(l.After.At), l.arg(l.After.Seq))
	}
	if !l.AsOf.IsZero() {
		text += fmt.Sprintf(" AND %s <= %s", at, l.arg(millis(l.AsOf)))
	}
	if !l.since.IsZero() {
		text += fmt.Sprintf(" AND %s >= %s", at, l.arg(millis(l.since)))
	}
	if l.unsent != "" {
		text += fmt.Sprintf(" AND NOT EXISTS (SELECT 1 FROM articles g JOIN ledger e ON e.article_id = g.id WHERE g.seq = %s.seq AND e.digest = %s)", table, l.arg(l.unsent))
	}
	if condition != "" {
		text += " AND " + condition
	}
	return fmt.Sprintf("SELECT seq, at FROM (%s ORDER BY %s %s, %s.seq %s LIMIT %s) AS part", text, at, l.way(), table, l.way(), l.arg(l.Limit))
}

// rarest chooses the term to read by: its place among the terms, -1 for none, and
// how many articles have it as far as was counted.
func (l *lister) rarest(ctx context.Context, terms []article.Node, status article.Status) (place int, count int64, err error) {
	if len(terms) == 1 && l.Order != ByRemoval {
		if _, isLabel := labelOf(terms[0]); isLabel {
			return 0, 0, nil
		}
	}
	place = -1
	for i, term := range terms {
		n, err := l.countTerm(ctx, term, status)
		if err != nil {
			return 0, 0, err
		}
		_, isLabel := labelOf(term)
		if place < 0 || n < count || n == count && isLabel {
			place, count = i, n
		}
	}
	return place, count, nil
}

func (l *lister) countTerm(ctx context.Context, term article.Node, status article.Status) (n int64, err error) {
	if found, isLabel := labelOf(term); isLabel {
		_, err = l.r.one(ctx, "label.count", []any{found.kind, found.key, string(status), few}, &n)
		return n, err
	}
	phrase := wordsOf(term)
	if l.engine == SQLite {
		phrase = matchAll(phrase)
	}
	_, err = l.r.one(ctx, "words.count", []any{phrase, few}, &n)
	return n, err
}
