package feed

import (
	"cmp"
	"context"
	"errors"
	"time"

	"github.com/tidings-press/tidings/article"
)

// Source is where feeds get their articles: the store, by an adapter.
type Source interface {
	// Select returns items that fit the query, newest position first, or oldest
	// first when the query has an After. Its cost must not depend on how many
	// articles are stored.
	Select(ctx context.Context, query Query) ([]Item, error)
	// Changed returns what changed after a revision. It is called several times a
	// second and must be cheap when nothing did.
	Changed(ctx context.Context, since int64) (Change, error)
	// Spelling returns how a tag, author or language is written. It returns
	// ErrUnknown when no article ever had it.
	Spelling(ctx context.Context, kind Kind, name string) (string, error)
}

// ErrUnknown says that there is no such feed, tag, author, language or token.
var ErrUnknown = errors.New("no such feed")

// Position is the place of an article in the order of appearance: when readers
// could first see it, and an insertion number for ties. What appears later
// always has a higher position, whatever date its author gives it; that keeps
// archive pages stable while new articles arrive.
type Position struct {
	Appeared int64 // Unix milliseconds: the later of publication and ingestion
	Seq      int64
}

// Compare orders positions, the older first.
func (p Position) Compare(q Position) int {
	return cmp.Or(cmp.Compare(p.Appeared, q.Appeared), cmp.Compare(p.Seq, q.Seq))
}

// IsZero reports whether p is no position.
func (p Position) IsZero() bool { return p == Position{} }

// Item is an article at its position. That of a removed one is when it was removed.
type Item struct {
	Article  article.Article
	Position Position
}

// Query asks for the articles of a feed.
type Query struct {
	Filter  article.Filter
	Digest  string // editions of this digest in place of articles
	Before  Position
	After   Position
	Limit   int
	Removed bool // removed articles in place of published ones, at the positions of their removal
	AsOf    time.Time
}

// Change is what happened to the articles after a revision.
type Change struct {
	Revision int64
	Articles []article.Article // as they are now, the removed ones included
	All      bool              // too much changed to be listed
	// Departed is when an article may last have left some feed, told at every call. A
	// document does not show that itself: what is gone has no date in it.
	Departed time.Time
	// Due is when the next article with a future date appears; zero if there is none.
	Due time.Time
}
