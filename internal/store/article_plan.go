package store

import (
	"cmp"
	"context"
	"database/sql"
	"fmt"
	"slices"
	"strings"

	"github.com/tidings-press/tidings/internal/article"
	"github.com/tidings-press/tidings/internal/store/sqldb"
)

// path is the access path of one alternative of a filter: an index in the order of the
// query, and the conditions that are checked for each of its articles.
type path struct {
	clause
	status          article.Status
	whole           article.Node // in place of the clause, for a filter too large to multiply out
	label           *label       // read the index of this label; nil to read all articles, or those with words
	words           []string     // articles with all of these are found by their index and then sorted
	beyondWatermark bool         // read the articles that the watermark of a queue does not cover
}

// maxSortedArticles bounds the number of articles that are found by an index of words and then sorted.
const maxSortedArticles = 1000

// maxLookedUpArticles bounds the number of articles with a word that is looked up together with others.
const maxLookedUpArticles = 10_000

// maxCountedWords bounds the words of a search that are counted to find rare ones.
const maxCountedWords = 8

// paths returns the access paths of a query: one for each alternative of its filter and
// each status.
func (l *lister) paths(ctx context.Context) ([]path, error) {
	clauses, ok := clausesOf(l.Filter.Expr, false)
	var out []path
	for _, status := range l.Statuses {
		if !ok {
			out = append(out, path{status: status, whole: l.Filter.Expr})
			continue
		}
		for _, c := range clauses {
			r := path{clause: c, status: status}
			if err := l.choose(ctx, &r); err != nil {
				return nil, err
			}
			out = append(out, r)
		}
	}
	if l.waits != nil && l.waits.watermark != nil {
		for _, status := range l.Statuses {
			out = append(out, path{status: status, whole: l.Filter.Expr, beyondWatermark: true})
		}
	}
	return out, nil
}

// choose picks the index of an access path: the index of its rarest label, or of its words
// when these are rarer. Articles with frequent words are found soon enough in order.
func (l *lister) choose(ctx context.Context, r *path) error {
	rarest := int64(maxSortedArticles)
	for _, term := range r.must {
		found, isLabel := labelOf(term)
		if !isLabel {
			continue
		}
		var n int64
		if len(r.must) > 1 || l.Order == ByRemoval {
			var err error
			if n, err = l.count(ctx, "label.count", found.kind, found.key, string(r.status), maxSortedArticles); err != nil {
				return err
			}
		}
		if r.label == nil || n < rarest {
			r.label, rarest = &found, n
		}
	}
	if l.Order == ByRemoval && rarest == maxSortedArticles {
		r.label = nil // the index of labels does not have this order, and these are too many to sort
	}
	words := wordsOfAll(r.must)
	if len(words) == 0 || r.label != nil && rarest < maxSortedArticles {
		return nil
	}
	if frequent, err := l.wordsAreFrequent(ctx, r, words); frequent || err != nil {
		return err
	}
	n, err := l.countWords(ctx, words)
	if err == nil && n < maxSortedArticles {
		r.label, r.words = nil, words
	}
	return err
}

// wordsAreFrequent reports whether half of the next 100 articles have some words, or there are fewer
// than 100, so that no index is needed. It is for PostgreSQL only, where countWords is slow for frequent
// words: PostgreSQL lists all articles with a word before it counts the first. SQLite does not.
func (l *lister) wordsAreFrequent(ctx context.Context, r *path, words []string) (bool, error) {
	if l.engine != Postgres {
		return false, nil
	}
	const next = 100
	st := statement{engine: l.engine}
	articles := fmt.Sprintf("%s ORDER BY d.%s %s, d.seq %s LIMIT %s",
		l.scanPath(&path{status: r.status}, &st), l.Order, l.direction(), l.direction(), st.arg(next))
	var matches []string
	for _, word := range words {
		matches = append(matches, st.matches(article.Word{Text: word}, "d"))
	}
	text := fmt.Sprintf("SELECT count(*), coalesce(sum(CASE WHEN %s THEN 1 ELSE 0 END), 0) FROM (%s) AS d", strings.Join(matches, " AND "), articles)
	rows, err := l.r.QueryContext(ctx, text, st.args...)
	if err != nil {
		return false, fmt.Errorf("articles: %w", err)
	}
	var read, matching int
	err = sqldb.Walk(rows, func(rows *sql.Rows) error { return rows.Scan(&read, &matching) })
	return matching >= next/2 || read < next, sqldb.Wrap("articles", err)
}

// countWords returns how many articles have all of some words, or maxSortedArticles if an index of the
// words would not help. A frequent word has an entry for almost every article, so words are
// looked up together only if one of them is not frequent.
func (l *lister) countWords(ctx context.Context, words []string) (int64, error) {
	longest := slices.Clone(words)
	slices.SortStableFunc(longest, func(a, b string) int { return cmp.Compare(len(b), len(a)) })
	longest = longest[:min(len(longest), maxCountedWords)]
	for _, most := range []int64{maxSortedArticles, maxLookedUpArticles} {
		for _, word := range longest {
			n, err := l.countAll(ctx, word, most)
			if err != nil || n < most && len(words) == 1 {
				return n, err
			}
			if n < most {
				return l.countAll(ctx, strings.Join(words, " "), maxSortedArticles)
			}
		}
		if len(words) == 1 {
			break
		}
	}
	return maxSortedArticles, nil
}

// countAll counts the articles with all of some words.
func (l *lister) countAll(ctx context.Context, words string, most int64) (int64, error) {
	if l.engine == SQLite {
		words = matchAll(words)
	}
	return l.count(ctx, "words.count", words, most)
}

// count runs a counting query once, since the alternatives of a filter share terms.
func (l *lister) count(ctx context.Context, query string, args ...any) (int64, error) {
	key := fmt.Sprintf("%s %#v", query, args)
	n, known := l.counted[key]
	if known {
		return n, nil
	}
	if _, err := l.r.One(ctx, query, args, &n); err != nil {
		return 0, err
	}
	if l.counted == nil {
		l.counted = map[string]int64{}
	}
	l.counted[key] = n
	return n, nil
}

// wordsOfAll returns the distinct words of some terms.
func wordsOfAll(terms []article.Node) []string {
	var words []string
	for _, term := range terms {
		for _, word := range strings.Fields(wordsOf(term)) {
			if !slices.Contains(words, word) {
				words = append(words, word)
			}
		}
	}
	return words
}

// The cost of checking a term for an article: a word is searched in the whole text, a
// label in a short row.
const (
	labelChecks = 1
	wordChecks  = 8
)

// checks returns the cost of checking one article of an access path; 0 if there is nothing
// to check, or if the path has few articles.
func (p *path) checks() (n int) {
	if p.words != nil {
		return 0
	}
	if p.whole != nil {
		return checksOf(p.whole)
	}
	for _, term := range slices.Concat(p.must, p.mustNot) {
		if found, isLabel := labelOf(term); !isLabel || p.label == nil || found != *p.label {
			n += checksOf(term)
		}
	}
	for _, node := range p.also {
		n += checksOf(node)
	}
	return n
}

func checksOf(node article.Node) int {
	switch n := node.(type) {
	case article.And:
		return checksOf(n.Left) + checksOf(n.Right)
	case article.Or:
		return checksOf(n.Left) + checksOf(n.Right)
	case article.Not:
		return checksOf(n.Of)
	case article.Word:
		return wordChecks
	}
	return labelChecks
}
