package store

import (
	"cmp"
	"context"
	"database/sql"
	"fmt"
	"slices"
	"strings"

	"github.com/tidings-press/tidings/internal/digest"
	"github.com/tidings-press/tidings/internal/store/sqldb"
)

// AddressedDelivery is a delivery with the address of its subscriber, which is empty after an
// erasure.
type AddressedDelivery struct {
	digest.Delivery
	Address string
}

// Deliveries returns up to limit deliveries of an edition in some states, in the order of
// their subscribers, for subscribers with a higher id than after.
func (s *Store) Deliveries(ctx context.Context, e Edition, states []digest.DeliveryState, after int64, limit int) ([]AddressedDelivery, error) {
	words := make([]string, len(states))
	for i, state := range states {
		words[i] = string(state)
	}
	return s.deliveries(ctx, e, "delivery.list", e.Seq, after, jsonList(words), limit)
}

// EverUncertain returns the deliveries of an edition that are or were uncertain. Their
// subscribers may have got two mails.
func (s *Store) EverUncertain(ctx context.Context, e Edition, after int64, limit int) ([]AddressedDelivery, error) {
	return s.deliveries(ctx, e, "delivery.doubted", e.Seq, after, limit)
}

func (s *Store) deliveries(ctx context.Context, e Edition, query string, args ...any) ([]AddressedDelivery, error) {
	var out []AddressedDelivery
	err := s.readers.Each(ctx, query, args, func(rows *sql.Rows) error {
		var d AddressedDelivery
		var at, next int64
		err := rows.Scan(&d.Subscriber, &d.State, &d.Reason, &d.Tries, &d.Code, &d.Reply, &d.Relay, &at, &next, &d.Address)
		d.Edition, d.At, d.NextTry = e.ID, timeOf(at), timeOf(next)
		out = append(out, d)
		return err
	})
	return out, err
}

// ResolveUncertain carries out an editor's decision on the uncertain mails of an edition: to
// send them again, or to skip them. Without subscribers it decides on all. It returns their number.
func (s *Store) ResolveUncertain(ctx context.Context, e Edition, resend bool, subscribers ...int64) (int64, error) {
	state, reason := digest.DeliverySkipped, "in doubt: an editor left it so"
	if resend {
		state, reason = digest.DeliveryQueued, ""
	}
	var n int64
	err := s.write(ctx, func(tx *conn) error {
		var err error
		if n, err = tx.Exec(ctx, "delivery.decide", e.Seq, string(state), reason, millis(s.Now()), jsonList(subscribers)); err != nil {
			return err
		}
		noteAuditCount(ctx, n, "mails")
		_, err = tx.Exec(ctx, "delivery.reopen", e.Seq)
		return err
	})
	return n, err
}

// doubtedMacro expands to the new reason of a delivery. If the delivery was ever in doubt,
// that stays in front of the latest reason.
var doubtedMacro = sqldb.Macro{Name: "doubted", Form: map[Engine]string{
	SQLite:   fmt.Sprintf(doubtedSQL, "substr(reason, 1, instr(reason || '; then: ', '; then: ') - 1)"),
	Postgres: fmt.Sprintf(doubtedSQL, "split_part(reason, '; then: ', 1)"),
}}

const doubtedSQL = "CASE WHEN reason NOT LIKE 'in doubt%%' OR ? LIKE 'in doubt%%' THEN ? WHEN ? = '' THEN reason ELSE %s || '; then: ' || ? END"

// SkipCount is the number of subscribers who are skipped for one reason.
type SkipCount struct {
	Reason string `json:"reason"`
	Count  int64  `json:"count"`
}

// SkipCounts counts the skipped subscribers of an edition by reason, the most frequent
// first.
func (s *Store) SkipCounts(ctx context.Context, seq int64) ([]SkipCount, error) {
	return s.skipCounts(ctx, "edition.skipped", seq)
}

// NonRecipients counts the subscribers of a digest who get no edition of it: those who
// left it, and those who are not active, by their state.
func (s *Store) NonRecipients(ctx context.Context, digest string) ([]SkipCount, error) {
	return s.skipCounts(ctx, "recipients.others", digest)
}

func (s *Store) skipCounts(ctx context.Context, query string, args ...any) ([]SkipCount, error) {
	counts := map[string]int64{}
	err := s.readers.Each(ctx, query, args, func(rows *sql.Rows) error {
		var reason string
		var n int64
		err := rows.Scan(&reason, &n)
		// The text after a colon differs between subscribers, such as the error in an address.
		reason, _, _ = strings.Cut(reason, ": ")
		counts[cmp.Or(reason, "no reason recorded")] += n
		return err
	})
	return SortSkipCounts(counts), err
}

// SortSkipCounts lists counts by reason, the most frequent first.
func SortSkipCounts(counts map[string]int64) []SkipCount {
	out := make([]SkipCount, 0, len(counts))
	for reason, n := range counts {
		out = append(out, SkipCount{reason, n})
	}
	slices.SortFunc(out, func(a, b SkipCount) int {
		return cmp.Or(cmp.Compare(b.Count, a.Count), cmp.Compare(a.Reason, b.Reason))
	})
	return out
}
