package feed

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"time"
)

// Load reads what one document of a feed shows: the newest one, or the archive
// page of a cursor.
//
// An archive page holds the items that appeared before its cursor, down to the
// next boundary. Where the boundaries are depends on the ids of the items around
// them alone (see boundary), so pages stay as they are while new articles come in,
// and finding one costs the same in a long history as in a short one. The newest
// document has exactly as many items as the feed's limit; the page after it
// reaches from there to the first boundary and is the only one that moves.
func Load(ctx context.Context, src Source, site Site, d Definition, cursor string, asOf time.Time) (Selection, error) {
	s := Selection{Site: site, Definition: d, Page: Page{Cursor: cursor}}
	query := Query{Filter: d.Filter, AsOf: asOf}
	if d.Kind == ByDigest {
		query.Digest = d.Name
	}
	var err error
	if cursor == "" {
		err = s.newest(ctx, src, query)
	} else {
		err = s.archive(ctx, src, query)
	}
	s.forget(asOf)
	return s, err
}

// forget drops changes that are yet to come: a document never names a time that
// has not come, since its date could not settle then.
func (s *Selection) forget(asOf time.Time) {
	for i := range s.Items {
		if a := &s.Items[i].Article; !asOf.IsZero() && a.Updated.After(asOf) {
			a.Updated = time.Time{}
		}
	}
}

func (s *Selection) newest(ctx context.Context, src Source, query Query) error {
	limit := s.Definition.limit()
	query.Limit = limit + 1
	items, err := src.Select(ctx, query)
	if err != nil {
		return err
	}
	if len(items) > limit {
		items = items[:limit]
		s.Page.Older = items[limit-1].Position.String()
	}
	s.Items = items
	return s.tombstones(ctx, src, query)
}

func (s *Selection) archive(ctx context.Context, src Source, query Query) error {
	from, err := ParsePosition(s.Page.Cursor)
	if err != nil {
		return err
	}
	reach := max(s.Definition.limit()/2, 5)
	query.Before, query.Limit = from, 6*reach+1
	older, err := src.Select(ctx, query)
	if err != nil {
		return err
	}
	up := query
	up.Before, up.After, up.Limit = Position{}, Position{from.Appeared, from.Seq - 1}, reach
	newer, err := src.Select(ctx, up)
	if err != nil {
		return err
	}
	end := pageEnd(newer, older, reach, len(older) < query.Limit)
	s.Items = older[:end]
	if end < len(older) {
		s.Page.Older = older[end-1].Position.String()
	} else if s.Page.Newer, err = above(ctx, src, up, older, reach); err != nil {
		return err
	}
	return s.tombstones(ctx, src, query)
}

// above finds where the page begins that ends where the oldest one begins: at the
// next boundary. It is empty when there is none yet.
func above(ctx context.Context, src Source, up Query, older []Item, reach int) (string, error) {
	up.Limit = 6 * reach
	newer, err := src.Select(ctx, up)
	if err != nil {
		return "", err
	}
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
func (s *Selection) tombstones(ctx context.Context, src Source, query Query) error {
	query.Removed, query.Limit = true, s.Definition.limit()
	for !s.Site.NoTombstones && len(s.Removed) < maxTombstones {
		removed, err := src.Select(ctx, query)
		if err != nil {
			return err
		}
		for _, item := range removed {
			if s.Page.Older != "" && item.Position.Compare(s.Items[len(s.Items)-1].Position) < 0 {
				return nil
			}
			if s.Removed = append(s.Removed, item); len(s.Removed) == maxTombstones {
				return nil
			}
		}
		if len(removed) < query.Limit {
			return nil
		}
		query.Before = removed[len(removed)-1].Position
	}
	return nil
}

// pageEnd returns how many of the older items make the page: up to the first
// boundary, or as many as a page may have. newer are those above the page, the
// nearest first; complete says that nothing is older than the last item.
func pageEnd(newer, older []Item, reach int, complete bool) int {
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

// boundary reports whether an item ends a page: when it weighs more than each of
// the reach items to either side. Two boundaries are never nearer than that,
// and on average twice as far apart.
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

// weight is a number drawn from an item's id, the same everywhere and for ever.
func weight(item Item) uint64 {
	sum := sha256.Sum256([]byte(item.Article.ID))
	return binary.BigEndian.Uint64(sum[:])
}
