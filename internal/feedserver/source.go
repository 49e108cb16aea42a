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
	// Select returns items that match the query, newest position first, or oldest first
	// if the query has an After. Its cost must not depend on the number of stored
	// articles: it may stop early and return where in Found.Until.
	Select(ctx context.Context, query Query) (Found, error)
	// Changed returns the changes after a checkpoint and until now. It is called several
	// times a second, so it must be cheap when there are none.
	Changed(ctx context.Context, since Checkpoint, now time.Time) (Change, error)
	// Spelling returns the one spelling of a tag, author or language, or
	// ErrUnknown if no article ever had it.
	Spelling(ctx context.Context, kind feed.Kind, name string) (string, error)
}

// ErrUnknown is returned for an unknown feed, tag, author, language or token.
var ErrUnknown = errors.New("no such feed")

// Query selects the articles of a feed.
type Query struct {
	Filter  article.Filter
	Digest  string // select editions of this digest, not articles
	Before  feed.Position
	After   feed.Position
	Limit   int
	Removed bool // select removed articles, at the positions of their removal, not published ones
	AsOf    time.Time
	IDs     bool // read only the ids of the articles
	// MaxHTML is the maximum number of bytes of HTML of all items together. The HTML of the
	// largest articles is left out beyond it.
	MaxHTML int
}

// Found is the result of a query.
type Found struct {
	Items []feed.Item
	// Until is set if the search stopped before it found Limit items: it is the last position
	// that was searched, and the next search continues after it. Zero if there are no more
	// items.
	Until feed.Position
}

// Checkpoint is a position in the changes of a source. The zero value is before all of them.
type Checkpoint struct {
	Revision int64
	Due      time.Time // when the next future-dated article appears; zero if there is none
}

// Change is the result of Source.Changed: the changes after a checkpoint.
type Change struct {
	Checkpoint Checkpoint        // position after these changes
	Articles   []article.Article // in their new state: changed, removed and newly appeared articles
	All        bool              // there were too many changes to list
	// Departed is the last time at which an article may have left some feed, or the settings
	// of feeds changed. It is set at every call. The documents themselves do not show it,
	// since they contain no date of an article that is gone.
	Departed time.Time
	Settings Settings
}

// Settings are the newest settings with which any node serves feeds.
type Settings struct {
	Hash  string
	Since time.Time
}
