package feedserver

import (
	"context"
	"errors"
	"time"

	"github.com/tidings-press/tidings/feed"
	"github.com/tidings-press/tidings/internal/article"
)

// Source provides the articles of feeds: the store, through an adapter.
type Source interface {
	// Select returns items that fit the query, newest position first, or oldest
	// first when the query has an After. Its cost must not depend on how many
	// articles are stored: it may stop before it found enough, and say where.
	Select(ctx context.Context, query Query) (Found, error)
	// Changed returns what changed after a mark and until now, the caller's one
	// reading of the clock. It is called several times a second and must be cheap when
	// nothing did.
	Changed(ctx context.Context, since Mark, now time.Time) (Change, error)
	// Spelling returns how a tag, author or language is written. It returns
	// ErrUnknown when no article ever had it.
	Spelling(ctx context.Context, kind feed.Kind, name string) (string, error)
}

// ErrUnknown says that there is no such feed, tag, author, language or token.
var ErrUnknown = errors.New("no such feed")

// Query asks for the articles of a feed.
type Query struct {
	Filter  article.Filter
	Digest  string // editions of this digest in place of articles
	Before  feed.Position
	After   feed.Position
	Limit   int
	Removed bool // removed articles in place of published ones, at the positions of their removal
	AsOf    time.Time
	IDs     bool // of the articles nothing but their ids
	// Room is how many bytes of HTML the items may bring together; see Fit.
	Room int
}

// Found is the result of a query.
type Found struct {
	Items []feed.Item
	// Until says that the search stopped before it found as many as were asked for: it
	// has looked at everything from where it began to this position, which itself
	// is no item to come. Zero when there is nothing further on.
	Until feed.Position
}

// Mark is a position in the changes of a source. The zero value is before all changes.
type Mark struct {
	Revision int64
	Due      time.Time // when the next article with a future date appears; zero if there is none
}

// Change is what happened to the articles after a mark.
type Change struct {
	Mark     Mark              // to go on from
	Articles []article.Article // as they are now: those that changed, the removed ones included, and those that appeared
	All      bool              // too much happened to be listed
	// Departed is when an article may last have left some feed, or feeds were last set
	// up in another way, told at every call. A document does not show that itself:
	// what is gone has no date in it.
	Departed time.Time
	Settings Settings
}

// Settings are the newest that any node serves feeds with, and since when.
type Settings struct {
	Fingerprint string
	Since       time.Time
}
