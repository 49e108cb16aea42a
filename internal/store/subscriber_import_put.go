package store

import (
	"cmp"
	"context"
	"database/sql"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/tidings-press/tidings/internal/store/sqldb"
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
	if err := im.label(ctx, tx, open); err != nil {
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
			err = im.suppressOne(ctx, tx, &lines[i]) // a complaint outweighs the known reason
		}
	}
	return err
}

// markErased suppresses the addresses that the list marks as erased, and stores nothing
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

// lower gives an existing subscriber the state of a list that marks them as gone. A
// pending subscriber has asked for mail since, and decides with the confirmation.
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

// importDetail is the detail of a suppression from a list.
const importDetail = "imported list"

// state returns the state that a line asks for.
func (im *importer) state(l *importLine) subscriber.State {
	if l.row.State != "" {
		return l.row.State
	}
	return im.opts.State
}

// consent returns the consent of a line, or else that of the import.
func (im *importer) consent(l *importLine) (text string, at time.Time) {
	text, at = l.row.Consent.Text, l.row.Consent.At
	if text == "" {
		text = im.opts.Consent.Text
	}
	if at.IsZero() {
		at = im.opts.Consent.At
	}
	return text, at
}

// markKnown finds the lines of addresses that exist: from before the import, or from an
// earlier line.
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

// subscribe adds subscriptions: in one statement for lines without digests or topics of
// their own, one by one for the others.
func (im *importer) subscribe(ctx context.Context, tx *conn, lines []*importLine) error {
	var plain []int64
	for _, l := range lines {
		if l.outcome != Added && !l.have.Mailable() && l.have != subscriber.Paused {
			continue // a list never resumes mail
		}
		gone := im.state(l).Gone() // stored so that they are not mailed
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
			n, err := tx.Exec(ctx, "subscription.addNew", digest, l.id, topicsText(l.row.TopicsFor(digest)), millis(im.start))
			if err != nil {
				return err
			}
			l.updated = l.updated || n > 0
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

// subscribeAll subscribes many to a digest. When all are new and have consecutive numbers
// on SQLite, a range names them, which saves a fifth of the import.
func (im *importer) subscribeAll(ctx context.Context, tx *conn, digest string, ids []int64, lines []*importLine) error {
	if err := im.markSubscribed(ctx, tx, digest, lines); err != nil {
		return err
	}
	first, last := slices.Min(ids), slices.Max(ids)
	added := func(l *importLine) bool { return l.outcome == Added }
	if tx.Engine == SQLite && last-first+1 == int64(len(ids)) && !slices.ContainsFunc(lines, func(l *importLine) bool { return !added(l) }) {
		_, err := tx.Exec(ctx, "subscription.addRange", digest, millis(im.start), first, last)
		return err
	}
	_, err := tx.Exec(ctx, "import.subscribe", digest, jsonList(ids), millis(im.start))
	return err
}

// suppress suppresses new addresses that the list marks as gone.
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

// rowsAtOnce is how many rows one INSERT on SQLite has. Its parameters are bounded
// at 32,766; longer statements were not faster.
const rowsAtOnce = 250

// sqliteInsert returns the INSERT of n subscribers. Positional parameters are bound in
// one pass.
func sqliteInsert(n int) string {
	columns := queries().Columns("subscriber", "")
	row := "(randomblob(16),?,?" + strings.Repeat(",?", strings.Count(columns, ",")+1) + ")"
	return "INSERT INTO subscribers (uid, id, address_key, " + columns + ") VALUES " +
		strings.Repeat(row+",", n-1) + row + " ON CONFLICT (address_key) DO NOTHING"
}

// enlargeCache gives the writer more cache during an import and lets its log grow, so that
// pages of the index are written once for many batches. It returns a function that
// restores the settings.
func (im *importer) enlargeCache(ctx context.Context) (restore func()) {
	set := func(kilobytes, pages int) {
		// These settings affect only the speed; a broken connection shows in the import itself.
		_, _ = im.store.DB().ExecContext(ctx, fmt.Sprintf("PRAGMA cache_size = -%d", kilobytes))
		_, _ = im.store.DB().ExecContext(ctx, fmt.Sprintf("PRAGMA wal_autocheckpoint = %d", pages))
	}
	set(48_000, 16_000)
	ctx = context.WithoutCancel(ctx)
	return func() { set(sqldb.CacheKB, 1000) }
}

// insertSQLite assigns the numbers itself, since there is one writer: the new rows are
// those whose number exists afterwards.
func (im *importer) insertSQLite(ctx context.Context, tx *conn, lines []*importLine) error {
	var last int64
	if _, err := tx.One(ctx, "import.lastID", nil, &last); err != nil {
		return err
	}
	stmt, err := tx.PrepareContext(ctx, sqliteInsert(rowsAtOnce)) // a third of the time when done for each stretch
	if err != nil {
		return err
	}
	defer stmt.Close()
	slices.SortStableFunc(lines, func(a, b *importLine) int { return strings.Compare(a.key, b.key) }) // neighbours share pages of the index
	for len(lines) > 0 {
		some := lines[:min(rowsAtOnce, len(lines))]
		lines = lines[len(some):]
		if len(some) < rowsAtOnce {
			if stmt, err = tx.PrepareContext(ctx, sqliteInsert(len(some))); err != nil {
				return err
			}
			defer stmt.Close()
		}
		if err := im.insertSome(ctx, tx, stmt, some, last); err != nil {
			return err
		}
		last += int64(len(some))
	}
	return nil
}

func (im *importer) insertSome(ctx context.Context, tx *conn, stmt *sql.Stmt, lines []*importLine, last int64) error {
	var args []any
	for i, l := range lines {
		args = append(args, last+int64(i)+1, l.key)
		args = append(args, im.values(l)...)
		if i == 0 {
			args = slices.Grow(args, (len(lines)-1)*len(args))
		}
	}
	result, err := stmt.ExecContext(ctx, sqldb.CleanArgs(args)...)
	if err != nil {
		return err
	}
	n, err := result.RowsAffected()
	if err != nil {
		return err
	}
	if n == int64(len(lines)) {
		for i, l := range lines {
			l.id, l.outcome = last+int64(i)+1, Added
		}
		return nil
	}
	return tx.Each(ctx, "import.inserted", []any{last + 1, last + int64(len(lines))}, func(rows *sql.Rows) error {
		var id int64
		err := rows.Scan(&id)
		if err == nil {
			lines[id-last-1].id, lines[id-last-1].outcome = id, Added
		}
		return err
	})
}

// insertPostgres sends the rows as one array per column: as fast as COPY into a
// separate table and a merge from there, in one round trip.
func (im *importer) insertPostgres(ctx context.Context, tx *conn, lines []*importLine) error {
	keys := make([]string, len(lines))
	values := make([][]any, len(lines))
	first := make(map[string]*importLine, len(lines))
	for i, l := range lines {
		keys[i], values[i] = l.key, im.values(l)
		if first[l.key] == nil {
			first[l.key] = l
		}
	}
	args := append([]any{keys}, columnArrays(len(values), func(i int) []any { return values[i] })...)
	return tx.Each(ctx, "import.insert", args, func(rows *sql.Rows) error {
		var id int64
		var key string
		err := rows.Scan(&id, &key)
		if l := first[key]; err == nil && l != nil {
			l.id, l.outcome = id, Added
		}
		return err
	})
}

// values returns the values of columns(subscriber) for a line.
func (im *importer) values(l *importLine) []any {
	text, at := im.consent(l)
	return subscriberValues(&subscriber.Subscriber{
		Address: l.row.Address, Name: l.row.Name, State: im.state(l), Language: l.row.Language, MailLanguage: cmp.Or(l.row.MailLanguage, l.row.Language, im.opts.MailLanguage), Timezone: l.row.Timezone,
		Consent: subscriber.Consent{Source: im.opts.Consent.Source, Text: text, IP: im.opts.Consent.IP, At: at},
		Created: im.start, Changed: im.start, Labels: withLabels(l.row.Labels, im.opts.Labels),
	})
}
