package store

import (
	"context"
	"database/sql"
	"fmt"
	"slices"
	"strings"

	"github.com/tidings-press/tidings/internal/store/sqldb"
)

// rowsAtOnce is how many rows one INSERT on SQLite has. Its parameters are bounded
// at 32,766; longer statements were not faster.
const rowsAtOnce = 250

// importColumns are the parameters of one row.
const importColumns = 14

// sqliteInsert is the INSERT of n rows. Positional parameters are bound in one pass.
func sqliteInsert(n int) string {
	row := "(" + strings.Repeat("?,", importColumns) + "0,0,randomblob(16))"
	return `INSERT INTO subscribers (id, address_key, address, name, state, language, timezone, consent_text, consent_at,
		consent_source, consent_ip, created, changed, labels, soft, soft_from, uid) VALUES ` +
		strings.Repeat(row+",", n-1) + row + " ON CONFLICT (address_key) DO NOTHING"
}

// makeRoom gives the writer more cache while a list comes in, and lets its log grow:
// the pages of the index are then written once for many batches. It returns what
// puts things back.
func (im *importer) makeRoom(ctx context.Context) (restore func()) {
	set := func(kilobytes, pages int) {
		// Only speed is at stake: what fails here shows in the import itself.
		_, _ = im.store.DB().ExecContext(ctx, fmt.Sprintf("PRAGMA cache_size = -%d", kilobytes))
		_, _ = im.store.DB().ExecContext(ctx, fmt.Sprintf("PRAGMA wal_autocheckpoint = %d", pages))
	}
	set(48_000, 16_000)
	ctx = context.WithoutCancel(ctx)
	return func() { set(sqldb.CacheKB, 1000) }
}

// insertSQLite gives out the numbers itself, since there is one writer: the rows
// that were new are those whose number is there afterwards.
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
	args := make([]any, 0, len(lines)*importColumns)
	now := millis(im.start)
	for i, l := range lines {
		text, at := im.consent(l)
		args = append(args, last+int64(i)+1, l.key, l.row.Address.ASCII(), l.row.Name, string(im.state(l)), l.row.Language,
			l.row.Timezone, text, at, im.opts.Consent.Source, im.opts.Consent.IP, now, now, labelsText(l.row.Labels))
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
// table of its own and a merge from there, in one round trip.
func (im *importer) insertPostgres(ctx context.Context, tx *conn, lines []*importLine) error {
	n := len(lines)
	texts := make([][]string, 8)
	for i := range texts {
		texts[i] = make([]string, n)
	}
	consented := make([]int64, n)
	first := make(map[string]*importLine, n)
	for i, l := range lines {
		text, at := im.consent(l)
		consented[i] = at
		for column, value := range []string{l.key, l.row.Address.ASCII(), l.row.Name, string(im.state(l)), l.row.Language, l.row.Timezone, text, labelsText(l.row.Labels)} {
			texts[column][i] = value
		}
		if first[l.key] == nil {
			first[l.key] = l
		}
	}
	args := []any{texts[0], texts[1], texts[2], texts[3], texts[4], texts[5], texts[6], consented,
		im.opts.Consent.Source, im.opts.Consent.IP, millis(im.start), texts[7]}
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
