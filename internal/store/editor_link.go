package store

import (
	"context"
	"database/sql"
	"time"
)

// LinkPurpose says what a one-time link opens.
type LinkPurpose string

// The purposes of one-time links.
const (
	SetupLink  LinkPurpose = "setup"  // makes the first editor, as long as there is none
	InviteLink LinkPurpose = "invite" // makes one more
	ResetLink  LinkPurpose = "reset"  // gives an editor a new password
)

// Link is a one-time link. Its token is known only to those who hold it; the store
// keeps a hash.
type Link struct {
	ID      int64
	Purpose LinkPurpose
	Role    string // of the editor that a setup or invitation makes
	Email   string // whom an invitation is for; empty for anyone who holds it
	Editor  int64  // whose password a reset changes
	Maker   int64  // the editor who made it; 0 for the command line
	Created time.Time
	Expires time.Time
}

// CreateLink makes a one-time link and returns its token. Older links for the same
// person are void from then on: for a setup all others, for an invitation those to the
// same address, for a reset those of the same editor.
func (s *Store) CreateLink(ctx context.Context, l Link, ttl time.Duration) (string, error) {
	token, hash := newToken()
	now := s.Now()
	err := s.write(ctx, func(tx *conn) error {
		if _, err := tx.Exec(ctx, "link.prune", millis(now)); err != nil {
			return err
		}
		if _, err := tx.Exec(ctx, "link.replace", string(l.Purpose), emailKey(l.Email), l.Editor); err != nil {
			return err
		}
		_, err := tx.One(ctx, "link.insert", []any{hash, string(l.Purpose), l.Role, emailKey(l.Email), l.Email, l.Editor, l.Maker,
			millis(now), millis(now.Add(ttl))}, &l.ID)
		return err
	})
	return token, err
}

// Link looks at a one-time link without using it up: what a GET does. ErrNotFound says
// that it was used or revoked, has expired, is void with its maker, or never was.
func (s *Store) Link(ctx context.Context, token string) (Link, error) {
	return s.readers.link(ctx, hashToken(token), s.Now())
}

func (c *conn) link(ctx context.Context, hash []byte, now time.Time) (Link, error) {
	found, err := c.links(ctx, "link.byHash", hash, millis(now))
	if err == nil && len(found) == 0 {
		err = notFound("link", "of this token")
	}
	if err != nil {
		return Link{}, err
	}
	return found[0], nil
}

// Links returns the one-time links that open something now, the newest first.
func (s *Store) Links(ctx context.Context) ([]Link, error) {
	return s.readers.links(ctx, "link.list", millis(s.Now()))
}

func (c *conn) links(ctx context.Context, query string, args ...any) ([]Link, error) {
	var out []Link
	err := c.Each(ctx, query, args, func(rows *sql.Rows) error {
		var l Link
		var created, expires int64
		err := rows.Scan(&l.ID, &l.Purpose, &l.Role, &l.Email, &l.Editor, &l.Maker, &created, &expires)
		l.Created, l.Expires = timeOf(created), timeOf(expires)
		out = append(out, l)
		return err
	})
	return out, err
}

// RevokeLink makes a one-time link void.
func (s *Store) RevokeLink(ctx context.Context, id int64) error {
	return s.write(ctx, func(tx *conn) error {
		n, err := tx.Exec(ctx, "link.revoke", id)
		if err == nil && n == 0 {
			err = notFound("link", id)
		}
		return err
	})
}

// useLink uses a link up within a transaction. Of two who use it at once one gets
// ErrNotFound.
func (s *Store) useLink(ctx context.Context, tx *conn, token string) (Link, error) {
	hash := hashToken(token)
	l, err := tx.link(ctx, hash, s.Now())
	if err != nil {
		return l, err
	}
	n, err := tx.Exec(ctx, "link.use", hash)
	if err == nil && n == 0 {
		err = notFound("link", "of this token")
	}
	return l, err
}

// CreateEditorFromLink uses a setup or an invitation up and makes the editor that it is for, in one
// transaction: a link is not lost when the address is taken, which ErrExists says, and
// two setups never make two owners. The role is the link's, and so is the address when
// the link names one. Other open invitations for the address are void then.
func (s *Store) CreateEditorFromLink(ctx context.Context, token string, e Editor) (Editor, error) {
	err := s.write(ctx, func(tx *conn) error {
		l, err := s.useLink(ctx, tx, token)
		if err != nil {
			return err
		}
		if l.Purpose == ResetLink {
			return notFound("link", "that makes an editor")
		}
		if e.Role = l.Role; l.Email != "" {
			e.Email = l.Email
		}
		if e, err = s.insertEditor(ctx, tx, e); err != nil {
			return err
		}
		if _, err = tx.Exec(ctx, "link.replace", string(InviteLink), emailKey(e.Email), 0); err != nil {
			return err
		}
		_, err = tx.Exec(ctx, "link.replace", string(SetupLink), "", 0)
		return err
	})
	return e, describeDuplicate(err, e.Email)
}

// ResetPassword uses a reset link up, gives its editor a new password and signs them
// out everywhere.
func (s *Store) ResetPassword(ctx context.Context, token, password string) (Editor, error) {
	var e Editor
	err := s.write(ctx, func(tx *conn) error {
		l, err := s.useLink(ctx, tx, token)
		if err != nil {
			return err
		}
		found, err := tx.editors(ctx, "editor.byID", l.Editor)
		if err != nil {
			return err
		}
		if l.Purpose != ResetLink || len(found) == 0 {
			return notFound("link", "that changes a password")
		}
		e = found[0]
		e.Password = password
		return s.updateEditor(ctx, tx, e, "")
	})
	return e, err
}
