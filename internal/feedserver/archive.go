package feedserver

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"slices"
	"time"

	"github.com/tidings-press/tidings/feed"
)

// maxHTML is the maximum number of bytes of HTML in one document. If there are more, the
// largest articles are shown with their summaries only, so that long articles cannot exhaust
// the memory.
const maxHTML = feed.MaxBody

// Load reads the items of one document of a feed: of the newest document if cursor is empty,
// otherwise of the archive page at the cursor.
//
// An archive page has the items that appeared before its cursor, down to the next boundary.
// The position of a boundary depends only on the ids of the items around it (see boundary).
// So pages do not change when new articles arrive, and a page of a long history costs no
// more than a page of a short one. The newest document has as many items as the feed's
// limit. The first archive page begins there and ends at the first boundary; it is the only
// page that changes.
//
// A source may stop a search early when few of many articles match. The document then ends
// at that position, with fewer items or none, and the next page continues from there: no
// item is lost, and no document costs more than another. The pages of such a feed change
// when articles arrive.
func Load(ctx context.Context, src Source, site feed.Site, d feed.Definition, cursor string, asOf time.Time) (feed.Selection, error) {
	s := loader{feed.Selection{Site: site, Definition: d, Page: feed.Page{Cursor: cursor}}}
	query := Query{Filter: d.Filter, AsOf: asOf}
	if d.Kind == feed.ByDigest {
		query.Digest = d.Name
	}
	var err error
	if cursor == "" {
		err = s.newest(ctx, src, query)
	} else {
		err = s.archive(ctx, src, query)
	}
	s.dropFutureDates(asOf)
	return s.Selection, err
}

// loader reads a selection.
type loader struct{ feed.Selection }

func limitOf(d *feed.Definition) int {
	if d.Limit > 0 {
		return d.Limit
	}
	return feed.DefaultLimit
}

// dropFutureDates removes update times in the future: with one, the Last-Modified of the
// document could not settle (see Server.modified).
func (l *loader) dropFutureDates(asOf time.Time) {
	for i := range l.Items {
		if a := &l.Items[i].Article; !asOf.IsZero() && a.Updated.After(asOf) {
			a.Updated = time.Time{}
		}
	}
}

func (l *loader) newest(ctx context.Context, src Source, query Query) error {
	limit := limitOf(&l.Definition)
	query.Limit, query.MaxHTML = limit+1, maxHTML
	found, err := src.Select(ctx, query)
	if err != nil {
		return err
	}
	l.Items = found.Items
	if len(l.Items) > limit {
		l.Items = l.Items[:limit]
		l.Page.Older = l.Items[limit-1].Position.String()
	} else if !found.Until.IsZero() {
		l.Page.Older = found.Until.String()
	}
	return l.tombstones(ctx, src, query)
}

func (l *loader) archive(ctx context.Context, src Source, query Query) error {
	from, err := feed.ParsePosition(l.Page.Cursor)
	if err != nil {
		return err
	}
	window := max(limitOf(&l.Definition)/2, 5)
	query.Before, query.Limit, query.IDs = from, 6*window+1, true
	older, err := src.Select(ctx, query)
	if err != nil {
		return err
	}
	newerQuery := query
	newerQuery.Before, newerQuery.After, newerQuery.Limit = feed.Position{}, feed.Position{Appeared: from.Appeared, Seq: from.Seq - 1}, window
	newer, err := src.Select(ctx, newerQuery)
	if err != nil {
		return err
	}
	complete := len(older.Items) < query.Limit && older.Until.IsZero()
	end := pageEnd(newer.Items, older.Items, window, complete)
	switch {
	case end < len(older.Items):
		l.Page.Older = older.Items[end-1].Position.String()
	case !older.Until.IsZero():
		l.Page.Older = older.Until.String()
	default:
		if l.Page.Newer, err = newerBoundary(ctx, src, newerQuery, older.Items, window); err != nil {
			return err
		}
	}
	if err := l.fill(ctx, src, query, older.Items[:end]); err != nil {
		return err
	}
	return l.tombstones(ctx, src, query)
}

// fill reads the articles of a page. An article that was removed after the boundaries were
// computed is missing, and is not replaced by another one.
func (l *loader) fill(ctx context.Context, src Source, query Query, page []feed.Item) error {
	if len(page) == 0 {
		return nil
	}
	query.Limit, query.IDs, query.MaxHTML = len(page), false, maxHTML
	found, err := src.Select(ctx, query)
	last := page[len(page)-1].Position
	l.Items = slices.DeleteFunc(found.Items, func(item feed.Item) bool { return item.Position.Compare(last) < 0 })
	return err
}

// newerBoundary returns the cursor of the page above the oldest page: the next newer
// boundary, or "" if there is none yet.
func newerBoundary(ctx context.Context, src Source, query Query, older []feed.Item, window int) (string, error) {
	query.Limit = 6 * window
	found, err := src.Select(ctx, query)
	if err != nil {
		return "", err
	}
	newer := found.Items
	weights := make([]uint64, 0, len(older)+len(newer))
	for i := len(older) - 1; i >= 0; i-- {
		weights = append(weights, weight(older[i]))
	}
	for i := range newer {
		weights = append(weights, weight(newer[i]))
	}
	for i := 1; i < len(newer); i++ {
		if boundary(weights, len(older)+i, window, false) {
			return newer[i].Position.String(), nil
		}
	}
	return "", nil
}

// maxTombstones is the maximum number of tombstones in a document.
const maxTombstones = 500

// tombstones reads the articles that were removed in the period of the document, the last
// removed first. A tombstone is placed by the time of the removal, not of the article. So a
// client that polls the newest document learns of every removal, and so does a client that
// reads the archive page by page (by RFC 5005, section 4.4, clients read each page once).
func (l *loader) tombstones(ctx context.Context, src Source, query Query) error {
	query.Removed, query.Limit, query.IDs, query.MaxHTML = true, limitOf(&l.Definition), false, 0
	bottom, noOlder := feed.ParsePosition(l.Page.Older)
	for !l.Site.NoTombstones && len(l.Removed) < maxTombstones {
		found, err := src.Select(ctx, query)
		if err != nil {
			return err
		}
		for _, item := range found.Items {
			if noOlder == nil && item.Position.Compare(bottom) < 0 {
				return nil
			}
			if l.Removed = append(l.Removed, item); len(l.Removed) == maxTombstones {
				return nil
			}
		}
		if len(found.Items) < query.Limit { // there are no more, or the search has stopped
			return nil
		}
		query.Before = found.Items[len(found.Items)-1].Position
	}
	return nil
}

// pageEnd returns how many of the older items belong to the page: those up to the first
// boundary, or the maximum of a page. newer are the items above the page, the nearest
// first; complete reports that there is no item older than the last one.
func pageEnd(newer, older []feed.Item, window int, complete bool) int {
	weights := make([]uint64, 0, len(newer)+len(older))
	for i := len(newer) - 1; i >= 0; i-- {
		weights = append(weights, weight(newer[i]))
	}
	for i := range older {
		weights = append(weights, weight(older[i]))
	}
	for i := range older {
		if i+1 >= 5*window {
			return i + 1
		}
		if boundary(weights, len(newer)+i, window, complete) {
			return i + 1
		}
	}
	return len(older)
}

// boundary reports whether an item ends a page: its weight is greater than the weight of
// each of the window items before and after it. So two boundaries are more than window items
// apart, and about twice as many on average.
func boundary(weights []uint64, at, window int, complete bool) bool {
	if at < window || at+window >= len(weights) && !complete {
		return false
	}
	for i := at - window; i <= at+window && i < len(weights); i++ {
		if i != at && weights[i] >= weights[at] {
			return false
		}
	}
	return true
}

// weight returns a hash of the item's id. It is the same on every node and never changes.
func weight(item feed.Item) uint64 {
	sum := sha256.Sum256([]byte(item.Article.ID))
	return binary.BigEndian.Uint64(sum[:])
}
