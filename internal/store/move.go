package store

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/tidings-press/tidings/internal/archive"
	"github.com/tidings-press/tidings/internal/store/schema"
	"github.com/tidings-press/tidings/internal/store/sqldb"
)

// Moved is the reason of the quarantine of a store whose content was moved to another store. It
// is never released: two stores would send the same mails.
const Moved QuarantineReason = "moved"

// MovedError reports that a store cannot be opened because its content was moved.
type MovedError struct {
	Store string
	At    time.Time
}

// Error names the store and what to use instead.
func (e *MovedError) Error() string {
	return fmt.Sprintf("store %s: its content was moved to another store at %s; set store.dsn to that one. If the move did not succeed and nothing was sent from there: tidings migrate-store --undo",
		e.Store, e.At.Format(time.RFC3339))
}

// checkNotMoved returns a *MovedError if the content of the store was moved.
func (s *Store) checkNotMoved(ctx context.Context, dsn string) error {
	q, err := s.Quarantine(ctx)
	if err == nil && q != nil && q.Reason == Moved {
		err = &MovedError{Redact(dsn), q.Since}
	}
	return err
}

// Move copies the whole content of a store into an empty one of either engine and compares all
// rows. Queued mails, leases and one-time links continue there. The former store keeps its content
// and is marked as moved before it is read: no process can open it, and none sends from it. If the
// copy fails, the mark is removed. An entry of WithAudit is added to the new store. Errors are
// *OpenError and *MovedError.
func Move(ctx context.Context, from, to string, opts Options) (summary archive.Summary, err error) {
	opts.Journal, opts.name = "", sqldb.SessionName+" move"
	target, err := connect(ctx, to, opts)
	if err != nil {
		return summary, err
	}
	defer func() { err = errors.Join(err, target.Close()) }()
	empty, err := schema.IsEmpty(ctx, target.engine, target.DB())
	if err != nil {
		return summary, err
	}
	if !empty {
		return summary, fmt.Errorf("store %s: it is not empty; move into a new one", Redact(to))
	}
	if err := checkUnused(ctx, from, opts); err != nil {
		return summary, err
	}
	if err := markMoved(WithoutAudit(ctx), from, opts); err != nil {
		return summary, err
	}
	// A process may have opened the store before the mark.
	if err = checkUnused(ctx, from, opts); err == nil {
		summary, err = copyStore(ctx, from, target, opts)
	}
	if err != nil {
		err = errors.Join(fmt.Errorf("move %s to %s: %w", Redact(from), Redact(to), err), UndoMove(WithoutAudit(context.WithoutCancel(ctx)), from, opts))
	}
	return summary, err
}

// checkUnused returns an *OpenError if another process uses the store.
func checkUnused(ctx context.Context, dsn string, opts Options) error {
	engine, address, err := sqldb.ParseDSN(dsn)
	if err != nil {
		return err
	}
	if engine == SQLite {
		return checkReplaceable(ctx, address, RestoreOptions{Options: opts, Replace: true})
	}
	s, err := connect(ctx, dsn, opts)
	if err != nil {
		return err
	}
	return errors.Join(checkNoOtherProcess(ctx, s.DB(), dsn), s.Close())
}

// markMoved marks a store as moved.
func markMoved(ctx context.Context, dsn string, opts Options) error {
	s, err := connectExisting(ctx, dsn, opts)
	if err != nil {
		return err
	}
	defer s.Close()
	if empty, err := schema.IsEmpty(ctx, s.engine, s.DB()); err != nil || empty {
		return errors.Join(err, fmt.Errorf("store %s: there is nothing to move; name the store with --from or store.dsn", Redact(dsn)))
	}
	if err := schema.Ensure(ctx, s.engine, s.DB()); err != nil {
		return describeSchema(dsn, err)
	}
	return s.write(ctx, func(tx *conn) error {
		q, err := s.quarantine(ctx, tx)
		switch {
		case err != nil:
			return err
		case q != nil && q.Reason == Moved:
			return &MovedError{Redact(dsn), q.Since}
		case q != nil:
			return fmt.Errorf("store %s: it is quarantined; release it first (tidings quarantine show)", Redact(dsn))
		}
		now := millis(s.Now())
		_, err = tx.Exec(ctx, "quarantine.begin", string(Moved), now, now, 0)
		return err
	})
}

// UndoMove removes the mark of a store that was moved, and adds the entry of WithAudit there.
func UndoMove(ctx context.Context, dsn string, opts Options) error {
	s, err := connectExisting(ctx, dsn, opts)
	if err != nil {
		return err
	}
	defer s.Close()
	return s.write(ctx, func(tx *conn) error {
		q, err := s.quarantine(ctx, tx)
		if err != nil {
			return err
		}
		if q == nil || q.Reason != Moved {
			return fmt.Errorf("store %s: it was not moved", Redact(dsn))
		}
		_, err = tx.Exec(ctx, "quarantine.end")
		return err
	})
}

// copyStore copies all rows of a marked store into an empty one.
func copyStore(ctx context.Context, from string, target *Store, opts Options) (summary archive.Summary, err error) {
	source, err := connect(ctx, from, opts)
	if err != nil {
		return summary, err
	}
	defer func() { err = errors.Join(err, source.Close()) }()
	tx, err := source.snapshot(ctx)
	if err != nil {
		return summary, err
	}
	defer tx.Rollback() //nolint:errcheck // it only read
	reader, writer := io.Pipe()
	written := make(chan struct{})
	go func() {
		defer close(written)
		_ = writer.CloseWithError(source.writeArchive(ctx, tx, writer))
	}()
	rows, err := archive.NewReader(reader)
	if err == nil {
		err = target.fill(ctx, rows)
	}
	_ = reader.CloseWithError(err)
	<-written
	if err != nil {
		return summary, err
	}
	summary.Header, summary.Rows = rows.Header, rows.Total()
	if err := target.write(ctx, func(tx *conn) error {
		_, err := tx.Exec(ctx, "quarantine.end") // the copy includes the quarantine
		return err
	}); err != nil {
		return summary, err
	}
	return summary, target.finishFilling(ctx)
}
