package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/google/uuid"

	"github.com/tidings-press/tidings/internal/store/sqldb"
	"github.com/tidings-press/tidings/internal/words"
)

// UploadState is the state of a list that an editor uploaded.
type UploadState string

// The states of uploaded lists.
const (
	UploadIncomplete UploadState = "uploading" // its file is being stored
	UploadStored     UploadState = "uploaded"  // the editor has to choose the meanings of its columns
	UploadChecking   UploadState = "checking"  // a dry run is due or in progress
	UploadChecked    UploadState = "checked"
	UploadImporting  UploadState = "importing" // the import is due or in progress
	UploadImported   UploadState = "imported"
	UploadFailed     UploadState = "failed"
	UploadRemoved    UploadState = "removed" // its file was removed before the import
)

// Running reports whether a dry run or an import is due or in progress.
func (s UploadState) Running() bool { return s == UploadChecking || s == UploadImporting }

// UploadedList is a list of subscribers that an editor uploaded. Its file is removed after the import,
// or when it expires; its report stays.
type UploadedList struct {
	ID       string
	Name     string // of the file
	Bytes    int64
	State    UploadState
	Revision int64  // of Settings
	Settings []byte // how it is imported, in JSON
	Report   ImportReport
	Lines    int64     // of the file, as the dry run counted them
	Before   int64     // highest number of a subscriber before the import
	Started  time.Time // the last run
	Problem  string    // why it failed
	Editor   string    // address of the editor who uploaded or imported it
	Created  time.Time
	Ended    time.Time // the last run; zero before
	Expires  time.Time // when the file or the refused lines are removed; zero if nothing of them is left
}

// Bounds of uploaded lists.
const (
	MaxUploadBytes     = 64 << 20
	MaxUploads         = 20 // with a file
	maxRefusals        = 10_000
	maxRefusalText     = 500 // letters
	uploadPart         = 256 << 10
	uploadPartsAtATime = 8
)

// How long the file of a list is kept that is not imported, and the refused lines of one that was.
const (
	UploadKept   = 24 * time.Hour
	RefusalsKept = 30 * 24 * time.Hour
)

// ErrUploadRead reports that a file could not be read from the database. It can be read later.
var ErrUploadRead = errors.New("the file of the list could not be read")

// UploadJob is the kind of the jobs that check and import uploaded lists. The key is the list's id.
const UploadJob = "subscriber-list"

// ErrUploadChanged reports that a list is in another state, or has other settings, than the editor saw.
var ErrUploadChanged = errors.New("the list was changed since the page was shown")

// AddUpload stores a file. settings are read after the whole file was. Errors of the reader are
// returned as they are; an *InputError reports a file that is too large, or too many files.
func (s *Store) AddUpload(ctx context.Context, name, editor string, file io.Reader, settings func() []byte) (UploadedList, error) {
	now := s.Now()
	list := UploadedList{
		ID: uuid.NewString(), Name: name, State: UploadIncomplete, Revision: 1, Settings: []byte("{}"), Editor: editor,
		Created: now, Expires: now.Add(time.Hour),
	}
	err := s.write(ctx, func(tx *conn) error {
		var files int64
		if _, err := tx.One(ctx, "upload.countFiles", []any{MaxUploads}, &files); err != nil {
			return err
		}
		if files >= MaxUploads {
			return InvalidInput(words.T("{0} lists wait to be imported; import or remove one of them first", MaxUploads))
		}
		_, err := tx.Exec(ctx, "upload.insert", append([]any{list.ID}, uploadValues(&list)...)...)
		return err
	})
	if err != nil {
		return list, err
	}
	if list.Bytes, err = s.storeParts(ctx, list.ID, file); err == nil {
		list.Settings, list.State, list.Expires = settings(), UploadStored, now.Add(UploadKept)
		err = s.write(ctx, func(tx *conn) error {
			_, err := tx.Exec(ctx, "upload.complete", list.ID, list.Bytes, string(list.Settings), millis(list.Expires))
			return err
		})
	}
	if err != nil {
		err = errors.Join(err, s.RemoveUpload(context.WithoutCancel(ctx), list.ID))
	}
	return list, err
}

// storeParts stores a file and returns its size.
func (s *Store) storeParts(ctx context.Context, list string, file io.Reader) (size int64, err error) {
	for part := int64(0); ; part++ {
		data := make([]byte, uploadPart)
		n, err := io.ReadFull(file, data)
		ended := errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF)
		if err != nil && !ended {
			return size, err
		}
		if size += int64(n); size > MaxUploadBytes {
			return size, InvalidInput(words.T("the file is larger than {0} MB; cut the list into several files", MaxUploadBytes>>20))
		}
		if n > 0 {
			err := s.write(ctx, func(tx *conn) error {
				_, err := tx.Exec(ctx, "upload.addPart", list, part, data[:n])
				return err
			})
			if err != nil {
				return size, err
			}
		}
		if ended {
			return size, nil
		}
	}
}

// uploadFile reads the parts of a file.
type uploadFile struct {
	ctx   context.Context
	store *Store
	list  string
	part  int64
	rest  []byte
}

// UploadFile returns the file of a list. A file that was removed is empty.
func (s *Store) UploadFile(ctx context.Context, list string) io.Reader {
	return &uploadFile{ctx: ctx, store: s, list: list}
}

// Read implements io.Reader.
func (f *uploadFile) Read(p []byte) (int, error) {
	if len(f.rest) == 0 {
		found, err := f.store.readers.One(f.ctx, "upload.part", []any{f.list, f.part}, &f.rest)
		if err != nil {
			return 0, fmt.Errorf("%w: %w", ErrUploadRead, err)
		}
		if !found {
			return 0, io.EOF
		}
		f.part++
	}
	n := copy(p, f.rest)
	f.rest = f.rest[n:]
	return n, nil
}

// Upload returns an uploaded list, or ErrNotFound.
func (s *Store) Upload(ctx context.Context, id string) (UploadedList, error) {
	found, err := s.readers.uploads(ctx, "upload.get", id)
	if err == nil && len(found) == 0 {
		err = notFound("list", id)
	}
	if err != nil {
		return UploadedList{}, err
	}
	return found[0], nil
}

// Uploads returns the newest uploaded lists.
func (s *Store) Uploads(ctx context.Context, limit int) ([]UploadedList, error) {
	return s.readers.uploads(ctx, "upload.recent", limit)
}

func (c *conn) uploads(ctx context.Context, query string, args ...any) ([]UploadedList, error) {
	var out []UploadedList
	err := c.Each(ctx, query, args, func(rows *sql.Rows) error {
		var l UploadedList
		var settings, report string
		var started, created, ended, expires int64
		err := rows.Scan(&l.ID, &l.Name, &l.Bytes, &l.State, &l.Revision, &settings, &report, &l.Lines, &l.Before, &started, &l.Problem, &l.Editor, &created, &ended, &expires)
		if err != nil {
			return err
		}
		l.Settings, l.Started, l.Created, l.Ended, l.Expires = []byte(settings), timeOf(started), timeOf(created), timeOf(ended), timeOf(expires)
		if report != "" {
			if err := json.Unmarshal([]byte(report), &l.Report); err != nil {
				return fmt.Errorf("report of list %s: %w", l.ID, err)
			}
		}
		out = append(out, l)
		return nil
	})
	return out, err
}

// uploadValues returns the values of columns(upload).
func uploadValues(l *UploadedList) []any {
	return []any{l.Name, l.Bytes, string(l.State), l.Revision, string(l.Settings), "{}", l.Lines, l.Before, millis(l.Started), l.Problem, l.Editor,
		millis(l.Created), millis(l.Ended), millis(l.Expires)}
}

// CheckUpload queues a dry run of a list with new settings. ErrUploadChanged reports that the list has
// not the revision that the editor saw.
func (s *Store) CheckUpload(ctx context.Context, id string, revision int64, settings []byte) error {
	return s.write(ctx, func(tx *conn) error {
		now := s.Now()
		n, err := tx.Exec(ctx, "upload.check", id, revision, string(settings), millis(now), millis(now.Add(UploadKept)))
		return s.enqueueUpload(ctx, tx, id, n, err)
	})
}

// StartUpload queues the import of a list that was checked. Of two editors who start it, the second
// gets ErrUploadChanged.
func (s *Store) StartUpload(ctx context.Context, id string, revision int64, editor string) error {
	return s.write(ctx, func(tx *conn) error {
		var last int64
		if _, err := tx.One(ctx, "subscriber.lastID", nil, &last); err != nil {
			return err
		}
		now := s.Now()
		n, err := tx.Exec(ctx, "upload.start", id, revision, last, millis(now), editor, millis(now.Add(UploadKept)))
		return s.enqueueUpload(ctx, tx, id, n, err)
	})
}

// enqueueUpload queues the run of a list whose row was changed, and forgets the refused lines of the
// last run.
func (s *Store) enqueueUpload(ctx context.Context, tx *conn, id string, changed int64, err error) error {
	if err == nil && changed == 0 {
		err = ErrUploadChanged
	}
	if err == nil {
		_, err = tx.Exec(ctx, "upload.dropRefusals", id)
	}
	if err == nil {
		_, err = s.enqueue(ctx, tx, Job{Kind: UploadJob, Key: id})
	}
	return err
}

// FinishUpload records the end of a run: its job ends, and the list gets its report. problem is why
// the run failed; empty if it did not.
func (s *Store) FinishUpload(ctx context.Context, job Job, report ImportReport, problem string) error {
	return s.write(ctx, func(tx *conn) error {
		found, err := tx.uploads(ctx, "upload.get", job.Key)
		if err != nil || len(found) == 0 {
			return errors.Join(err, s.dropLost(ctx, tx, job))
		}
		now := s.Now()
		n, err := tx.Exec(ctx, "job.finish", job.ID, job.Epoch, job.payload(), millis(now), []byte{})
		if err == nil && n == 0 {
			err = ErrLease
		}
		if err != nil {
			return err
		}
		state, expires := UploadChecked, now.Add(UploadKept)
		switch {
		case problem != "":
			state = UploadFailed
		case found[0].State == UploadImporting:
			state, expires = UploadImported, now.Add(RefusalsKept)
		}
		_, err = tx.Exec(ctx, "upload.finish", job.Key, string(state), reportText(report), replyText(problem), millis(now), millis(expires), report.Lines)
		return err
	})
}

// dropLost deletes a job whose list does not exist.
func (s *Store) dropLost(ctx context.Context, tx *conn, job Job) error {
	_, err := tx.Exec(ctx, "job.drop", job.ID, job.Epoch)
	return err
}

// RemoveUpload gives up a list that is not being read and not imported, and removes its file.
func (s *Store) RemoveUpload(ctx context.Context, id string) error {
	err := s.write(ctx, func(tx *conn) error {
		n, err := tx.Exec(ctx, "upload.remove", id, millis(s.Now()))
		if err == nil && n == 0 {
			err = ErrUploadChanged
		}
		return err
	})
	if err != nil {
		return err
	}
	return s.PruneUploads(ctx)
}

// PruneUploads removes the files of lists that were imported, given up or not imported in time, and the
// refused lines of old reports, in small transactions.
func (s *Store) PruneUploads(ctx context.Context) error {
	const atOnce = 100
	imported, err := sqldb.Column[string](ctx, s.readers.Conn, "upload.leftovers")
	for _, id := range imported {
		err = errors.Join(err, s.removeUploadFile(ctx, id))
	}
	if err != nil {
		return err
	}
	expired, err := sqldb.Column[string](ctx, s.readers.Conn, "upload.expired", millis(s.Now()), atOnce)
	for _, id := range expired {
		if err == nil {
			err = s.pruneUpload(ctx, id)
		}
	}
	return err
}

// pruneUpload removes the file and the refused lines of an expired list. It closes the list first, so that
// no editor starts to import it meanwhile.
func (s *Store) pruneUpload(ctx context.Context, id string) error {
	closed := int64(0)
	err := s.write(ctx, func(tx *conn) (err error) {
		closed, err = tx.Exec(ctx, "upload.closeExpired", id, millis(s.Now()))
		return err
	})
	if err != nil || closed == 0 {
		return err
	}
	if err := s.removeUploadFile(ctx, id); err != nil {
		return err
	}
	return s.write(ctx, func(tx *conn) error {
		if _, err := tx.Exec(ctx, "upload.dropRefusals", id); err != nil {
			return err
		}
		_, err := tx.Exec(ctx, "upload.cleared", id)
		return err
	})
}

// removeUploadFile removes the file of a list, in small transactions.
func (s *Store) removeUploadFile(ctx context.Context, id string) error {
	for n := int64(uploadPartsAtATime); n == uploadPartsAtATime; {
		err := s.write(ctx, func(tx *conn) (err error) {
			n, err = tx.Exec(ctx, "upload.dropParts", id, uploadPartsAtATime)
			return err
		})
		if err := errors.Join(err, ctx.Err()); err != nil {
			return err
		}
	}
	return nil
}
