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

// HubPosition is the position in the change feed up to which hubs were notified.
type HubPosition struct {
	Count    int64     // of announcements; 0 before the first
	Revision int64     // of the articles
	At       time.Time // articles whose date came until then
	Editions []string  // ids of the editions that began shortly before At
	Settings string    // hash of the content of feeds besides their articles
}

// FeedChanges are the changes that feed readers see since a position.
type FeedChanges struct {
	After    HubPosition // the position after these changes; the same as before when there are none
	Articles []article.Article
	More     bool // there are more changed articles than Articles holds
	Edited   bool // some article was edited: any feed may have lost it
	Labels   []Label
	Digests  []string // whose feed of editions changed
}

// Label is a tag, author or language, spelled as its feed spells it.
type Label struct{ Kind, Name string }

// editionsOverlap is how much earlier than the position the search for editions begins, so
// that it finds the changes of a node whose clock is behind.
const editionsOverlap = 10 * time.Minute

// HubPosition returns the position up to which hubs were notified. Its Count is 0 before
// the first announcement.
func (s *Store) HubPosition(ctx context.Context) (HubPosition, error) {
	var p HubPosition
	var at int64
	var editions string
	found, err := s.readers.One(ctx, "hub.position", nil, &p.Count, &p.Revision, &at, &editions, &p.Settings)
	if err != nil || !found {
		return HubPosition{}, err
	}
	p.At = timeOf(at)
	if err := json.Unmarshal([]byte(editions), &p.Editions); err != nil {
		return p, fmt.Errorf("position of hubs: %w", err)
	}
	return p, nil
}

// FeedChanges returns the changes that readers see since a position, with up to limit
// articles. If nothing changed, it reads only a few rows. Before the first announcement it
// returns no changes, only the position at which they begin.
func (s *Store) FeedChanges(ctx context.Context, since HubPosition, limit int) (FeedChanges, error) {
	now := s.Now()
	if since.At.After(now) { // another node's clock is ahead
		now = since.At
	}
	revision, err := s.Revision(ctx)
	if err != nil {
		return FeedChanges{}, err
	}
	n := FeedChanges{After: HubPosition{Count: since.Count, Revision: revision, At: now, Settings: since.Settings}}
	if err := s.editionChanges(ctx, since, now, &n); err != nil || since.Count == 0 {
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
	return n, s.articleChanges(ctx, since, limit, &n)
}

// editionChanges finds the editions that began. It recognizes new ones by their ids, since
// the clocks of nodes differ.
func (s *Store) editionChanges(ctx context.Context, since HubPosition, now time.Time, n *FeedChanges) error {
	from := since.At
	if since.Count == 0 {
		from = now
	}
	return s.readers.Each(ctx, "changes.editions", []any{millis(from.Add(-editionsOverlap))}, func(rows *sql.Rows) error {
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

func (s *Store) articleChanges(ctx context.Context, since HubPosition, limit int, n *FeedChanges) error {
	revisions := []any{since.Revision, n.After.Revision}
	window := append(revisions, millis(since.At), millis(n.After.At))
	found, err := s.readers.articles(ctx, "changes.articles", append(window, limit+1)...)
	if err != nil {
		return err
	}
	n.More = len(found) > limit
	for _, a := range found[:min(len(found), limit)] {
		n.Articles = append(n.Articles, a.Article)
	}
	digests := func(rows *sql.Rows) error {
		var digest string
		err := rows.Scan(&digest)
		n.Digests = append(n.Digests, digest)
		return err
	}
	if err := s.readers.Each(ctx, "changes.digests", revisions, digests); err != nil {
		return err
	}
	slices.Sort(n.Digests)
	n.Digests = slices.Compact(n.Digests)
	return s.labelChanges(ctx, window, n)
}

// labelChanges adds the changed labels, each spelled as in its feed. A label that no article
// has any more has no feed and is left out.
func (s *Store) labelChanges(ctx context.Context, window []any, n *FeedChanges) error {
	var keys []label
	err := s.readers.Each(ctx, "changes.labels", window, func(rows *sql.Rows) error {
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
		if l.kind == sourceLabel {
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

// editLabel is the kind of the rows of feed_left that record the edit itself.
const editLabel = "article"

// recordDeparture stores which feeds an article was in before an edit, since they change
// too. An article that readers did not see yet was in no feed.
func (s *Store) recordDeparture(ctx context.Context, tx *conn, row *articleRow, old storedArticle) error {
	now := millis(s.Now())
	if hiddenFromFeeds(old.status) || max(old.offered, old.published) > now {
		return nil
	}
	_, err := tx.Exec(ctx, "departure.put", row.revision, row.seq, row.id, now)
	return err
}

// PruneFeedDepartures removes the records of articles that left feeds before a time.
func (s *Store) PruneFeedDepartures(ctx context.Context, before time.Time) error {
	return s.write(ctx, func(tx *conn) error {
		_, err := tx.Exec(ctx, "departure.prune", millis(before))
		return err
	})
}

// Announcement adds topics to the lists of hubs and advances the position.
type Announcement struct {
	From, To HubPosition
	Hubs     []string
	Topics   []string
	Due      time.Time
	Jobs     []Job // that notify the hubs
}

// Announce stores an announcement in one transaction. It returns false, and stores nothing,
// when another node has announced since From was read.
func (s *Store) Announce(ctx context.Context, a Announcement) (bool, error) {
	err := s.write(ctx, func(tx *conn) error {
		if err := tx.advance(ctx, a.From, a.To); err != nil || len(a.Topics) == 0 {
			return err
		}
		for _, hub := range a.Hubs {
			if _, err := tx.Exec(ctx, "notification.put", hub, jsonList(a.Topics), a.From.Count+1, millis(a.Due), millis(s.Now())); err != nil {
				return err
			}
		}
		// The jobs come last, so that they find all topics on the lists.
		return s.enqueueAll(ctx, tx, a.Jobs)
	})
	if errors.Is(err, errUnchanged) {
		return false, nil
	}
	return err == nil, err
}

// advance replaces the position from by to. The error is errUnchanged if the stored position
// is no longer from.
func (c *conn) advance(ctx context.Context, from, to HubPosition) error {
	editions := jsonList(to.Editions)
	args := []any{from.Count + 1, to.Revision, millis(to.At), editions, to.Settings}
	var n int64
	var err error
	if from.Count == 0 {
		n, err = c.Exec(ctx, "hub.begin", args...)
	} else {
		n, err = c.Exec(ctx, "hub.advance", append(args, from.Count)...)
	}
	if err == nil && n == 0 {
		err = errUnchanged
	}
	return err
}

// PendingNotification is a topic of which a hub has not been notified yet.
type PendingNotification struct {
	Topic string
	Stamp int64 // of its announcement
	Due   time.Time
	Since time.Time // when it was last announced
}

// PendingNotifications returns the first topics of which a hub has not been notified.
func (s *Store) PendingNotifications(ctx context.Context, hub string, limit int) ([]PendingNotification, error) {
	var out []PendingNotification
	err := s.readers.Each(ctx, "notification.next", []any{hub, limit}, func(rows *sql.Rows) error {
		var u PendingNotification
		var due, since int64
		err := rows.Scan(&u.Topic, &u.Stamp, &due, &since)
		u.Due, u.Since = timeOf(due), timeOf(since)
		out = append(out, u)
		return err
	})
	return out, err
}

// DropNotification removes a topic from a hub's list, unless it was announced again.
func (s *Store) DropNotification(ctx context.Context, hub string, u PendingNotification) error {
	return s.write(ctx, func(tx *conn) error {
		_, err := tx.Exec(ctx, "notification.drop", hub, u.Topic, u.Stamp)
		return err
	})
}

// DeferNotification moves a topic behind the others on a hub's list.
func (s *Store) DeferNotification(ctx context.Context, hub string, u PendingNotification) error {
	return s.write(ctx, func(tx *conn) error {
		_, err := tx.Exec(ctx, "notification.defer", hub, u.Topic, millis(s.Now()))
		return err
	})
}

// LastChange is the state of the change feed that every node polls several times a
// second.
type LastChange struct {
	Revision int64 // every change of an article raises it
	// LastRemoval is the last time when an article may have left a feed: at each edit,
	// removal and restoration of an article, and at each change of Settings, but not when a
	// new article is added.
	LastRemoval   time.Time
	Settings      string    // fingerprint of the settings that the newest node serves feeds with
	SettingsSince time.Time // when they were set
}

// LastChange returns the state of the change feed. It reads one row.
func (s *Store) LastChange(ctx context.Context) (LastChange, error) {
	var last LastChange
	var departed, settled int64
	_, err := s.readers.One(ctx, "revision.get", nil, &last.Revision, &departed, &last.Settings, &settled)
	last.LastRemoval, last.SettingsSince = timeOf(departed), timeOf(settled)
	return last, err
}

// Revision returns the number that every change of an article raises.
func (s *Store) Revision(ctx context.Context) (int64, error) {
	last, err := s.LastChange(ctx)
	return last.Revision, err
}

// SetFeedSettings stores the fingerprint of the settings that feeds are served with. The
// same fingerprint again changes nothing.
func (s *Store) SetFeedSettings(ctx context.Context, settings string) error {
	return s.write(ctx, func(tx *conn) error {
		_, err := tx.Exec(ctx, "revision.settle", settings, millis(s.Now()))
		return err
	})
}

// noteRemoval records that an article may have left a feed. It may be any feed: an edit
// that takes a word out removes the article from feeds of searches.
func (s *Store) noteRemoval(ctx context.Context, tx *conn) error {
	_, err := tx.Exec(ctx, "revision.depart", millis(s.Now()))
	return err
}

// ChangedSince returns up to limit articles that changed after a revision, including removed
// ones, in the order of their last change. To continue, pass the Revision of the last one.
func (s *Store) ChangedSince(ctx context.Context, revision int64, limit int) ([]StoredArticle, error) {
	return s.readers.articles(ctx, "article.changed", revision, limit)
}

// Appeared returns up to limit published articles that appear from one time to
// another, both included, the oldest first.
func (s *Store) Appeared(ctx context.Context, from, to time.Time, limit int) ([]StoredArticle, error) {
	return s.readers.articles(ctx, "article.appeared", millis(from), millis(to), limit)
}

// NextAppearance returns the time at which the next published article with a future date
// appears, or the zero time if there is none.
func (s *Store) NextAppearance(ctx context.Context, now time.Time) (time.Time, error) {
	var at int64
	_, err := s.readers.One(ctx, "article.nextDue", []any{millis(now)}, &at)
	return timeOf(at), err
}
