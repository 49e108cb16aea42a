package store

import (
	"cmp"
	"context"
	"database/sql"
	"slices"
	"strings"
)

// SkipCount is how many readers are sent nothing for one reason.
type SkipCount struct {
	Reason string `json:"reason"`
	Count  int64  `json:"count"`
}

// SkipCounts counts the readers of an edition who were skipped, by reason, the most
// frequent first.
func (s *Store) SkipCounts(ctx context.Context, seq int64) ([]SkipCount, error) {
	return s.skipCounts(ctx, "edition.skipped", seq)
}

// NonRecipients counts the people on a digest who are sent no edition of it: those
// who left it, and those who are not active, by their state.
func (s *Store) NonRecipients(ctx context.Context, digest string) ([]SkipCount, error) {
	return s.skipCounts(ctx, "audience.others", digest)
}

func (s *Store) skipCounts(ctx context.Context, query string, args ...any) ([]SkipCount, error) {
	counts := map[string]int64{}
	err := s.readers.Each(ctx, query, args, func(rows *sql.Rows) error {
		var reason string
		var n int64
		err := rows.Scan(&reason, &n)
		// What follows a colon differs from reader to reader, such as the error in an address.
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
