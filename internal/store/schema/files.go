package schema

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/tidings-press/tidings/internal/store/sqldb"
)

// folders are several folders of files as one.
type folders []fs.FS

// Open opens the file of the first folder that has it.
func (f folders) Open(name string) (fs.File, error) {
	for _, folder := range f {
		if file, err := folder.Open(name); err == nil || !errors.Is(err, fs.ErrNotExist) {
			return file, err
		}
	}
	return nil, &fs.PathError{Op: "open", Path: name, Err: fs.ErrNotExist}
}

// ReadDir lists the files of all folders.
func (f folders) ReadDir(name string) ([]fs.DirEntry, error) {
	var out []fs.DirEntry
	for _, folder := range f {
		entries, err := fs.ReadDir(folder, name)
		if err != nil {
			return nil, err
		}
		out = append(out, entries...)
	}
	slices.SortFunc(out, func(a, b fs.DirEntry) int { return strings.Compare(a.Name(), b.Name()) })
	return out, nil
}

// migrations are the files of an engine and those that are the same for both.
func migrations(engine sqldb.Engine) (fs.FS, error) {
	own, err1 := fs.Sub(files, "migrations/"+string(engine))
	both, err2 := fs.Sub(files, "migrations/both")
	return folders{own, both}, errors.Join(err1, err2)
}

// Applied returns the names of the migrations that a store has; one that this program
// does not know is named by its number.
func Applied(ctx context.Context, engine sqldb.Engine, db *sql.DB, from Queryer) ([]string, error) {
	provider, err := newProvider(engine, db)
	if err != nil {
		return nil, err
	}
	have, err := appliedMigrations(ctx, engine, from)
	if err != nil {
		return nil, err
	}
	names := []string{}
	for _, source := range provider.ListSources() {
		if have[source.Version] {
			names = append(names, migrationName(source))
		}
		delete(have, source.Version)
	}
	for version := range have {
		names = append(names, fmt.Sprintf("%05d", version))
	}
	slices.Sort(names)
	return names, nil
}

// ErrName reports a name that no migration can have.
var ErrName = errors.New("not the name of a migration")

// Apply applies exactly the named migrations to an empty database. Only the number
// that a name begins with counts, since a release may rename a migration. Errors are
// *NewerError and ErrName.
func Apply(ctx context.Context, engine sqldb.Engine, db *sql.DB, names []string) error {
	provider, err := newProvider(engine, db)
	if err != nil {
		return err
	}
	known, newest := map[int64]bool{}, ""
	for _, source := range provider.ListSources() {
		known[source.Version], newest = true, migrationName(source)
	}
	var wanted, unknown []int64
	for _, name := range names {
		number, _, _ := strings.Cut(name, "_")
		version, err := strconv.ParseInt(number, 10, 64)
		if err != nil {
			return fmt.Errorf("%q: %w", name, ErrName)
		}
		if wanted = append(wanted, version); !known[version] {
			unknown = append(unknown, version)
		}
	}
	if len(unknown) > 0 {
		return &NewerError{Unknown: unknown, Newest: newest}
	}
	for _, version := range wanted {
		if _, err := provider.ApplyVersion(ctx, version, true); err != nil {
			return err
		}
	}
	return nil
}

var createStatement = regexp.MustCompile(`(?m)^(?:CREATE (?:OR REPLACE )?(TABLE|FUNCTION) (?:IF NOT EXISTS )?|ALTER (TABLE) \w+ RENAME TO )(\w+)`)

// PostgresObjects returns the names of all tables and functions that the migrations
// create on PostgreSQL, by kind.
func PostgresObjects() (map[string][]string, error) {
	out := map[string][]string{"TABLE": {"goose_db_version", Unfinished}}
	folder, err := migrations(sqldb.Postgres)
	if err != nil {
		return nil, err
	}
	names, err := fs.Glob(folder, "*.sql")
	if err != nil {
		return nil, err
	}
	for _, name := range names {
		text, err := fs.ReadFile(folder, name)
		if err != nil {
			return nil, err
		}
		for _, found := range createStatement.FindAllStringSubmatch(string(text), -1) {
			kind, object := found[1]+found[2], found[3]
			if !slices.Contains(out[kind], object) {
				out[kind] = append(out[kind], object)
			}
		}
	}
	return out, nil
}
