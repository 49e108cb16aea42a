package store

import (
	"bytes"
	"cmp"
	"context"
	"encoding/hex"
	"errors"
	"slices"
	"time"

	"github.com/tidings-press/tidings/internal/subscriber"
)

// AttemptLimit allows Burst attempts at once, and another one after each Every. It is kept in
// the store, so that it holds for all nodes and across restarts. Key identifies what is
// limited, such as an account; the store keeps only a hash of it.
type AttemptLimit struct {
	Key   string
	Burst int
	Every time.Duration
}

// errNoAttemptLeft rolls back the transaction of an attempt that a limit refuses.
var errNoAttemptLeft = errors.New("no attempt is left")

// TakeAttempt uses one attempt of each limit. If a limit has none left, it uses none
// and returns how long to wait. A refused attempt writes nothing, so that a flood of them
// puts little load on the store.
func (s *Store) TakeAttempt(ctx context.Context, limits ...AttemptLimit) (wait time.Duration, err error) {
	now := s.Now()
	for _, t := range limits {
		var until int64
		found, err := s.readers.One(ctx, "attempt.get", []any{hashToken(t.Key)}, &until)
		if err != nil {
			return 0, err
		}
		if found {
			wait = max(wait, timeOf(until).Add(-t.maxAhead()).Sub(now))
		}
	}
	if wait > 0 {
		return wait, nil
	}
	err = s.write(ctx, func(tx *conn) error { return s.takeAttempt(ctx, tx, limits) })
	if errors.Is(err, errNoAttemptLeft) { // another request took the last one meanwhile
		return time.Second, nil
	}
	return 0, err
}

// maxAhead returns how far the time of a bucket may be ahead of now; beyond that, attempts
// are refused.
func (l AttemptLimit) maxAhead() time.Duration { return time.Duration(l.Burst-1) * l.Every }

func (s *Store) takeAttempt(ctx context.Context, tx *conn, limits []AttemptLimit) error {
	now := millis(s.Now())
	if _, err := tx.Exec(ctx, "attempt.prune", now); err != nil {
		return err
	}
	for _, l := range inLockOrder(limits) {
		var until int64
		found, err := tx.One(ctx, "attempt.take", []any{hashToken(l.Key), now, l.Every.Milliseconds(), l.maxAhead().Milliseconds()}, &until)
		if err != nil {
			return err
		}
		if !found {
			return errNoAttemptLeft
		}
	}
	return nil
}

// inLockOrder sorts limits, so that all transactions lock their rows in the same order.
func inLockOrder(limits []AttemptLimit) []AttemptLimit {
	sorted := slices.Clone(limits)
	slices.SortFunc(sorted, func(a, b AttemptLimit) int { return bytes.Compare(hashToken(a.Key), hashToken(b.Key)) })
	return sorted
}

// ReturnAttempt returns the attempts of a request that succeeded.
func (s *Store) ReturnAttempt(ctx context.Context, limits ...AttemptLimit) error {
	return s.write(ctx, func(tx *conn) error {
		for _, l := range inLockOrder(limits) {
			if _, err := tx.Exec(ctx, "attempt.return", hashToken(l.Key), l.Every.Milliseconds()); err != nil {
				return err
			}
		}
		return nil
	})
}

// RequestLimit bounds the requests in an hour under one key.
type RequestLimit struct {
	Name string // for logs: mailbox, network, all
	Key  string // must hold no personal data; see MailboxKey
	Max  int64
}

// errOverLimit rolls back the counts of a request that is over a limit.
var errOverLimit = errors.New("over a limit")

// CountRequest counts a request under all its limits if none of them is reached. Otherwise
// it counts nothing and returns the name of the first limit that is reached. It considers
// the requests of the last hour on all nodes.
func (s *Store) CountRequest(ctx context.Context, limits ...RequestLimit) (over string, err error) {
	const hourMillis = 3_600_000
	limits = slices.Clone(limits)
	slices.SortFunc(limits, func(a, b RequestLimit) int { return cmp.Compare(a.Key, b.Key) }) // all nodes lock rows in the same order
	now := millis(s.Now())
	hour, passed := now/hourMillis, now%hourMillis
	err = s.write(ctx, func(tx *conn) error {
		over = ""
		if _, err := tx.Exec(ctx, "request.prune", hour-1); err != nil {
			return err
		}
		for _, limit := range limits {
			var n, before int64
			if _, err := tx.One(ctx, "request.count", []any{hour, limit.Key}, &n); err != nil {
				return err
			}
			if _, err := tx.One(ctx, "request.before", []any{hour - 1, limit.Key}, &before); err != nil {
				return err
			}
			// The share of the previous clock hour that is less than an hour ago counts too.
			if n+before*(hourMillis-passed)/hourMillis > limit.Max {
				over = limit.Name
				return errOverLimit
			}
		}
		return nil
	})
	if errors.Is(err, errOverLimit) {
		err = nil
	}
	return over, err
}

// MailboxKey returns the key of a mailbox for RequestLimit. It is the same for all spellings
// of an address that reach one mailbox, and does not reveal the address.
func (s *Store) MailboxKey(ctx context.Context, address subscriber.Address) (string, error) {
	keys, err := s.Keys(ctx)
	if err != nil {
		return "", err
	}
	return "mailbox " + hex.EncodeToString(keys.SuppressionHash(address.Mailbox())), nil
}
