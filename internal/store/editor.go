package store

import (
	"bytes"
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/hex"
	"fmt"
	"strings"
	"time"

	"github.com/tidings-press/tidings/internal/journal"
	"github.com/tidings-press/tidings/internal/store/sqldb"
)

// Editor is a user of the admin.
type Editor struct {
	ID       int64
	Email    string // compared without case
	Name     string
	Role     Role
	Password string // a hash in PHC form, never the password; empty before the first is set
	Language string // of the admin's pages; empty for the one that the browser prefers
	Created  time.Time
	Disabled time.Time // zero for those who may sign in
}

func (s *Store) insertEditor(ctx context.Context, tx *conn, e Editor) (Editor, error) {
	e.Created, e.Disabled = s.Now(), time.Time{}
	_, err := tx.One(ctx, "editor.insert", append([]any{emailKey(e.Email)}, editorValues(&e)...), &e.ID)
	return e, err
}

// describeDuplicate turns a duplicate address into ErrExists.
func describeDuplicate(err error, email string) error {
	if sqldb.Duplicate(err) {
		return fmt.Errorf("editor %s: %w", email, ErrExists)
	}
	return err
}

func emailKey(email string) string { return strings.ToLower(strings.TrimSpace(email)) }

// EditorByEmail finds an editor by address.
func (s *Store) EditorByEmail(ctx context.Context, email string) (Editor, error) {
	return s.oneEditor(ctx, "editor.byEmail", emailKey(email))
}

// EditorByID finds an editor by number.
func (s *Store) EditorByID(ctx context.Context, id int64) (Editor, error) {
	return s.oneEditor(ctx, "editor.byID", id)
}

// Editors returns all editors, by address.
func (s *Store) Editors(ctx context.Context) ([]Editor, error) {
	return s.readers.editors(ctx, "editor.list")
}

// CountEditors returns how many editors may sign in; 0 means that the first is still to be
// created.
func (s *Store) CountEditors(ctx context.Context) (int64, error) {
	var n int64
	_, err := s.readers.One(ctx, "editor.count", nil, &n)
	return n, err
}

// UpdateEditor stores an editor's address, name, role, password and whether they are
// disabled. ErrExists reports that the address is taken. A new address, password or role
// ends all their sessions except the one of the token current, which may be empty, and voids
// links that change their password or address. Disabling an editor or changing the role also voids
// the links that they made.
func (s *Store) UpdateEditor(ctx context.Context, e Editor, current string) error {
	err := s.write(ctx, func(tx *conn) error { return s.updateEditor(ctx, tx, e, current) })
	return describeDuplicate(err, e.Email)
}

// ChangeEditor changes what change sets in a stored editor, and returns the editor as it is then. It
// keeps what others changed since the caller read the editor. ErrLastOwner reports that no owner could
// sign in any more; else it does what UpdateEditor does.
func (s *Store) ChangeEditor(ctx context.Context, id int64, current string, change func(*Editor) error) (Editor, error) {
	var e Editor
	err := s.write(ctx, func(tx *conn) error {
		owners, err := tx.editors(ctx, "editor.owners")
		if err != nil {
			return err
		}
		found, err := tx.editors(ctx, "editor.lock", id)
		if err == nil && len(found) == 0 {
			err = notFound("editor", id)
		}
		if err != nil {
			return err
		}
		e = found[0]
		if err := change(&e); err != nil {
			return err
		}
		if signsIn := e.Role == OwnerRole && e.Disabled.IsZero(); !signsIn && len(owners) == 1 && owners[0].ID == id {
			return ErrLastOwner
		}
		return s.updateEditor(ctx, tx, e, current)
	})
	return e, describeDuplicate(err, e.Email)
}

func (s *Store) updateEditor(ctx context.Context, tx *conn, e Editor, current string) error {
	found, err := tx.editors(ctx, "editor.lock", e.ID)
	if err == nil && len(found) == 0 {
		err = notFound("editor", e.ID)
	}
	if err != nil {
		return err
	}
	old := found[0]
	if _, err = tx.Exec(ctx, "editor.update", append(append([]any{emailKey(e.Email)}, editorValues(&e)...), e.ID)...); err != nil {
		return err
	}
	recordAccess(tx, old, e)
	less := old.Role != e.Role || !e.Disabled.IsZero()
	if !less && old.Password == e.Password && old.Email == e.Email && old.Disabled.Equal(e.Disabled) {
		return nil
	}
	if _, err = tx.Exec(ctx, "session.deleteOthers", e.ID, hashToken(current)); err != nil {
		return err
	}
	made := 0
	if less {
		made = 1
	}
	_, err = tx.Exec(ctx, "link.dropOf", e.ID, made)
	return err
}

// recordAccess records in the journal what a restore of an older copy must not undo: another
// password or role, and whether the editor may sign in.
func recordAccess(tx *conn, old, e Editor) {
	if old.Password != e.Password {
		tx.record(journal.AccessChanged(e.ID, journal.AccessPassword, hashStoredPassword(e.Password)))
	}
	if old.Role != e.Role {
		tx.record(journal.AccessChanged(e.ID, journal.AccessRole, string(e.Role)))
	}
	switch before, now := old.Disabled.IsZero(), e.Disabled.IsZero(); {
	case before && !now:
		tx.record(journal.AccessChanged(e.ID, journal.AccessDisabled, ""))
	case !before && now:
		tx.record(journal.AccessChanged(e.ID, journal.AccessEnabled, ""))
	}
}

// hashStoredPassword returns what stands for a password in the journal: a hash of its stored hash, which
// contains a random salt, so that passwords cannot be guessed from it. It is empty for none.
func hashStoredPassword(stored string) string {
	if stored == "" {
		return ""
	}
	sum := sha256.Sum256([]byte("tidings password\x00" + stored))
	return hex.EncodeToString(sum[:8])
}

// SetEditorLanguage stores the language in which an editor sees the admin; empty for the one that the
// browser prefers.
func (s *Store) SetEditorLanguage(ctx context.Context, id int64, language string) error {
	return s.write(ctx, func(tx *conn) error {
		n, err := tx.Exec(ctx, "editor.setLanguage", id, language)
		if err == nil && n == 0 {
			err = notFound("editor", id)
		}
		return err
	})
}

// DeleteEditor removes an editor, their sessions and the links that they made.
func (s *Store) DeleteEditor(ctx context.Context, id int64) error {
	return s.write(ctx, func(tx *conn) error {
		n, err := tx.Exec(ctx, "editor.delete", id)
		if err == nil && n == 0 {
			err = notFound("editor", id)
		}
		return err
	})
}

func (s *Store) oneEditor(ctx context.Context, query string, key any) (Editor, error) {
	found, err := s.readers.editors(ctx, query, key)
	if err == nil && len(found) == 0 {
		err = notFound("editor", key)
	}
	if err != nil {
		return Editor{}, err
	}
	return found[0], nil
}

// editorValues returns the values of columns(editor).
func editorValues(e *Editor) []any {
	return []any{e.Email, e.Name, e.Role, e.Password, millis(e.Created), millis(e.Disabled), e.Language}
}

func (c *conn) editors(ctx context.Context, query string, args ...any) ([]Editor, error) {
	var out []Editor
	err := c.Each(ctx, query, args, func(rows *sql.Rows) error {
		var e Editor
		var created, disabled int64
		err := rows.Scan(&e.ID, &e.Email, &e.Name, &e.Role, &e.Password, &created, &disabled, &e.Language)
		e.Created, e.Disabled = timeOf(created), timeOf(disabled)
		out = append(out, e)
		return err
	})
	return out, err
}

// Session is a signed-in editor.
type Session struct {
	Editor  Editor
	Agent   string // the browser, as it names itself
	Created time.Time
	Seen    time.Time
	Expires time.Time
	Proved  time.Time // when the editor last proved who they are
	Factor  SessionFactor
}

// CreateSession signs an editor in for a while and returns the token for their
// cookie. The store keeps a hash of it. It returns ErrNotFound if the editor's password is
// no longer the one that was checked, or that they were disabled since.
func (s *Store) CreateSession(ctx context.Context, editor Editor, agent string, ttl time.Duration) (string, error) {
	token, hash := newToken()
	now := s.Now()
	err := s.write(ctx, func(tx *conn) error {
		if _, err := tx.Exec(ctx, "session.prune", millis(now)); err != nil {
			return err
		}
		n, err := tx.Exec(ctx, "session.insert", hash, editor.ID, agent, millis(now), millis(now.Add(ttl)), editor.Password)
		if err == nil && n == 0 {
			err = notFound("editor", editor.ID)
		}
		return err
	})
	return token, err
}

// Session returns the session of a token; ErrNotFound when it has ended, or its
// editor is disabled.
func (s *Store) Session(ctx context.Context, token string) (Session, error) {
	var out Session
	var created, seen, expires, proved, editorCreated, disabled int64
	e := &out.Editor
	found, err := s.readers.One(ctx, "session.get", []any{hashToken(token), millis(s.Now())}, &out.Agent, &created, &seen,
		&expires, &proved, &out.Factor, &e.ID, &e.Email, &e.Name, &e.Role, &e.Password, &editorCreated, &disabled, &e.Language)
	if err == nil && !found {
		err = notFound("session", "of this token")
	}
	out.Created, out.Seen, out.Expires, out.Proved = timeOf(created), timeOf(seen), timeOf(expires), timeOf(proved)
	e.Created, e.Disabled = timeOf(editorCreated), timeOf(disabled)
	return out, err
}

// TouchSession extends a session, to at most longest after it began. Callers do so occasionally, not at
// each request.
func (s *Store) TouchSession(ctx context.Context, token string, ttl, longest time.Duration) error {
	now := s.Now()
	return s.write(ctx, func(tx *conn) error {
		_, err := tx.Exec(ctx, "session.touch", hashToken(token), millis(now), millis(now.Add(ttl)), longest.Milliseconds())
		return err
	})
}

// ProveSession records that the editor has just proved who they are in a session.
func (s *Store) ProveSession(ctx context.Context, token string) error {
	return s.write(ctx, func(tx *conn) error {
		_, err := tx.Exec(ctx, "session.prove", hashToken(token), millis(s.Now()))
		return err
	})
}

// ListedSession is a session in the list of an editor's own sessions.
type ListedSession struct {
	Session
	ID      string // identifies the session, but gives no access
	Current bool   // the token belongs to it
}

// maxListedSessions bounds the list of an editor's sessions.
const maxListedSessions = 100

// Sessions returns an editor's sessions, the last used first. token belongs to the session that
// lists them.
func (s *Store) Sessions(ctx context.Context, editor int64, token string) ([]ListedSession, error) {
	var out []ListedSession
	current := hashToken(token)
	err := s.readers.Each(ctx, "session.list", []any{editor, millis(s.Now()), maxListedSessions}, func(rows *sql.Rows) error {
		var hash []byte
		var created, seen, expires int64
		l := ListedSession{}
		err := rows.Scan(&hash, &l.Agent, &created, &seen, &expires)
		l.Created, l.Seen, l.Expires = timeOf(created), timeOf(seen), timeOf(expires)
		l.ID, l.Current = hex.EncodeToString(hash), bytes.Equal(hash, current)
		out = append(out, l)
		return err
	})
	return out, err
}

// EndSessionOf ends one of an editor's sessions by its id. ErrNotFound reports that the editor has
// no such session.
func (s *Store) EndSessionOf(ctx context.Context, editor int64, id string) error {
	hash, err := hex.DecodeString(id)
	if err != nil {
		return notFound("session", id)
	}
	return s.write(ctx, func(tx *conn) error {
		n, err := tx.Exec(ctx, "session.deleteOf", hash, editor)
		if err == nil && n == 0 {
			err = notFound("session", id)
		}
		return err
	})
}

// EndSession ends a session.
func (s *Store) EndSession(ctx context.Context, token string) error {
	return s.write(ctx, func(tx *conn) error {
		_, err := tx.Exec(ctx, "session.delete", hashToken(token))
		return err
	})
}

// EndOtherSessions signs an editor out everywhere but in the session of the token;
// an empty one ends them all.
func (s *Store) EndOtherSessions(ctx context.Context, editor int64, token string) error {
	return s.write(ctx, func(tx *conn) error {
		_, err := tx.Exec(ctx, "session.deleteOthers", editor, hashToken(token))
		return err
	})
}
