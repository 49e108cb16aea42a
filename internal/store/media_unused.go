package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/tidings-press/tidings/internal/store/schema"
)

// A medium may be removed when no document of the store has named it for long: no article, no revision
// or draft, no setting, no edition. pruneMedia searches all documents for the hashes that the names of
// media begin with, once a week or more often (mediaScan), and remembers since when each medium is not
// named. A document that is written meanwhile and names a medium resets that time in its own transaction
// (touchMedia), so none is removed between a search and the removal.

// tablesWithoutMedia are the tables that no search reads: they are large and hold no documents. A
// new table is searched unless it is added here.
var tablesWithoutMedia = []string{
	"media", "media_copies", "article_words", "article_index", "article_labels", "label_counts", "ledger", "ticks", "chunks", "deliveries", "delivery_tries",
	"subscribers", "subscriptions", "subscriber_terms", "subscriber_changes", "subscriber_days", "subscriber_totals", "suppressions", "feedback", "feed_polls",
	"feed_tokens", "secrets", "sessions", "audit_log", "attempts", "request_counts",
}

const (
	hashDigits   = 64      // of the SHA-256 in the name of a medium
	bytesPerStep = 4 << 20 // of media that one transaction removes, if they are more than one
	namesPerStep = 500
)

// mediaScan returns how long after a search the next one is due: a tenth of the time for which unused media
// are kept, but at least a day and at most a week. A search reads all documents, whose number grows for years: a
// daily one took most of the time of the maintenance in an archive of some years (bench/years).
func mediaScan(kept time.Duration) time.Duration {
	const day = 24 * time.Hour
	return min(max(kept/10, day), 7*day) - time.Hour // the maintenance does not begin at the same minute each day
}

// storedMedium is a medium in the search for unused ones.
type storedMedium struct {
	bytes, unused int64
	used          bool
	with          []string // its copies, or the images that it is a copy of
}

// pruneMedia searches for media that no document names, and removes those that have not been named
// since r.Media, unless another search was not long ago (mediaScan).
func (p *pruner) pruneMedia(ctx context.Context, r Retention) error {
	if r.Media.IsZero() {
		return nil
	}
	now := p.store.Now()
	due, err := p.takeMediaScan(ctx, now, mediaScan(now.Sub(r.Media)))
	if err != nil || !due {
		return err
	}
	media, err := p.searchMedia(ctx, r.MediaNamedIn)
	if err == nil {
		err = p.noteUnused(ctx, media, now)
	}
	if err == nil {
		err = p.removeUnused(ctx, media, r.Media)
	}
	if err != nil { // the next maintenance tries again
		_, released := p.store.writers.Exec(context.WithoutCancel(ctx), "lease.release", "media", p.holder)
		return errors.Join(fmt.Errorf("unused media: %w", err), released)
	}
	return nil
}

// takeMediaScan reports whether a search is due on this node. If so, the next one is due after a time.
func (p *pruner) takeMediaScan(ctx context.Context, now time.Time, next time.Duration) (due bool, err error) {
	err = p.store.write(ctx, func(tx *conn) error {
		var until int64
		due, err = tx.One(ctx, "lease.take", []any{"media", p.holder, millis(now.Add(next)), millis(now)}, &until)
		return err
	})
	return due, err
}

// searchMedia returns all media, and which of them a document or one of the texts names.
func (p *pruner) searchMedia(ctx context.Context, texts []string) (map[string]*storedMedium, error) {
	s := p.store
	media, byHash := map[string]*storedMedium{}, map[string][]*storedMedium{}
	err := s.readers.Each(ctx, "unused.all", nil, func(rows *sql.Rows) error {
		var name string
		var m storedMedium
		err := rows.Scan(&name, &m.bytes, &m.unused)
		if hash, named := hashOf(name); named {
			media[name] = &m
			byHash[hash] = append(byHash[hash], &m)
		}
		return err
	})
	if err == nil {
		err = s.readers.Each(ctx, "unused.copies", nil, func(rows *sql.Rows) error {
			var original, name string
			err := rows.Scan(&original, &name)
			if image, one := media[original], media[name]; image != nil && one != nil && image != one {
				image.with, one.with = append(image.with, name), append(one.with, original)
			}
			return err
		})
	}
	if err != nil || len(media) == 0 {
		return media, err
	}
	found := func(hash, _ string) {
		for _, m := range byHash[hash] {
			m.used = true
		}
	}
	for _, text := range texts {
		eachHash(text, found)
	}
	tables, err := schema.Tables(ctx, s.engine, s.DB())
	if err != nil {
		return nil, err
	}
	for _, table := range tables {
		if slices.Contains(tablesWithoutMedia, table.Name) {
			continue
		}
		if err := errors.Join(p.renew(ctx), p.searchTable(ctx, table, found)); err != nil {
			return nil, err
		}
	}
	return media, nil
}

// searchTable calls found for each hash in the texts of a table.
func (p *pruner) searchTable(ctx context.Context, table schema.Table, found func(hash, after string)) error {
	return eachRow(ctx, p.store.readers.DB, table, func(values []any) error {
		for _, v := range values {
			switch v := v.(type) {
			case string:
				eachHash(v, found)
			case []byte:
				eachHash(string(v), found)
			}
		}
		return nil
	})
}

// noteUnused records since when media are not named, and that others are named again.
func (p *pruner) noteUnused(ctx context.Context, media map[string]*storedMedium, now time.Time) error {
	var gone, back []string
	for name, m := range media {
		switch {
		case m.used && m.unused > 0:
			back = append(back, name)
		case !m.used && m.unused == 0:
			gone = append(gone, name)
		}
	}
	for names := range slices.Chunk(gone, namesPerStep) {
		if _, err := p.store.writers.Exec(ctx, "unused.set", jsonList(names), millis(now)); err != nil {
			return err
		}
	}
	for names := range slices.Chunk(back, namesPerStep) {
		if _, err := p.store.writers.Exec(ctx, "unused.clear", jsonList(names)); err != nil {
			return err
		}
	}
	return nil
}

// removeUnused removes images with all of their copies, and other media, of which no document has
// named any since before.
func (p *pruner) removeUnused(ctx context.Context, media map[string]*storedMedium, before time.Time) error {
	var step []string
	var size int64
	seen := map[string]bool{}
	for _, name := range slices.Sorted(maps.Keys(media)) {
		group := withCopies(media, name, seen)
		if len(group) == 0 || slices.ContainsFunc(group, func(n string) bool { m := media[n]; return m.used || m.unused <= 0 || m.unused >= millis(before) }) {
			continue
		}
		var bytes int64
		for _, n := range group {
			bytes += media[n].bytes
		}
		if len(step) > 0 && (size+bytes > bytesPerStep || len(step) > namesPerStep) {
			if err := p.removeMedia(ctx, step, before); err != nil {
				return err
			}
			step, size = nil, 0
		}
		step, size = append(step, group...), size+bytes
	}
	return p.removeMedia(ctx, step, before)
}

// withCopies returns a medium with its copies, the images it is a copy of, and so on; nothing for one
// that was returned before.
func withCopies(media map[string]*storedMedium, name string, seen map[string]bool) []string {
	if seen[name] {
		return nil
	}
	seen[name] = true
	group := []string{name}
	for _, other := range media[name].with {
		group = append(group, withCopies(media, other, seen)...)
	}
	return group
}

// removeMedia removes media in one transaction, unless a document came to name one of them.
func (p *pruner) removeMedia(ctx context.Context, names []string, before time.Time) error {
	if len(names) == 0 {
		return nil
	}
	if err := errors.Join(ctx.Err(), p.renew(ctx)); err != nil {
		return err
	}
	return p.store.write(ctx, func(tx *conn) error {
		var n int64
		if _, err := tx.One(ctx, "unused.count", []any{jsonList(names), millis(before)}, &n); err != nil || n < int64(len(names)) {
			return err
		}
		if _, err := tx.Exec(ctx, "unused.deleteCopies", jsonList(names)); err != nil {
			return err
		}
		_, err := tx.Exec(ctx, "unused.delete", jsonList(names))
		if err == nil {
			p.removed.Media += n
		}
		return err
	})
}

// keepMediaOfVariants keeps what mails name of which pruneEditions removes the text: subscribers still
// have them.
func (p *pruner) keepMediaOfVariants(ctx context.Context, edition int64) error {
	names := map[string]bool{}
	err := p.store.readers.Each(ctx, "unused.variants", []any{edition}, func(rows *sql.Rows) error {
		var data string
		err := rows.Scan(&data)
		for _, name := range mediaNames(data) {
			names[name] = true
		}
		return err
	})
	if err != nil || len(names) == 0 {
		return err
	}
	_, err = p.store.writers.Exec(ctx, "unused.keep", jsonList(slices.Sorted(maps.Keys(names))))
	return err
}

// touchMedia records that a document that is being stored names media.
func (tx *conn) touchMedia(ctx context.Context, texts ...string) error {
	names := mediaNames(strings.Join(texts, " "))
	if len(names) == 0 {
		return nil
	}
	_, err := tx.Exec(ctx, "unused.touch", jsonList(names))
	return err
}

// hashOf returns the hash in the name of a medium.
func hashOf(name string) (hash string, named bool) {
	hash, ending, _ := strings.Cut(name, ".")
	return hash, len(hash) == hashDigits && ending != "" && hexRun(hash) == hashDigits
}

// hexRun returns the number of lower-case hexadecimal digits at the beginning of a text.
func hexRun(text string) int {
	n := 0
	for n < len(text) && (text[n] >= '0' && text[n] <= '9' || text[n] >= 'a' && text[n] <= 'f') {
		n++
	}
	return n
}

// eachHash calls found with each run of hexadecimal digits in a text that can be the hash of a medium,
// and what comes after it. Of a longer run these are the last digits, since an escaped slash before a
// name ends in one.
func eachHash(text string, found func(hash, after string)) {
	for i := 0; i+hashDigits <= len(text); {
		// A run that covers the next 64 bytes includes the last of them; without it, skip them.
		if hexRun(text[i+hashDigits-1:i+hashDigits]) == 0 {
			i += hashDigits
			continue
		}
		n := hexRun(text[i:])
		if n >= hashDigits {
			found(text[i+n-hashDigits:i+n], text[i+n:])
		}
		i += n + 1
	}
}

// mediaNames returns the names of media in a text.
func mediaNames(text string) []string {
	var names []string
	eachHash(text, func(hash, after string) {
		n := 1
		for n < len(after) && (after[n] >= 'a' && after[n] <= 'z' || after[n] >= '0' && after[n] <= '9') {
			n++
		}
		if strings.HasPrefix(after, ".") && !slices.Contains(names, hash+after[:n]) {
			names = append(names, hash+after[:n])
		}
	})
	return names
}
