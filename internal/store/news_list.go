package store

import (
	"context"
	"database/sql"
	"errors"
	"time"
)

// Announcement puts topics on the lists of hubs and moves the position on.
type Announcement struct {
	From, To HubPosition
	Hubs     []string
	Topics   []string
	Due      time.Time
	Jobs     []Job // which tell the hubs
}

// Announce keeps an announcement, all of it or nothing. It returns false when another
// node has announced since From was read.
func (s *Store) Announce(ctx context.Context, a Announcement) (bool, error) {
	err := s.write(ctx, func(tx *conn) error {
		if err := tx.advance(ctx, a.From, a.To); err != nil || len(a.Topics) == 0 {
			return err
		}
		for _, hub := range a.Hubs {
			if _, err := tx.Exec(ctx, "news.put", hub, jsonList(a.Topics), a.From.Count+1, millis(a.Due), millis(s.Now())); err != nil {
				return err
			}
		}
		// The jobs last: what is on the lists by then is told before they end.
		return s.enqueueAll(ctx, tx, a.Jobs)
	})
	if errors.Is(err, errUnchanged) {
		return false, nil
	}
	return err == nil, err
}

// advance moves the position on, if it still is where it was.
func (c *conn) advance(ctx context.Context, from, to HubPosition) error {
	editions := jsonList(to.Editions)
	args := []any{from.Count + 1, to.Revision, millis(to.At), editions, to.Settings}
	var n int64
	var err error
	if from.Count == 0 {
		n, err = c.Exec(ctx, "news.begin", args...)
	} else {
		n, err = c.Exec(ctx, "news.advance", append(args, from.Count)...)
	}
	if err == nil && n == 0 {
		err = errUnchanged
	}
	return err
}

// PendingNotification is a topic that a hub has yet to be told of.
type PendingNotification struct {
	Topic string
	Stamp int64 // of its announcement
	Due   time.Time
	Since time.Time // when it was last announced
}

// PendingNotifications returns the first topics that a hub has yet to be told of.
func (s *Store) PendingNotifications(ctx context.Context, hub string, limit int) ([]PendingNotification, error) {
	var out []PendingNotification
	err := s.readers.Each(ctx, "news.next", []any{hub, limit}, func(rows *sql.Rows) error {
		var u PendingNotification
		var due, since int64
		err := rows.Scan(&u.Topic, &u.Stamp, &due, &since)
		u.Due, u.Since = timeOf(due), timeOf(since)
		out = append(out, u)
		return err
	})
	return out, err
}

// DropNotification takes a topic from a hub's list, unless it was announced again.
func (s *Store) DropNotification(ctx context.Context, hub string, u PendingNotification) error {
	return s.write(ctx, func(tx *conn) error {
		_, err := tx.Exec(ctx, "news.strike", hub, u.Topic, u.Stamp)
		return err
	})
}

// DeferNotification puts a topic behind the others on a hub's list.
func (s *Store) DeferNotification(ctx context.Context, hub string, u PendingNotification) error {
	return s.write(ctx, func(tx *conn) error {
		_, err := tx.Exec(ctx, "news.defer", hub, u.Topic, millis(s.Now()))
		return err
	})
}
