// Package archive reads and writes the file format of backups: every table of a store, as
// lines of JSON in one gzip stream, which may be encrypted with age. Create writes a file, Check
// verifies one, and NewReader reads it row by row. docs/backup.md describes the format.
package archive

import (
	"errors"
	"fmt"
	"time"
)

// format is the version of the format that this package writes and reads.
const format = 1

// Header is the first line of an archive.
type Header struct {
	Tidings    string    `json:"tidings"` // "backup"
	Format     int       `json:"format"`
	Engine     string    `json:"engine"` // of the store that was backed up; any engine can restore it
	Taken      time.Time `json:"taken"`
	Migrations []string  `json:"migrations"` // of the store, such as 00001_articles
	Generation string    `json:"generation"` // of the store, in hex; empty if it had none
	Sealed     bool      `json:"sealed"`     // a seal follows the last line
}

// Table is the line that begins a table.
type Table struct {
	Name    string   `json:"table"`
	Columns []string `json:"columns"`
}

// end is the line that ends a table.
type end struct {
	Table string `json:"end"`
	Rows  int64  `json:"rows"`
	Last  int64  `json:"last,omitempty"` // the highest number its key ever had; 0 for tables without a numeric key
	Sum   string `json:"sum,omitempty"`  // of its rows, see Tally; empty in archives of earlier versions
}

// footer is the last line.
type footer struct {
	Tables int    `json:"tables"`
	Rows   int64  `json:"rows"`
	SHA256 string `json:"sha256"` // of all earlier lines
}

// maxLine bounds a line in bytes, and thereby the memory of a Reader.
const maxLine = 512 << 20

// ErrFormat is the kind of every error about the content of an archive, for errors.Is.
var ErrFormat = errors.New("not a whole backup")

func formatError(format string, args ...any) error {
	return fmt.Errorf("%w: %s", ErrFormat, fmt.Sprintf(format, args...))
}
