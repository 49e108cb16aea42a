package store

import (
	"cmp"
	"context"
	"database/sql"
	"fmt"
	"iter"
	"slices"
	"strings"

	"github.com/tidings-press/tidings/internal/store/sqldb"
	"github.com/tidings-press/tidings/internal/subscriber"
)

// SubscriberFilter selects subscribers for a list. All of its conditions must hold; the zero value
// selects all but the erased ones.
type SubscriberFilter struct {
	Search   subscriber.Search
	State    subscriber.State // any but Erased when empty
	Digest   string           // of a live subscription
	Topic    string           // of a live subscription, to Digest if that is set
	Label    string
	Language string // of mails to the subscriber
}

// IsZero reports whether the filter selects all subscribers.
func (f SubscriberFilter) IsZero() bool {
	return f.Search.IsZero() && f.State == "" && f.Digest == "" && f.Topic == "" && f.Label == "" && f.Language == ""
}

// FoundSubscribers is a page of a list, the newest subscriber first.
type FoundSubscribers struct {
	List []ListedSubscriber
	// Next is the before of the next page, 0 on the last one.
	Next int64
	// Stopped reports that the search stopped after maxCandidates subscribers, before the page was
	// full. The next page continues it.
	Stopped bool
}

// Bounds of a list. They keep the time of a page independent of the number of subscribers.
const (
	// maxCandidates is how many subscribers that meet one condition are checked for the others.
	maxCandidates = 2000
	// fewCandidates are checked first, since they nearly always fill a page.
	fewCandidates = 200
	// MaxFound is the number up to which subscribers are counted exactly.
	MaxFound = 10_000
	// A search is frequent if so many of the newest subscribers match it. PostgreSQL would read all that do.
	frequentSample, frequentHits = 2000, 20
	// SQLite compares the lists of up to rareTrigrams trigrams, if the rarest has fewer hits among
	// the newest subscribers; otherwise it reads only that list, which fills a page sooner.
	rareTrigrams, rareHits = 4, 100
)

// FindSubscribers returns up to limit subscribers with a lower number than before, or the newest if
// before is 0. It reads those that meet the rarest condition by index and checks the other conditions
// for at most maxCandidates of them.
func (s *Store) FindSubscribers(ctx context.Context, f SubscriberFilter, before int64, limit int) (FoundSubscribers, error) {
	var page FoundSubscribers
	q := subscriberFinder{filter: f, conn: s.readers, before: before}
	if err := q.chooseIndex(ctx); err != nil {
		return page, err
	}
	for _, candidates := range []int{max(fewCandidates, 2*limit), maxCandidates} {
		people, last, full, err := q.people(ctx, candidates, limit)
		if err != nil {
			return page, err
		}
		page = FoundSubscribers{}
		if full {
			page.Next = last
		} else if page.Next, page.Stopped, err = q.stoppedAt(ctx, candidates); err != nil {
			return page, err
		}
		if !page.Stopped || candidates == maxCandidates {
			page.List, err = s.readers.withSubscriptions(ctx, people)
			return page, err
		}
	}
	return page, nil
}

// AllFound yields all subscribers that a filter selects, page by page, the newest first. An error is
// the last thing yielded.
func (s *Store) AllFound(ctx context.Context, f SubscriberFilter) iter.Seq2[ListedSubscriber, error] {
	return func(yield func(ListedSubscriber, error) bool) {
		for before := int64(0); ; {
			page, err := s.FindSubscribers(ctx, f, before, pageSize)
			if err != nil {
				yield(ListedSubscriber{}, err)
				return
			}
			for _, one := range page.List {
				if !yield(one, nil) {
					return
				}
			}
			if before = page.Next; before == 0 {
				return
			}
		}
	}
}

// FoundCount is a number of subscribers. More reports that there may be more than N.
type FoundCount struct {
	N    int64
	More bool
}

// CountFound counts the subscribers that a filter selects: exactly up to MaxFound. A search, or
// several conditions together, are counted among as many as FindSubscribers checks. Without a filter
// it returns the number that maintenance counted last.
func (s *Store) CountFound(ctx context.Context, f SubscriberFilter) (FoundCount, error) {
	if f.IsZero() {
		totals, err := s.SubscriberTotals(ctx)
		var n int64
		for state, count := range totals.States {
			if state != subscriber.Erased {
				n += count
			}
		}
		return FoundCount{N: n}, err
	}
	q := subscriberFinder{filter: f, conn: s.readers}
	if err := q.chooseIndex(ctx); err != nil {
		return FoundCount{}, err
	}
	candidates := MaxFound
	if q.conditions() > 1 || !f.Search.IsZero() {
		candidates = maxCandidates
	}
	n, err := q.count(ctx, candidates+1)
	if err != nil {
		return FoundCount{}, err
	}
	_, stopped, err := q.stoppedAt(ctx, candidates+1)
	return FoundCount{N: min(n, int64(candidates)), More: stopped}, err
}

// FilterChoices are the values that a list can be filtered by.
type FilterChoices struct {
	Labels, Topics, Languages []string
}

// maxChoices is how many values of each kind are offered.
const maxChoices = 200

// FilterChoices returns the labels, topics and languages that subscribers have.
func (s *Store) FilterChoices(ctx context.Context) (FilterChoices, error) {
	var out FilterChoices
	for _, one := range []struct {
		query string
		args  []any
		into  *[]string
	}{
		{"find.terms", []any{"label", maxChoices}, &out.Labels},
		{"find.terms", []any{"topic", maxChoices}, &out.Topics},
		{"find.languages", []any{maxChoices}, &out.Languages},
	} {
		err := s.readers.Each(ctx, one.query, one.args, func(rows *sql.Rows) error {
			var key string
			err := rows.Scan(&key)
			*one.into = append(*one.into, key)
			return err
		})
		if err != nil {
			return out, err
		}
	}
	return out, nil
}

// subscriberFinder composes the SQL of a list of subscribers.
type subscriberFinder struct {
	filter   SubscriberFilter
	conn     *conn
	before   int64
	index    finderIndex
	frequent bool     // too many subscribers match it for the index
	trigrams []string // that are looked up
	ids      []int64  // the candidates of the search, once they are read
}

// finderIndex is the condition whose index is read.
type finderIndex string

const (
	bySearch   finderIndex = "search"
	byLabel    finderIndex = "label"
	byTopic    finderIndex = "topic"
	byLanguage finderIndex = "language"
	byState    finderIndex = "state"
	byDigest   finderIndex = "digest"
	byNumber   finderIndex = "number"
)

// indexes returns the indexes that can be read for the filter, those first that usually select the
// fewest.
func (q *subscriberFinder) indexes() []finderIndex {
	f := &q.filter
	var out []finderIndex
	for _, one := range []struct {
		index  finderIndex
		usable bool
	}{
		{bySearch, !f.Search.IsZero() && !q.frequent}, {byLabel, f.Label != ""}, {byTopic, f.Topic != ""},
		{byLanguage, f.Language != ""}, {byState, f.State != ""}, {byDigest, f.Digest != "" && f.Topic == ""},
	} {
		if one.usable {
			out = append(out, one.index)
		}
	}
	return out
}

// conditions returns the number of conditions of the filter.
func (q *subscriberFinder) conditions() int {
	f := &q.filter
	n := 0
	for _, set := range []bool{!f.Search.IsZero(), f.State != "", f.Digest != "" || f.Topic != "", f.Label != "", f.Language != ""} {
		if set {
			n++
		}
	}
	return n
}

// chooseIndex chooses the index with the fewest subscribers.
func (q *subscriberFinder) chooseIndex(ctx context.Context) error {
	if err := q.chooseTrigrams(ctx); err != nil {
		return err
	}
	if err := q.readSearch(ctx); err != nil {
		return err
	}
	usable := q.indexes()
	if q.index = byNumber; len(usable) > 0 {
		q.index = usable[0]
	}
	if len(usable) < 2 {
		return nil
	}
	least := int64(maxCandidates + 2)
	for _, index := range usable {
		st := statement{engine: q.conn.Engine}
		var n int64
		if err := q.conn.oneRow(ctx, "SELECT count(*) FROM ("+q.candidates(&st, index, maxCandidates+1)+") AS few", st.args, &n); err != nil {
			return err
		}
		if n < least {
			least, q.index = n, index
		}
	}
	return nil
}

// chooseTrigrams chooses the trigrams that are looked up. On PostgreSQL these are all, unless the search
// is frequent. SQLite reads its index in the order of the numbers, so that a page of a frequent search is
// found soon; but comparing many long lists takes long.
func (q *subscriberFinder) chooseTrigrams(ctx context.Context) error {
	if q.filter.Search.IsZero() {
		return nil
	}
	q.trigrams = q.filter.Search.Trigrams()
	if q.conn.Engine == SQLite {
		return q.chooseRare(ctx)
	}
	hits := 0
	return q.conn.Each(ctx, "find.newest", []any{frequentSample}, func(rows *sql.Rows) error {
		var address, name string
		err := rows.Scan(&address, &name)
		if q.filter.Search.Matches(address, name) {
			hits++
			q.frequent = hits >= frequentHits
		}
		return err
	})
}

// chooseRare keeps the trigrams that the fewest of the newest subscribers have.
func (q *subscriberFinder) chooseRare(ctx context.Context) error {
	hits := map[string]int64{}
	for _, trigram := range q.trigrams {
		var n int64
		if _, err := q.conn.One(ctx, "find.trigram", []any{matchTrigrams([]string{trigram}), frequentSample}, &n); err != nil {
			return err
		}
		hits[trigram] = n
	}
	slices.SortStableFunc(q.trigrams, func(a, b string) int { return cmp.Compare(hits[a], hits[b]) })
	keep := rareTrigrams
	if hits[q.trigrams[0]] >= rareHits {
		keep = 1
	}
	q.trigrams = q.trigrams[:min(keep, len(q.trigrams))]
	return nil
}

// candidates returns the SQL for the highest numbers below before of the subscribers that an index
// selects.
func (q *subscriberFinder) candidates(st *statement, index finderIndex, n int) string {
	f := &q.filter
	var text, id string
	switch index {
	case bySearch:
		id = "id"
		if st.engine == Postgres {
			text = "SELECT id FROM unnest(CAST(" + st.arg(q.ids) + " AS bigint[])) AS matching(id) WHERE id > 0"
		} else {
			text = "SELECT id FROM (SELECT value AS id FROM json_each(" + st.arg(jsonList(q.ids)) + ")) AS matching WHERE id > 0"
		}
	case byLabel:
		id, text = "subscriber", "SELECT subscriber AS id FROM subscriber_terms WHERE kind = 'label' AND key = "+st.arg(f.Label)
	case byTopic:
		id, text = "subscriber", "SELECT DISTINCT subscriber AS id FROM subscriber_terms WHERE kind = 'topic' AND key = "+st.arg(f.Topic)
		if f.Digest != "" {
			text += " AND digest = " + st.arg(f.Digest)
		}
	case byLanguage:
		id, text = "id", "SELECT id FROM subscribers WHERE mail_language = "+st.arg(f.Language)
	case byState:
		id, text = "id", "SELECT id FROM subscribers WHERE state = "+st.arg(string(f.State))
	case byDigest:
		id, text = "subscriber", "SELECT subscriber AS id FROM subscriptions WHERE left_at = 0 AND digest = "+st.arg(f.Digest)
	default:
		id, text = "id", "SELECT id FROM subscribers WHERE id > 0"
	}
	if q.before > 0 {
		text += " AND " + id + " < " + st.arg(q.before)
	}
	return text + " ORDER BY " + id + " DESC LIMIT " + st.arg(n)
}

// readSearch reads the candidates of the search from the index of trigrams, once for all queries.
func (q *subscriberFinder) readSearch(ctx context.Context) error {
	if q.frequent || q.filter.Search.IsZero() {
		return nil
	}
	st := statement{engine: q.conn.Engine}
	var text, id string
	if q.conn.Engine == SQLite {
		text, id = "SELECT rowid FROM subscriber_index WHERE subscriber_index MATCH "+st.arg(matchTrigrams(q.trigrams)), "rowid"
	} else { // OFFSET 0 makes it read the index, whatever the planner assumes about the trigrams
		text, id = "SELECT id FROM (SELECT id FROM subscribers WHERE subscriber_trigrams(address, name) @> CAST("+st.arg(q.trigrams)+" AS text[]) OFFSET 0) AS matching WHERE true", "id"
	}
	if q.before > 0 {
		text += " AND " + id + " < " + st.arg(q.before)
	}
	text += " ORDER BY " + id + " DESC LIMIT " + st.arg(maxCandidates+1)
	rows, err := q.conn.QueryContext(ctx, text, st.args...)
	if err != nil {
		return fmt.Errorf("search subscribers: %w", err)
	}
	err = sqldb.Walk(rows, func(rows *sql.Rows) error {
		var id int64
		err := rows.Scan(&id)
		q.ids = append(q.ids, id)
		return err
	})
	return sqldb.Wrap("search subscribers", err)
}

// among returns the SQL for "is one of the candidates". An array on PostgreSQL and a list on SQLite
// make both read the subscribers by number, one by one.
func (q *subscriberFinder) among(st *statement, n int) string {
	list := q.candidates(st, q.index, n)
	if st.engine == Postgres {
		return "= ANY(ARRAY(" + list + "))"
	}
	return "IN (" + list + ")"
}

// others returns the SQL of all conditions that the index does not ensure, each after AND.
func (q *subscriberFinder) others(st *statement) string {
	f := &q.filter
	var out strings.Builder
	add := func(text string) { out.WriteString(" AND " + text) }
	switch { // an erased subscriber is in no other index
	case f.State == "" && q.index == byNumber:
		add("s.state <> 'erased'")
	case f.State != "" && q.index != byState:
		add("s.state = " + st.arg(string(f.State)))
	}
	if f.Language != "" && q.index != byLanguage {
		add("s.mail_language = " + st.arg(f.Language))
	}
	if f.Label != "" && q.index != byLabel {
		add("EXISTS (SELECT 1 FROM subscriber_terms t WHERE t.kind = 'label' AND t.key = " + st.arg(f.Label) + " AND t.subscriber = s.id)")
	}
	if f.Topic != "" && q.index != byTopic {
		digest := ""
		if f.Digest != "" {
			digest = " AND t.digest = " + st.arg(f.Digest)
		}
		add("EXISTS (SELECT 1 FROM subscriber_terms t WHERE t.kind = 'topic' AND t.key = " + st.arg(f.Topic) + " AND t.subscriber = s.id" + digest + ")")
	}
	if f.Digest != "" && f.Topic == "" && q.index != byDigest {
		add("EXISTS (SELECT 1 FROM subscriptions p WHERE p.digest = " + st.arg(f.Digest) + " AND p.subscriber = s.id AND p.left_at = 0)")
	}
	if !f.Search.IsZero() {
		add(q.searchCondition(st))
	}
	return out.String()
}

// searchCondition returns the SQL that compares the words of the search. The index does not know
// whether trigrams stand side by side. Names with other letters than ASCII are compared by
// Search.Matches, since the engines fold them in different ways.
func (q *subscriberFinder) searchCondition(st *statement) string {
	var like []string
	for _, part := range q.filter.Search.Parts() {
		like = append(like, `lower(' ' || s.address || ' ' || s.name) LIKE `+st.arg(likePart(part))+` ESCAPE '\'`)
	}
	return "(" + strings.Join(like, " AND ") + " OR octet_length(s.name) > length(s.name))"
}

// matchTrigrams returns the expression of FTS5 for texts with all trigrams.
func matchTrigrams(trigrams []string) string {
	quoted := make([]string, len(trigrams))
	for i, trigram := range trigrams {
		quoted[i] = `"` + strings.ReplaceAll(trigram, `"`, `""`) + `"`
	}
	return strings.Join(quoted, " AND ")
}

// likePart returns the pattern for texts that contain a part.
func likePart(part string) string {
	return "%" + strings.NewReplacer(`\`, `\\`, "%", `\%`, "_", `\_`).Replace(part) + "%"
}

// people returns the subscribers among the candidates for whom all conditions hold. full reports
// that there may be more than limit.
func (q *subscriberFinder) people(ctx context.Context, candidates, limit int) (people []subscriber.Subscriber, last int64, full bool, err error) {
	st := statement{engine: q.conn.Engine}
	text := fmt.Sprintf("SELECT s.id, s.uid, %s FROM subscribers s WHERE s.id %s%s ORDER BY s.id DESC LIMIT %s",
		queries().Columns("subscriber", "s."), q.among(&st, candidates), q.others(&st), st.arg(limit+1))
	rows, err := q.conn.QueryContext(ctx, text, st.args...)
	if err != nil {
		return nil, 0, false, fmt.Errorf("find subscribers: %w", err)
	}
	n := 0
	err = sqldb.Walk(rows, func(rows *sql.Rows) error {
		if n++; n > limit {
			full = true
			return nil
		}
		sub, err := scanSubscriber(rows)
		if last = sub.ID; err == nil && q.filter.Search.Matches(sub.Address.ASCII(), sub.Name) {
			people = append(people, sub)
		}
		return err
	})
	return people, last, full, sqldb.Wrap("find subscribers", err)
}

// count counts the subscribers among the candidates for whom all conditions hold.
func (q *subscriberFinder) count(ctx context.Context, candidates int) (n int64, err error) {
	st := statement{engine: q.conn.Engine}
	if q.conditions() == 1 && q.filter.Search.IsZero() {
		err := q.conn.oneRow(ctx, "SELECT count(*) FROM ("+q.candidates(&st, q.index, candidates)+") AS c", st.args, &n)
		return n, err
	}
	text := fmt.Sprintf("SELECT s.address, s.name FROM subscribers s WHERE s.id %s%s", q.among(&st, candidates), q.others(&st))
	rows, err := q.conn.QueryContext(ctx, text, st.args...)
	if err != nil {
		return 0, fmt.Errorf("count subscribers: %w", err)
	}
	err = sqldb.Walk(rows, func(rows *sql.Rows) error {
		var address, name string
		err := rows.Scan(&address, &name)
		if q.filter.Search.Matches(address, name) {
			n++
		}
		return err
	})
	return n, sqldb.Wrap("count subscribers", err)
}

// stoppedAt reports whether there are n candidates or more, and the lowest number of the first n.
func (q *subscriberFinder) stoppedAt(ctx context.Context, n int) (last int64, stopped bool, err error) {
	st := statement{engine: q.conn.Engine}
	var count int
	err = q.conn.oneRow(ctx, "SELECT count(*), coalesce(min(id), 0) FROM ("+q.candidates(&st, q.index, n)+") AS c", st.args, &count, &last)
	if err != nil || count < n {
		return 0, false, err
	}
	return last, true, nil
}

// oneRow scans the only row of a composed query.
func (c *conn) oneRow(ctx context.Context, text string, args []any, into ...any) error {
	rows, err := c.QueryContext(ctx, text, args...)
	if err == nil {
		err = sqldb.Walk(rows, func(rows *sql.Rows) error { return rows.Scan(into...) })
	}
	return sqldb.Wrap("find subscribers", err)
}
