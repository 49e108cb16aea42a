package store

import "context"

// Votes are the answers of readers to whether an edition was helpful.
type Votes struct {
	Helpful, Unhelpful int64
}

// Total returns the number of answers.
func (v Votes) Total() int64 { return v.Helpful + v.Unhelpful }

// Vote counts one answer of a reader about an edition. An edition has at most as many answers as
// recipients; counted is false for further ones.
func (s *Store) Vote(ctx context.Context, e Edition, helpful bool) (counted bool, err error) {
	err = s.write(ctx, func(tx *conn) error {
		n, err := tx.Exec(ctx, "votes.add", e.Seq, number(helpful), number(!helpful), max(e.Recipients.Count, 1))
		counted = n > 0
		return err
	})
	return counted, err
}

// Votes returns the answers about an edition.
func (s *Store) Votes(ctx context.Context, edition int64) (Votes, error) {
	var v Votes
	_, err := s.readers.One(ctx, "votes.get", []any{edition}, &v.Helpful, &v.Unhelpful)
	return v, err
}
