package store

import (
	"context"
	"database/sql"
	"math"
	"time"

	"github.com/tidings-press/tidings/internal/article"
	"github.com/tidings-press/tidings/internal/plaintext"
)

// AuditEntry is an entry of the audit log: who did what, and when. It names subscribers by their
// numbers, never by their addresses, since it outlives their erasure.
type AuditEntry struct {
	ID      int64
	At      time.Time
	Editor  int64  // number of the editor; 0 for the command line
	Who     string // address of the editor at that time, or AuditCommandLine
	Action  string // a keyword, such as "edition.approve"
	Kind    string // of the object, such as "edition"; empty if there is none
	Object  string // its id
	Detail  string
	Request string // id of the request, as in the log of the server
	Network string // of the client; empty for the command line
}

// AuditCommandLine stands for the person in entries of the command line.
const AuditCommandLine = "command line"

// AuditKept is how long every entry is kept at least. The database itself refuses to remove younger ones.
const AuditKept = 365 * 24 * time.Hour

// maxAuditText bounds each text of an entry, in letters.
const maxAuditText = 500

// AddAudit appends an entry to the audit log, at the present time. Its texts are shortened to 500
// letters each.
func (s *Store) AddAudit(ctx context.Context, e AuditEntry) error {
	e.At = s.Now()
	for _, text := range []*string{&e.Who, &e.Action, &e.Kind, &e.Object, &e.Detail, &e.Request, &e.Network} {
		*text = plaintext.Shorten(article.CleanLine(*text), maxAuditText)
	}
	return s.write(ctx, func(tx *conn) error {
		_, err := tx.Exec(ctx, "audit.add", auditValues(&e)...)
		return err
	})
}

// AuditFilter selects entries of the audit log. Empty fields select all.
type AuditFilter struct {
	Who, Action, Kind, Object string
	From, To                  time.Time // To is excluded
	Older                     AuditCursor
	Limit                     int
}

// AuditCursor is the place of an entry in the log. The zero value is the place before the newest one.
type AuditCursor struct{ At, ID int64 }

// Cursor returns the place of an entry, from which the next page continues.
func (e AuditEntry) Cursor() AuditCursor { return AuditCursor{millis(e.At), e.ID} }

// AuditLog returns entries of the audit log, the newest first.
func (s *Store) AuditLog(ctx context.Context, f AuditFilter) ([]AuditEntry, error) {
	to, older := int64(math.MaxInt64), f.Older
	if !f.To.IsZero() {
		to = millis(f.To)
	}
	if older == (AuditCursor{}) {
		older = AuditCursor{math.MaxInt64, math.MaxInt64}
	}
	query := "audit.all"
	switch {
	case f.Kind != "" && f.Object != "":
		query = "audit.object"
	case f.Who != "":
		query = "audit.who"
	case f.Action != "":
		query = "audit.action"
	}
	var out []AuditEntry
	args := []any{millis(f.From), to, older.At, older.ID, f.Who, f.Action, f.Kind, f.Object, f.Limit}
	err := s.readers.Each(ctx, query, args, func(rows *sql.Rows) error {
		var e AuditEntry
		var at int64
		err := rows.Scan(&e.ID, &at, &e.Editor, &e.Who, &e.Action, &e.Kind, &e.Object, &e.Detail, &e.Request, &e.Network)
		e.At = timeOf(at)
		out = append(out, e)
		return err
	})
	return out, err
}

// auditValues returns the values of columns(audit).
func auditValues(e *AuditEntry) []any {
	return []any{millis(e.At), e.Editor, e.Who, e.Action, e.Kind, e.Object, e.Detail, e.Request, e.Network}
}
