package store

import (
	"context"
	"time"
)

// Session is a signed-in editor.
type Session struct {
	Editor  Editor
	Agent   string // the browser, as it names itself
	Created time.Time
	Seen    time.Time
	Expires time.Time
}

// CreateSession signs an editor in for a while and returns the token for their
// cookie. The store keeps a hash of it. ErrNotFound says that the editor's password is
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
	var created, seen, expires, editorCreated, disabled int64
	e := &out.Editor
	found, err := s.readers.One(ctx, "session.get", []any{hashToken(token), millis(s.Now())}, &out.Agent, &created, &seen,
		&expires, &e.ID, &e.Email, &e.Name, &e.Role, &e.Password, &editorCreated, &disabled)
	if err == nil && !found {
		err = notFound("session", "of this token")
	}
	out.Created, out.Seen, out.Expires = timeOf(created), timeOf(seen), timeOf(expires)
	e.Created, e.Disabled = timeOf(editorCreated), timeOf(disabled)
	return out, err
}

// TouchSession prolongs a session. Callers do so now and then, not at each request.
func (s *Store) TouchSession(ctx context.Context, token string, ttl time.Duration) error {
	now := s.Now()
	return s.write(ctx, func(tx *conn) error {
		_, err := tx.Exec(ctx, "session.touch", hashToken(token), millis(now), millis(now.Add(ttl)))
		return err
	})
}

// EndSession signs out.
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
