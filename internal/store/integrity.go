package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/tidings-press/tidings/internal/store/sqldb"
)

// Integrity checks a SQLite store piece by piece, table by table, from the file itself
// and not from pages that are in memory. Its zero value begins with the first table. It
// is for one goroutine.
type Integrity struct {
	left []string // tables that this round has not come to
}

// Check goes on for as long as the budget lasts, and begins anew after the last table.
// It returns a *Fault when something does not fit together. A table that takes longer
// than the budget alone is left out. On PostgreSQL it does nothing: its server checks
// the pages it reads.
func (i *Integrity) Check(ctx context.Context, s *Store, budget time.Duration) error {
	if s.files.path == "" {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, budget)
	defer cancel()
	db, err := sql.Open("sqlite", sqldb.SQLiteURI(s.files.path, sqldb.Options{}, true))
	if err != nil {
		return err
	}
	defer db.Close()
	db.SetMaxOpenConns(1)
	if len(i.left) == 0 {
		if err := i.begin(ctx, db); err != nil {
			return damaged(ctx, err)
		}
	}
	for len(i.left) > 0 && ctx.Err() == nil {
		table := i.left[0]
		i.left = i.left[1:]
		if err := checkTable(ctx, db, table); err != nil {
			return damaged(ctx, err)
		}
	}
	return nil
}

// begin lists the tables. To read the schema finds out whether the head of the file is
// whole.
func (i *Integrity) begin(ctx context.Context, db *sql.DB) error {
	rows, err := db.QueryContext(ctx, "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%' AND sql NOT LIKE 'CREATE VIRTUAL%' ORDER BY name")
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		var name string
		if err := rows.Scan(&name); err != nil {
			return err
		}
		i.left = append(i.left, name)
	}
	return rows.Err()
}

// errDamaged carries what SQLite found.
var errDamaged = errors.New("the check of the database found")

func checkTable(ctx context.Context, db *sql.DB, table string) error {
	var found string
	query := "PRAGMA quick_check('" + strings.ReplaceAll(table, "'", "''") + "')"
	if err := db.QueryRowContext(ctx, query).Scan(&found); err != nil {
		return err
	}
	if found != "ok" {
		return fmt.Errorf("%w in %s: %s", errDamaged, table, found)
	}
	return nil
}

// damaged makes a fault of what a check found. An error that is not about the database,
// such as the end of the budget, says nothing.
func damaged(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return nil
	}
	if kind := FaultOf(err); errors.Is(err, errDamaged) || kind == FaultDamaged {
		return &Fault{Kind: FaultDamaged, Err: err, At: time.Now()}
	} else if kind != "" {
		return &Fault{Kind: kind, Err: err, At: time.Now()}
	}
	return nil
}
