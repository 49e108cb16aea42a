package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/tidings-press/tidings/internal/article"
)

// HubPosition is how far changes have been announced to hubs.
type HubPosition struct {
	Count    int64     // of announcements; 0 before the first
	Revision int64     // of the articles
	At       time.Time // articles whose date came until then
	Editions []string  // ids of those that began shortly before At
	Settings string    // hash of what feeds say besides their articles
}

// FeedChanges is what readers see differently since a position.
type FeedChanges struct {
	After    HubPosition // the position with this news; the same as before when there is none
	Articles []article.Article
	More     bool // there are more articles than were asked for
	Edited   bool // some article was another one before: any feed may have lost it
	Labels   []Label
	Digests  []string // whose feed of editions changed
}

// Label is a tag, author or language, spelled as its feed spells it.
type Label struct{ Kind, Name string }

// editionsOverlap is how far back editions are looked for: a node whose clock is
// that much behind still begins one in time.
const editionsOverlap = 10 * time.Minute

// HubPosition is how far changes have been announced; its Count is 0 before the
// first announcement.
func (s *Store) HubPosition(ctx context.Context) (HubPosition, error) {
	var p HubPosition
	var at int64
	var editions string
	found, err := s.readers.One(ctx, "news.position", nil, &p.Count, &p.Revision, &at, &editions, &p.Settings)
	if err != nil || !found {
		return HubPosition{}, err
	}
	p.At = timeOf(at)
	if err := json.Unmarshal([]byte(editions), &p.Editions); err != nil {
		return p, fmt.Errorf("position of hubs: %w", err)
	}
	return p, nil
}

// FeedChanges finds what changed for readers since a position, with at most so many of the
// articles. It reads a few rows when nothing did. Before the first announcement there
// is no news, only the position from which it counts.
func (s *Store) FeedChanges(ctx context.Context, since HubPosition, most int) (FeedChanges, error) {
	now := s.Now()
	if since.At.After(now) { // another node's clock is ahead
		now = since.At
	}
	revision, err := s.Revision(ctx)
	if err != nil {
		return FeedChanges{}, err
	}
	n := FeedChanges{After: HubPosition{Count: since.Count, Revision: revision, At: now, Settings: since.Settings}}
	if err := s.newsOfEditions(ctx, since, now, &n); err != nil || since.Count == 0 {
		n.Digests = nil
		return n, err
	}
	due, err := s.NextAppearance(ctx, since.At)
	if err != nil {
		return n, err
	}
	if revision == since.Revision && len(n.Digests) == 0 && (due.IsZero() || due.After(now)) {
		n.After = since
		return n, nil
	}
	return n, s.newsOfArticles(ctx, since, most, &n)
}

// newsOfEditions finds the editions that began. Times of several clocks cannot say
// which are new; ids can.
func (s *Store) newsOfEditions(ctx context.Context, since HubPosition, now time.Time, n *FeedChanges) error {
	from := since.At
	if since.Count == 0 {
		from = now
	}
	return s.readers.Each(ctx, "news.editions", []any{millis(from.Add(-editionsOverlap))}, func(rows *sql.Rows) error {
		var id, digest string
		var started int64
		err := rows.Scan(&id, &digest, &started)
		if !slices.Contains(since.Editions, id) {
			n.Digests = append(n.Digests, digest)
		}
		if started > millis(now.Add(-editionsOverlap)) {
			n.After.Editions = append(n.After.Editions, id)
		}
		return err
	})
}

func (s *Store) newsOfArticles(ctx context.Context, since HubPosition, most int, n *FeedChanges) error {
	revisions := []any{since.Revision, n.After.Revision}
	window := append(revisions, millis(since.At), millis(n.After.At))
	found, err := s.readers.articles(ctx, "news.articles", append(window, most+1)...)
	if err != nil {
		return err
	}
	n.More = len(found) > most
	for _, a := range found[:min(len(found), most)] {
		n.Articles = append(n.Articles, a.Article)
	}
	digests := func(rows *sql.Rows) error {
		var digest string
		err := rows.Scan(&digest)
		n.Digests = append(n.Digests, digest)
		return err
	}
	if err := s.readers.Each(ctx, "news.digests", revisions, digests); err != nil {
		return err
	}
	slices.Sort(n.Digests)
	n.Digests = slices.Compact(n.Digests)
	return s.newsOfLabels(ctx, window, n)
}

// newsOfLabels spells each label as its feed does. A label that no article has any
// more has no feed.
func (s *Store) newsOfLabels(ctx context.Context, window []any, n *FeedChanges) error {
	var keys []label
	err := s.readers.Each(ctx, "news.labels", window, func(rows *sql.Rows) error {
		var l label
		err := rows.Scan(&l.kind, &l.key)
		keys = append(keys, l)
		return err
	})
	if err != nil {
		return err
	}
	for _, l := range keys {
		if l.kind == editLabel {
			n.Edited = true
			continue
		}
		name, err := s.spelling(ctx, l.kind, l.key)
		if errors.Is(err, ErrNotFound) {
			continue
		}
		if err != nil {
			return err
		}
		n.Labels = append(n.Labels, Label{l.kind, name})
	}
	return nil
}

// editLabel is the kind of the rows of feed_left that stand for the edit itself.
const editLabel = "article"

// leaveFeeds keeps which feeds an article was in before an edit: they change too, and
// after it nothing says so. What readers did not see yet was in none.
func (s *Store) leaveFeeds(ctx context.Context, tx *conn, row *articleRow, old known) error {
	now := millis(s.Now())
	if unseen(old.status) || max(old.offeredAt, old.published) > now {
		return nil
	}
	_, err := tx.Exec(ctx, "left.put", row.revision, row.seq, row.id, now)
	return err
}

// PruneFeedDepartures forgets which feeds articles left before a time.
func (s *Store) PruneFeedDepartures(ctx context.Context, before time.Time) error {
	return s.write(ctx, func(tx *conn) error {
		_, err := tx.Exec(ctx, "left.prune", millis(before))
		return err
	})
}
