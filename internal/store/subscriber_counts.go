package store

import (
	"context"
	"database/sql"
)

// DigestCounts are the numbers of subscribers of a digest.
type DigestCounts struct {
	Groups []PreferenceGroup // those who get its editions, without the MaxID
	Others []SkipCount       // those who do not, by reason
}

// Recipients returns the number of those who get editions of the digest.
func (c *DigestCounts) Recipients() (n int64) {
	for i := range c.Groups {
		n += c.Groups[i].Count
	}
	return n
}

// maxCountedGroups bounds the groups of all digests together that are stored. With more, each page
// counts them itself.
const maxCountedGroups = 20_000

// DigestCounts counts the subscribers of a digest for a page. In a large store the numbers are some
// minutes old.
func (s *Store) DigestCounts(ctx context.Context, digestName string) (DigestCounts, error) {
	large, err := s.ManySubscribers(ctx)
	if err != nil {
		return DigestCounts{}, err
	}
	if large {
		if kept, err := s.readers.digestCounts(ctx, digestName); err != nil || len(kept.Groups)+len(kept.Others) > 0 {
			return kept, err
		}
	}
	return s.countDigest(ctx, digestName)
}

// countDigest counts the subscribers of a digest now.
func (s *Store) countDigest(ctx context.Context, digestName string) (c DigestCounts, err error) {
	if c.Groups, err = s.PreferenceGroups(ctx, digestName); err == nil {
		c.Others, err = s.NonRecipients(ctx, digestName)
	}
	return c, err
}

// digestCounts reads the numbers that maintenance counted last.
func (c *conn) digestCounts(ctx context.Context, digestName string) (DigestCounts, error) {
	var out DigestCounts
	others := map[string]int64{}
	err := c.Each(ctx, "figures.digest", []any{digestName}, func(rows *sql.Rows) error {
		var reason string
		var g PreferenceGroup
		if err := rows.Scan(&reason, &g.topics, &g.Language, &g.MailLanguage, &g.Count); err != nil {
			return err
		}
		if reason != "" {
			others[reason] = g.Count
			return nil
		}
		out.Groups = append(out.Groups, g)
		return readTopics(g.topics, &out.Groups[len(out.Groups)-1].Topics)
	})
	out.Others = SortSkipCounts(others)
	return out, err
}

// countDigests counts the subscribers of digests. It returns nil if there are too many groups to store.
func (s *Store) countDigests(ctx context.Context, digests map[string]int64) (map[string]DigestCounts, error) {
	out, groups := map[string]DigestCounts{}, 0
	for name := range digests {
		counted, err := s.countDigest(ctx, name)
		if err != nil {
			return nil, err
		}
		if groups += len(counted.Groups); groups > maxCountedGroups {
			return nil, nil
		}
		out[name] = counted
	}
	return out, nil
}

// putDigestCounts replaces the stored numbers of all digests.
func (c *conn) putDigestCounts(ctx context.Context, counts map[string]DigestCounts) error {
	if _, err := c.Exec(ctx, "figures.dropDigests"); err != nil {
		return err
	}
	for name, counted := range counts {
		for i := range counted.Groups {
			g := &counted.Groups[i]
			if _, err := c.Exec(ctx, "figures.putDigest", name, "", g.topics, g.Language, g.MailLanguage, g.Count); err != nil {
				return err
			}
		}
		for _, other := range counted.Others {
			if _, err := c.Exec(ctx, "figures.putDigest", name, other.Reason, "", "", "", other.Count); err != nil {
				return err
			}
		}
	}
	return nil
}
