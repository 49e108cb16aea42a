package store

import (
	"context"
	"database/sql"
	"encoding/hex"
	"slices"

	"github.com/tidings-press/tidings/subscriber"
)

// put stores the lines of a batch in its transaction.
func (im *importer) put(ctx context.Context, tx *runner, lines []importLine) error {
	if err := im.markSuppressed(ctx, tx, lines); err != nil {
		return err
	}
	if err := im.markErased(ctx, tx, lines); err != nil {
		return err
	}
	var open []*importLine
	for i := range lines {
		if lines[i].outcome == "" {
			open = append(open, &lines[i])
		}
	}
	if len(open) == 0 {
		return nil
	}
	insert := im.insertPostgres
	if tx.engine == SQLite {
		insert = im.insertSQLite
	}
	if err := insert(ctx, tx, open); err != nil {
		return err
	}
	if err := im.markKnown(ctx, tx, open); err != nil {
		return err
	}
	if err := im.subscribe(ctx, tx, open); err != nil {
		return err
	}
	return im.suppress(ctx, tx, open)
}

// markSuppressed finds the lines whose address must not be mailed.
func (im *importer) markSuppressed(ctx context.Context, tx *runner, lines []importLine) error {
	var some int64
	if _, err := tx.one(ctx, "suppression.any", nil, &some); err != nil || some == 0 {
		return err
	}
	hashes := make([]string, len(lines))
	for i := range lines {
		if lines[i].outcome == "" {
			hashes[i] = hex.EncodeToString(im.keys.SuppressionHash(lines[i].row.Address))
		}
	}
	found := map[string]bool{}
	err := tx.each(ctx, "suppression.among", []any{jsonList(hashes)}, func(rows *sql.Rows) error {
		var hash, reason string
		err := rows.Scan(&hash, &reason)
		found[hash] = true
		return err
	})
	for i := range lines {
		if found[hashes[i]] {
			lines[i].outcome = Suppressed
		}
	}
	return err
}

// markErased keeps those from mail whom the list says to be erased, and nothing
// else of them.
func (im *importer) markErased(ctx context.Context, tx *runner, lines []importLine) error {
	for i := range lines {
		if lines[i].outcome != "" || im.state(&lines[i]) != subscriber.Erased {
			continue
		}
		if err := im.suppressOne(ctx, tx, &lines[i]); err != nil {
			return err
		}
		lines[i].outcome = Suppressed
	}
	return nil
}

// state is the state that a line asks for.
func (im *importer) state(l *importLine) subscriber.State {
	if l.row.State != "" {
		return l.row.State
	}
	return im.opts.State
}

// consent is what the line and the import together say.
func (im *importer) consent(l *importLine) (text string, at int64) {
	text, at = l.row.Consent.Text, millis(l.row.Consent.At)
	if text == "" {
		text = im.opts.Consent.Text
	}
	if at == 0 {
		at = millis(im.opts.Consent.At)
	}
	return text, at
}

// markKnown finds the lines of people who were there: before the import, or from a
// line further up.
func (im *importer) markKnown(ctx context.Context, tx *runner, lines []*importLine) error {
	var missing []string
	for _, l := range lines {
		if l.outcome == "" {
			missing = append(missing, l.key)
		}
	}
	if len(missing) == 0 {
		return nil
	}
	known := map[string]int64{}
	err := tx.each(ctx, "import.known", []any{jsonList(missing)}, func(rows *sql.Rows) error {
		var id int64
		var key, state string
		err := rows.Scan(&id, &key, &state)
		known[key] = id
		return err
	})
	for _, l := range lines {
		if l.outcome != "" {
			continue
		}
		l.id, l.outcome = known[l.key], Repeated
		if l.id <= im.before {
			l.outcome = Exists
		}
	}
	return err
}

// subscribe puts the people on their digests: in one statement for those who say
// nothing of their own, one by one for the others.
func (im *importer) subscribe(ctx context.Context, tx *runner, lines []*importLine) error {
	var plain []int64
	for _, l := range lines {
		state := im.state(l)
		gone := reasonFor(state) != "" // brought along with what was known of them, to be kept from mail
		if len(l.row.Digests) == 0 && len(l.row.Topics) == 0 {
			if !gone {
				plain = append(plain, l.id)
			}
			continue
		}
		digests := l.row.Digests
		if len(digests) == 0 && !gone {
			digests = im.opts.Digests
		}
		for _, digest := range digests {
			if _, err := tx.exec(ctx, "subscription.addNew", digest, l.id, topicsText(l.row.Topics), millis(im.start)); err != nil {
				return err
			}
		}
	}
	if len(plain) == 0 {
		return nil
	}
	for _, digest := range im.opts.Digests {
		if err := im.subscribeAll(ctx, tx, digest, plain, lines); err != nil {
			return err
		}
	}
	return nil
}

// subscribeAll puts people on a digest. Where all are new and SQLite gave them one
// number after the other, a range says who they are: that saves a fifth of the
// import.
func (im *importer) subscribeAll(ctx context.Context, tx *runner, digest string, ids []int64, lines []*importLine) error {
	first, last := slices.Min(ids), slices.Max(ids)
	added := func(l *importLine) bool { return l.outcome == Added }
	if tx.engine == SQLite && last-first+1 == int64(len(ids)) && !slices.ContainsFunc(lines, func(l *importLine) bool { return !added(l) }) {
		_, err := tx.exec(ctx, "subscription.addRange", digest, millis(im.start), first, last)
		return err
	}
	_, err := tx.exec(ctx, "import.subscribe", digest, jsonList(ids), millis(im.start))
	return err
}

// suppress keeps those from mail whom the list says to have left or bounced.
func (im *importer) suppress(ctx context.Context, tx *runner, lines []*importLine) error {
	for _, l := range lines {
		if l.outcome != Added {
			continue
		}
		if err := im.suppressOne(ctx, tx, l); err != nil {
			return err
		}
	}
	return nil
}

func (im *importer) suppressOne(ctx context.Context, tx *runner, l *importLine) error {
	reason := reasonFor(im.state(l))
	if reason == "" {
		return nil
	}
	_, err := tx.exec(ctx, "suppression.put", im.keys.SuppressionHash(l.row.Address), string(reason), "imported list", millis(im.start))
	return err
}
