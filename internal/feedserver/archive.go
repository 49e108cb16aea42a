package feedserver

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"slices"
	"time"

	"github.com/tidings-press/tidings/feed"
)

// maxHTML is how many bytes of HTML one document may have. Beyond it, the largest articles
// are shown with their summaries only, so that long articles cannot exhaust the memory.
const maxHTML = feed.MaxBody

// Load reads what one document of a feed shows: the newest one, or the archive
// page of a cursor.
//
// An archive page holds the items that appeared before its cursor, down to the
// next boundary. Where the boundaries are depends on the ids of the items around
// them alone (see boundary), so pages stay as they are while new articles come in,
// and finding one costs the same in a long history as in a short one. The newest
// document has exactly as many items as the feed's limit; the page after it
// reaches from there to the first boundary and is the only one that moves.
//
// A source may stop looking before it found enough, when articles that fit are
// few among many. Then the document ends there, with fewer items or none, and the
// next page goes on: nothing is lost on the way, and no document costs more than
// another. The pages of such a feed move as articles come in.
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

// loader is a selection that is being read.
type loader struct{ feed.Selection }

func limitOf(d *feed.Definition) int {
	if d.Limit > 0 {
		return d.Limit
	}
	return feed.DefaultLimit
}

// dropFutureDates drops changes that are yet to come: a document never names a time that
// has not come, since its date could not settle then.
func (s *loader) dropFutureDates(asOf time.Time) {
	for i := range s.Items {
		if a := &s.Items[i].Article; !asOf.IsZero() && a.Updated.After(asOf) {
			a.Updated = time.Time{}
		}
	}
}

func (s *loader) newest(ctx context.Context, src Source, query Query) error {
	limit := limitOf(&s.Definition)
	query.Limit, query.Room = limit+1, maxHTML
	found, err := src.Select(ctx, query)
	if err != nil {
		return err
	}
	s.Items = found.Items
	if len(s.Items) > limit {
		s.Items = s.Items[:limit]
		s.Page.Older = s.Items[limit-1].Position.String()
	} else if !found.Until.IsZero() {
		s.Page.Older = found.Until.String()
	}
	return s.tombstones(ctx, src, query)
}

func (s *loader) archive(ctx context.Context, src Source, query Query) error {
	from, err := feed.ParsePosition(s.Page.Cursor)
	if err != nil {
		return err
	}
	reach := max(limitOf(&s.Definition)/2, 5)
	query.Before, query.Limit, query.IDs = from, 6*reach+1, true
	older, err := src.Select(ctx, query)
	if err != nil {
		return err
	}
	up := query
	up.Before, up.After, up.Limit = feed.Position{}, feed.Position{Appeared: from.Appeared, Seq: from.Seq - 1}, reach
	newer, err := src.Select(ctx, up)
	if err != nil {
		return err
	}
	complete := len(older.Items) < query.Limit && older.Until.IsZero()
	end := pageEnd(newer.Items, older.Items, reach, complete)
	switch {
	case end < len(older.Items):
		s.Page.Older = older.Items[end-1].Position.String()
	case !older.Until.IsZero():
		s.Page.Older = older.Until.String()
	default:
		if s.Page.Newer, err = newerBoundary(ctx, src, up, older.Items, reach); err != nil {
			return err
		}
	}
	if err := s.fill(ctx, src, query, older.Items[:end]); err != nil {
		return err
	}
	return s.tombstones(ctx, src, query)
}

// fill reads the articles of a page. One that was removed since the page was laid
// out is missing from it, and brings no other in.
func (s *loader) fill(ctx context.Context, src Source, query Query, page []feed.Item) error {
	if len(page) == 0 {
		return nil
	}
	query.Limit, query.IDs, query.Room = len(page), false, maxHTML
	found, err := src.Select(ctx, query)
	last := page[len(page)-1].Position
	s.Items = slices.DeleteFunc(found.Items, func(item feed.Item) bool { return item.Position.Compare(last) < 0 })
	return err
}

// newerBoundary finds where the page begins that ends where the oldest one begins: at the
// next boundary. It is empty when there is none yet.
func newerBoundary(ctx context.Context, src Source, up Query, older []feed.Item, reach int) (string, error) {
	up.Limit = 6 * reach
	found, err := src.Select(ctx, up)
	if err != nil {
		return "", err
	}
	newer := found.Items
	line := make([]uint64, 0, len(older)+len(newer))
	for i := len(older) - 1; i >= 0; i-- {
		line = append(line, weight(older[i]))
	}
	for i := range newer {
		line = append(line, weight(newer[i]))
	}
	for i := 1; i < len(newer); i++ {
		if boundary(line, len(older)+i, reach, false) {
			return newer[i].Position.String(), nil
		}
	}
	return "", nil
}

// maxTombstones is how many a document has at most.
const maxTombstones = 500

// tombstones reads the articles that were removed in the time that the document
// covers, those removed last first. A removal is news just as an appearance is, and
// stands where its time does in the history: whoever polls the newest document
// hears of every removal in it, however old the article, and whoever catches up
// page by page as well (RFC 5005, section 4.4, has clients read archive pages once).
func (s *loader) tombstones(ctx context.Context, src Source, query Query) error {
	query.Removed, query.Limit, query.IDs, query.Room = true, limitOf(&s.Definition), false, 0
	bottom, noOlder := feed.ParsePosition(s.Page.Older)
	for !s.Site.NoTombstones && len(s.Removed) < maxTombstones {
		found, err := src.Select(ctx, query)
		if err != nil {
			return err
		}
		for _, item := range found.Items {
			if noOlder == nil && item.Position.Compare(bottom) < 0 {
				return nil
			}
			if s.Removed = append(s.Removed, item); len(s.Removed) == maxTombstones {
				return nil
			}
		}
		if len(found.Items) < query.Limit { // there are no more, or none as far as a search goes
			return nil
		}
		query.Before = found.Items[len(found.Items)-1].Position
	}
	return nil
}

// pageEnd returns how many of the older items make the page: up to the first
// boundary, or as many as a page may have. newer are those above the page, the
// nearest first; complete says that nothing is older than the last item.
func pageEnd(newer, older []feed.Item, reach int, complete bool) int {
	line := make([]uint64, 0, len(newer)+len(older))
	for i := len(newer) - 1; i >= 0; i-- {
		line = append(line, weight(newer[i]))
	}
	for i := range older {
		line = append(line, weight(older[i]))
	}
	for i := range older {
		if i+1 >= 5*reach {
			return i + 1
		}
		if boundary(line, len(newer)+i, reach, complete) {
			return i + 1
		}
	}
	return len(older)
}

// boundary reports whether an item ends a page: its weight is greater than that of each of
// the reach items on either side. Two boundaries are more than reach items apart, on average
// about twice as many.
func boundary(line []uint64, at, reach int, complete bool) bool {
	if at < reach || at+reach >= len(line) && !complete {
		return false
	}
	for i := at - reach; i <= at+reach && i < len(line); i++ {
		if i != at && line[i] >= line[at] {
			return false
		}
	}
	return true
}

// weight returns a hash of an item's id, which is the same on every node and never changes.
func weight(item feed.Item) uint64 {
	sum := sha256.Sum256([]byte(item.Article.ID))
	return binary.BigEndian.Uint64(sum[:])
}
