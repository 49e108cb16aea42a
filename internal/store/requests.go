package store

import (
	"cmp"
	"context"
	"encoding/hex"
	"errors"
	"slices"

	"github.com/tidings-press/tidings/internal/subscriber"
)

// RequestLimit is how often something may be asked for in an hour under one key.
type RequestLimit struct {
	Name string // for logs: mailbox, network, all
	Key  string // nothing personal; see MailboxKey
	Most int64
}

// errOverLimit takes back the counts of a request that is over a limit.
var errOverLimit = errors.New("over a limit")

// CountRequest counts a request under all its limits, if each has room, and returns the
// name of the first that has none, or "". The last hour counts, whichever node asked and
// whether or not it was restarted since.
func (s *Store) CountRequest(ctx context.Context, limits ...RequestLimit) (over string, err error) {
	const hourMillis = 3_600_000
	limits = slices.Clone(limits)
	slices.SortFunc(limits, func(a, b RequestLimit) int { return cmp.Compare(a.Key, b.Key) }) // two nodes lock rows in one order
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
			// Of the hour before, as much counts as is not yet an hour ago.
			if n+before*(hourMillis-passed)/hourMillis > limit.Most {
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

// MailboxKey is the key of a mailbox for RequestLimit: equal for all spellings of an address
// that reach one mailbox, and of no use to find the address.
func (s *Store) MailboxKey(ctx context.Context, address subscriber.Address) (string, error) {
	keys, err := s.Keys(ctx)
	if err != nil {
		return "", err
	}
	return "mailbox " + hex.EncodeToString(keys.SuppressionHash(address.Mailbox())), nil
}
