package store

import (
	"context"
	"database/sql"
	"fmt"
	"math"
	"strings"
	"sync/atomic"
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

// AuditCommandLine replaces the person in entries of the command line.
const AuditCommandLine = "command line"

// AuditKept is how long every entry is kept at least. The database itself refuses to remove younger ones.
const AuditKept = 365 * 24 * time.Hour

// maxAuditText bounds each text of an entry, in letters.
const maxAuditText = 500

// AddAudit appends an entry to the audit log, at the present time. Its texts are shortened to 500
// letters each. For an entry about a change of the store, use WithAudit.
func (s *Store) AddAudit(ctx context.Context, e AuditEntry) error {
	return s.write(ctx, func(tx *conn) error { return s.addAudit(ctx, tx, e) })
}

func (s *Store) addAudit(ctx context.Context, tx *conn, e AuditEntry) error {
	e.At = s.Now()
	for _, text := range []*string{&e.Who, &e.Action, &e.Kind, &e.Object, &e.Detail, &e.Request, &e.Network} {
		*text = plaintext.Shorten(article.CleanLine(*text), maxAuditText)
	}
	_, err := tx.Exec(ctx, "audit.add", auditValues(&e)...)
	return err
}

// PendingAudit is an entry that a change adds to the audit log.
type PendingAudit struct {
	entry AuditEntry
	noted []AuditEntry // in place of entry: what the transaction that runs now found out
	added atomic.Bool
}

type auditKey struct{}

// WithAudit returns a context for a change of the store. The first transaction that writes with it
// adds the entry, so that neither the change nor the entry exists without the other.
func WithAudit(ctx context.Context, e AuditEntry) (context.Context, *PendingAudit) {
	pending := &PendingAudit{entry: e}
	return context.WithValue(ctx, auditKey{}, pending), pending
}

// WithoutAudit returns a context for a write that is not the change of WithAudit.
func WithoutAudit(ctx context.Context) context.Context {
	return context.WithValue(ctx, auditKey{}, (*PendingAudit)(nil))
}

// Added reports whether a transaction has added the entry.
func (p *PendingAudit) Added() bool { return p.added.Load() }

// Entry returns the entry as it was passed to WithAudit.
func (p *PendingAudit) Entry() AuditEntry { return p.entry }

// noteAudit completes the entry of the running transaction with what is known only now, such as the
// id of a new object. Each call makes a new entry.
func noteAudit(ctx context.Context, complete func(*AuditEntry)) {
	if pending, _ := ctx.Value(auditKey{}).(*PendingAudit); pending != nil && !pending.Added() {
		e := pending.entry
		complete(&e)
		pending.noted = append(pending.noted, e)
	}
}

// noteAuditCount completes the entry of the running transaction with the number of objects that it
// changed, such as "3 mails". If there are none, no entry is added.
func noteAuditCount(ctx context.Context, n int64, what string) {
	if n > 0 {
		noteAudit(ctx, func(e *AuditEntry) { e.Detail = strings.TrimSpace(fmt.Sprintf("%d %s %s", n, what, e.Detail)) })
	} else if pending, _ := ctx.Value(auditKey{}).(*PendingAudit); pending != nil {
		pending.noted = []AuditEntry{}
	}
}

// noteAuditObject completes the entry of the running transaction with the id of the object that it
// stored.
func noteAuditObject(ctx context.Context, id string) {
	noteAudit(ctx, func(e *AuditEntry) { e.Object = id })
}

// audited returns fn with the entry of the context, if there is one that no transaction has added.
func (s *Store) audited(ctx context.Context, fn func(tx *conn) error) (withEntry func(tx *conn) error, added func()) {
	pending, _ := ctx.Value(auditKey{}).(*PendingAudit)
	if pending == nil || pending.Added() {
		return fn, func() {}
	}
	return func(tx *conn) error {
		pending.noted = nil
		if err := fn(tx); err != nil {
			return err
		}
		entries := pending.noted
		if entries == nil {
			entries = []AuditEntry{pending.entry}
		}
		for _, e := range entries {
			if err := s.addAudit(ctx, tx, e); err != nil {
				return err
			}
		}
		return nil
	}, func() { pending.added.Store(true) }
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
