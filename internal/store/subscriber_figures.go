package store

import (
	"context"
	"crypto/rand"
	"database/sql"
	"errors"
	"time"

	"github.com/tidings-press/tidings/internal/subscriber"
)

// SubscriberTotals are the numbers of subscribers.
type SubscriberTotals struct {
	States  map[subscriber.State]int64
	Digests map[string]int64 // the active subscribers of each digest
	At      time.Time        // when they were counted
}

// Subscribed returns the number of subscribers who have not left: those who are active or paused.
func (t SubscriberTotals) Subscribed() int64 {
	return t.States[subscriber.Active] + t.States[subscriber.Paused]
}

// maxCountedSubscribers is the number of subscribers up to which a page counts them itself. A store with
// more of them shows the totals of the last maintenance.
const maxCountedSubscribers = 20_000

// SubscriberTotals returns the numbers of subscribers. In a large store they are some minutes old.
func (s *Store) SubscriberTotals(ctx context.Context) (SubscriberTotals, error) {
	large, err := s.ManySubscribers(ctx)
	if err != nil {
		return SubscriberTotals{}, err
	}
	if large {
		if kept, err := s.readers.subscriberTotals(ctx); err != nil || !kept.At.IsZero() {
			return kept, err
		}
	}
	return s.countTotals(ctx)
}

// ManySubscribers reports whether counting the subscribers takes long.
func (s *Store) ManySubscribers(ctx context.Context) (bool, error) {
	var last int64
	_, err := s.readers.One(ctx, "subscriber.lastID", nil, &last)
	return last > maxCountedSubscribers, err
}

func (s *Store) countTotals(ctx context.Context) (t SubscriberTotals, err error) {
	t.At = s.Now()
	if t.States, err = s.CountSubscribers(ctx); err == nil {
		t.Digests, err = s.CountSubscriptions(ctx)
	}
	return t, err
}

// subscriberTotals reads the totals of the last maintenance. Without any, At is zero.
func (c *conn) subscriberTotals(ctx context.Context) (SubscriberTotals, error) {
	t := SubscriberTotals{States: map[subscriber.State]int64{}, Digests: map[string]int64{}}
	err := c.Each(ctx, "figures.totals", nil, func(rows *sql.Rows) error {
		var kind, name string
		var n, at int64
		err := rows.Scan(&kind, &name, &n, &at)
		if t.At = timeOf(at); kind == "state" {
			t.States[subscriber.State(name)] = n
		} else {
			t.Digests[name] = n
		}
		return err
	})
	return t, err
}

// SubscriberDay holds the figures of a day in UTC.
type SubscriberDay struct {
	Day        time.Time
	Subscribed int64                      // at its end: subscribers who had not left
	Joined     map[string]int64           // by the source of their consent; nil for none
	Left       map[subscriber.State]int64 // by the state that they got; nil for none
}

// SubscriberDays returns the figures of each day from one until today. Those before the first
// subscriber joined are left out. Erased people are not in Joined and Left.
func (s *Store) SubscriberDays(ctx context.Context, from time.Time) ([]SubscriberDay, error) {
	first := dayOf(from)
	var days []SubscriberDay
	var subscribed int64
	started, err := s.readers.One(ctx, "figures.before", []any{first}, &subscribed)
	if err != nil {
		return nil, err
	}
	next := first
	fill := func(until int64) { // days without rows are like the day before
		for ; next < until && started; next++ {
			days = append(days, SubscriberDay{Day: dayTime(next), Subscribed: subscribed})
		}
	}
	err = s.readers.Each(ctx, "figures.days", []any{first}, func(rows *sql.Rows) error {
		var day, n int64
		var kind, name string
		if err := rows.Scan(&day, &kind, &name, &n); err != nil {
			return err
		}
		if fill(day); len(days) == 0 || dayOf(days[len(days)-1].Day) != day {
			days = append(days, SubscriberDay{Day: dayTime(day), Subscribed: subscribed})
			started, next = true, day+1
		}
		last := &days[len(days)-1]
		switch kind {
		case "members":
			subscribed, last.Subscribed = n, n
		case "joined":
			last.Joined = add(last.Joined, name, n)
		case "left":
			last.Left = add(last.Left, subscriber.State(name), n)
		}
		return nil
	})
	fill(dayOf(s.Now()) + 1)
	return days, err
}

func add[K comparable](sums map[K]int64, key K, n int64) map[K]int64 {
	if sums == nil {
		sums = map[K]int64{}
	}
	sums[key] += n
	return sums
}

// dayOf returns the number of days from 1970-01-01 until a time, UTC.
func dayOf(t time.Time) int64 { return t.UTC().Unix() / 86400 }

func dayTime(day int64) time.Time { return time.Unix(day*86400, 0).UTC() }

// figuresEvery is how often the totals are counted, on one of the nodes.
const figuresEvery = 4 * time.Minute

// UpdateSubscriberFigures counts the subscribers and stores the totals and the figures of the days
// since the last ones, or of all days at the first time. The figures of today are updated each time
// in a store with few subscribers, and those of past days once a day in others. If another call, of
// any node, did it within some minutes, it does nothing.
func (s *Store) UpdateSubscriberFigures(ctx context.Context) error {
	now := s.Now()
	taken := true
	err := s.write(ctx, func(tx *conn) (err error) {
		var until int64
		taken, err = tx.One(ctx, "lease.take", []any{"subscriber figures", rand.Text(), millis(now.Add(figuresEvery)), millis(now)}, &until)
		return err
	})
	if err != nil || !taken {
		return err
	}
	return s.updateSubscriberFigures(ctx)
}

func (s *Store) updateSubscriberFigures(ctx context.Context) error {
	totals, err := s.countTotals(ctx)
	if err != nil {
		return err
	}
	large, err := s.ManySubscribers(ctx)
	if err != nil {
		return err
	}
	var digests map[string]DigestCounts // pages of a small store count them
	if large {
		if digests, err = s.countDigests(ctx, totals.Digests); err != nil {
			return err
		}
	}
	var last int64
	if _, err := s.readers.One(ctx, "figures.lastDay", nil, &last); err != nil {
		return err
	}
	today := dayOf(totals.At)
	days := map[int64]*SubscriberDay{today: {Subscribed: totals.Subscribed()}}
	from := today
	if !large || last < today {
		from = max(last, 0)
		if err := s.readDays(ctx, days, from, today); err != nil {
			return err
		}
		countBack(days, from, today)
	}
	return s.write(ctx, func(tx *conn) error {
		if err := tx.putDigestCounts(ctx, digests); err != nil {
			return err
		}
		return tx.putFigures(ctx, totals, days, from, !large || last < today)
	})
}

// readDays reads who joined and left on the days from one until another.
func (s *Store) readDays(ctx context.Context, days map[int64]*SubscriberDay, from, until int64) error {
	on := func(day int64) *SubscriberDay {
		day = max(min(day, until), from) // the clock may have gone back
		if days[day] == nil {
			days[day] = &SubscriberDay{}
		}
		return days[day]
	}
	return errors.Join(
		s.readers.Each(ctx, "figures.joined", []any{millis(dayTime(from))}, func(rows *sql.Rows) error {
			var day, n int64
			var source string
			err := rows.Scan(&day, &source, &n)
			on(day).Joined = add(on(day).Joined, shortSource(source), n)
			return err
		}),
		s.readers.Each(ctx, "figures.left", []any{millis(dayTime(from))}, func(rows *sql.Rows) error {
			var day, n int64
			var state subscriber.State
			err := rows.Scan(&day, &state, &n)
			on(day).Left = add(on(day).Left, state, n)
			return err
		}),
	)
}

// shortSource bounds the name of a source, which an imported list may choose.
func shortSource(source string) string {
	const longest = 60
	if runes := []rune(source); len(runes) > longest {
		return string(runes[:longest])
	}
	return source
}

// countBack sets how many were subscribed at the end of the days before the last one, from who joined
// and left after them.
func countBack(days map[int64]*SubscriberDay, from, last int64) {
	subscribed := days[last].Subscribed
	for day := last; day >= from; day-- {
		one := days[day]
		if one == nil {
			continue
		}
		one.Subscribed = subscribed
		for _, n := range one.Joined {
			subscribed -= n
		}
		for _, n := range one.Left {
			subscribed += n
		}
		subscribed = max(subscribed, 0)
	}
}

// putFigures stores totals and the figures of days. With replace, they replace those from a day on;
// otherwise only the numbers of subscribed people are updated.
func (c *conn) putFigures(ctx context.Context, totals SubscriberTotals, days map[int64]*SubscriberDay, from int64, replace bool) error {
	if _, err := c.Exec(ctx, "figures.dropTotals"); err != nil {
		return err
	}
	at := millis(totals.At)
	for state, n := range totals.States {
		if _, err := c.Exec(ctx, "figures.putTotal", "state", string(state), n, at); err != nil {
			return err
		}
	}
	for digest, n := range totals.Digests {
		if _, err := c.Exec(ctx, "figures.putTotal", "digest", digest, n, at); err != nil {
			return err
		}
	}
	if replace {
		if _, err := c.Exec(ctx, "figures.dropDays", from); err != nil {
			return err
		}
	}
	for day, one := range days {
		if err := c.putDay(ctx, day, one); err != nil {
			return err
		}
	}
	return nil
}

func (c *conn) putDay(ctx context.Context, day int64, figures *SubscriberDay) error {
	_, err := c.Exec(ctx, "figures.putDay", day, "members", "", figures.Subscribed)
	for source, n := range figures.Joined {
		if err == nil {
			_, err = c.Exec(ctx, "figures.putDay", day, "joined", source, n)
		}
	}
	for state, n := range figures.Left {
		if err == nil {
			_, err = c.Exec(ctx, "figures.putDay", day, "left", string(state), n)
		}
	}
	return err
}
