package store

import (
	"context"
	"database/sql"
	"encoding/hex"
	"slices"

	"github.com/tidings-press/tidings/internal/subscriber"
)

// put stores the lines of a batch in its transaction.
func (im *importer) put(ctx context.Context, tx *conn, lines []importLine) error {
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
	if tx.Engine == SQLite {
		insert = im.insertSQLite
	}
	if err := insert(ctx, tx, open); err != nil {
		return err
	}
	if err := im.markKnown(ctx, tx, open); err != nil {
		return err
	}
	for _, l := range open {
		if err := im.lower(ctx, tx, l, im.state(l)); err != nil {
			return err
		}
	}
	if err := im.subscribe(ctx, tx, open); err != nil {
		return err
	}
	return im.suppress(ctx, tx, open)
}

// markSuppressed finds the lines whose address must not be mailed.
func (im *importer) markSuppressed(ctx context.Context, tx *conn, lines []importLine) error {
	var some int64
	if _, err := tx.One(ctx, "suppression.any", nil, &some); err != nil || some == 0 {
		return err
	}
	hashes := make([]string, len(lines))
	for i := range lines {
		if lines[i].outcome == "" {
			hashes[i] = hex.EncodeToString(im.keys.SuppressionHash(lines[i].row.Address))
		}
	}
	found := map[string]bool{}
	err := tx.Each(ctx, "suppression.among", []any{jsonList(hashes)}, func(rows *sql.Rows) error {
		var hash, reason string
		err := rows.Scan(&hash, &reason)
		found[hash] = true
		return err
	})
	for i := range lines {
		if !found[hashes[i]] {
			continue
		}
		lines[i].outcome = Suppressed
		if err == nil {
			err = im.suppressOne(ctx, tx, &lines[i]) // a complaint counts for more than what was known
		}
	}
	return err
}

// markErased keeps those from mail whom the list says to be erased, and nothing
// else of them.
func (im *importer) markErased(ctx context.Context, tx *conn, lines []importLine) error {
	var erased []*importLine
	for i := range lines {
		if l := &lines[i]; l.outcome == "" && im.state(l) == subscriber.Erased {
			erased = append(erased, l)
		}
	}
	if len(erased) == 0 {
		return nil
	}
	if err := im.markKnown(ctx, tx, erased); err != nil {
		return err
	}
	for _, l := range erased {
		if err := im.suppressOne(ctx, tx, l); err != nil {
			return err
		}
		l.outcome = Suppressed
		if err := im.lower(ctx, tx, l, subscriber.Unsubscribed); err != nil {
			return err
		}
	}
	return nil
}

// lower gives somebody who was there the state of a list that says they are gone. Whoever is
// pending has asked for mail since, and decides with the confirmation.
func (im *importer) lower(ctx context.Context, tx *conn, l *importLine, to subscriber.State) error {
	if l.id == 0 || l.outcome == Added || !to.Gone() {
		return nil
	}
	if err := im.suppressOne(ctx, tx, l); err != nil {
		return err
	}
	if l.have == subscriber.Pending || !to.Worse(l.have) || !l.have.CanBecome(to) {
		return nil
	}
	if err := im.store.setState(ctx, tx, im.keys, l.id, to, importDetail); err != nil {
		return err
	}
	if l.have.Mailable() || l.have == subscriber.Paused {
		l.outcome = Lowered
	}
	l.have = to
	return nil
}

// importDetail is what is known of a suppression that comes from a list.
const importDetail = "imported list"

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
func (im *importer) markKnown(ctx context.Context, tx *conn, lines []*importLine) error {
	var missing []string
	for _, l := range lines {
		if l.outcome == "" {
			missing = append(missing, l.key)
		}
	}
	if len(missing) == 0 {
		return nil
	}
	type person struct {
		id    int64
		state subscriber.State
	}
	known := map[string]person{}
	err := tx.Each(ctx, "import.known", []any{jsonList(missing)}, func(rows *sql.Rows) error {
		var one person
		var key string
		err := rows.Scan(&one.id, &key, &one.state)
		known[key] = one
		return err
	})
	for _, l := range lines {
		if l.outcome != "" {
			continue
		}
		l.id, l.have, l.outcome = known[l.key].id, known[l.key].state, Repeated
		if l.id <= im.before {
			l.outcome = Present
		}
	}
	return err
}

// subscribe puts the people on their digests: in one statement for those who say
// nothing of their own, one by one for the others.
func (im *importer) subscribe(ctx context.Context, tx *conn, lines []*importLine) error {
	var plain []int64
	for _, l := range lines {
		if l.outcome != Added && !l.have.Mailable() && l.have != subscriber.Paused {
			continue // a list brings nobody back
		}
		gone := im.state(l).Gone() // brought along with what was known of them, to be kept from mail
		if len(l.row.Digests) == 0 && len(l.row.Topics) == 0 && len(l.row.TopicsOf) == 0 {
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
			if _, err := tx.Exec(ctx, "subscription.addNew", digest, l.id, topicsText(l.row.TopicsFor(digest)), millis(im.start)); err != nil {
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
func (im *importer) subscribeAll(ctx context.Context, tx *conn, digest string, ids []int64, lines []*importLine) error {
	first, last := slices.Min(ids), slices.Max(ids)
	added := func(l *importLine) bool { return l.outcome == Added }
	if tx.Engine == SQLite && last-first+1 == int64(len(ids)) && !slices.ContainsFunc(lines, func(l *importLine) bool { return !added(l) }) {
		_, err := tx.Exec(ctx, "subscription.addRange", digest, millis(im.start), first, last)
		return err
	}
	_, err := tx.Exec(ctx, "import.subscribe", digest, jsonList(ids), millis(im.start))
	return err
}

// suppress keeps those from mail whom the list says to have left or bounced.
func (im *importer) suppress(ctx context.Context, tx *conn, lines []*importLine) error {
	for _, l := range lines {
		if l.outcome != Added || !im.state(l).Gone() {
			continue
		}
		l.outcome = Recorded
		if err := im.suppressOne(ctx, tx, l); err != nil {
			return err
		}
	}
	return nil
}

func (im *importer) suppressOne(ctx context.Context, tx *conn, l *importLine) error {
	reason := reasonFor(im.state(l))
	if reason == "" {
		return nil
	}
	_, err := tx.Exec(ctx, "suppression.put", im.keys.SuppressionHash(l.row.Address), string(reason), importDetail, millis(im.start))
	return err
}
