package store

import (
	"context"
	"database/sql"
	"strconv"
	"time"
)

// LinkPurpose is what a one-time link is for.
type LinkPurpose string

// The purposes of one-time links.
const (
	SetupLink  LinkPurpose = "setup"  // creates the first editor, while there is none
	InviteLink LinkPurpose = "invite" // creates a further editor
	ResetLink  LinkPurpose = "reset"  // gives an editor a new password
	CodeLink   LinkPurpose = "code"   // proves a right password until the code of the second factor

	// AddressLink gives an editor a new address. It is mailed there, so that only someone who reads the
	// mail of the new address can use it.
	AddressLink LinkPurpose = "address"
)

// Link is a one-time link. The store keeps only a hash of its token.
type Link struct {
	ID      int64
	Purpose LinkPurpose
	Role    Role   // of the editor that a setup or an invitation creates
	Email   string // the address that an invitation is for, empty if any address may use it; or the new address of an editor
	Editor  int64  // the editor whose password or address the link changes
	Maker   int64  // the editor who created the link; 0 for the command line
	Created time.Time
	Expires time.Time
}

// CreateLink stores a new one-time link and returns its token. It removes the older links
// for the same person: all setup links for a setup, the invitations to the same address for
// an invitation, those of the same purpose and editor for a reset or a new address.
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

// Link returns the one-time link of a token without using it, as a GET request does.
// ErrNotFound reports that the link never existed, was used or revoked, has expired, or is
// void because its maker may no longer sign in.
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

// Links returns the one-time links that can be used now, the newest first, without those that wait
// for a code.
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

// RevokeLink removes a one-time link, or returns ErrNotFound.
func (s *Store) RevokeLink(ctx context.Context, id int64) error {
	return s.write(ctx, func(tx *conn) error {
		n, err := tx.Exec(ctx, "link.revoke", id)
		if err == nil && n == 0 {
			err = notFound("link", id)
		}
		return err
	})
}

// useLink uses a link in a transaction, which removes it. Of two simultaneous uses, one gets
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

// UseCodeLink uses up a link that proves a right password, and returns its editor.
func (s *Store) UseCodeLink(ctx context.Context, token string) (Editor, error) {
	var e Editor
	err := s.write(ctx, func(tx *conn) error {
		l, err := s.useLink(ctx, tx, token)
		if err != nil {
			return err
		}
		found, err := tx.editors(ctx, "editor.byID", l.Editor)
		if err == nil && (l.Purpose != CodeLink || len(found) == 0) {
			err = notFound("link", "that waits for a code")
		}
		if err == nil {
			e = found[0]
		}
		return err
	})
	return e, err
}

// CreateEditorFromLink uses a setup link or an invitation and creates its editor, in one
// transaction: if the address is taken, the error is ErrExists and the link stays valid, and
// two simultaneous setups never create two owners. The editor gets the role of the link, and
// its address if the link has one. Other invitations for the address, and setup links, are
// removed.
func (s *Store) CreateEditorFromLink(ctx context.Context, token string, e Editor) (Editor, error) {
	err := s.write(ctx, func(tx *conn) error {
		l, err := s.useLink(ctx, tx, token)
		if err != nil {
			return err
		}
		if l.Purpose != SetupLink && l.Purpose != InviteLink {
			return notFound("link", "that makes an editor")
		}
		e, err = s.insertInvited(ctx, tx, l, e)
		return err
	})
	return e, describeDuplicate(err, e.Email)
}

// insertInvited stores the editor of a setup link or an invitation that was used up.
func (s *Store) insertInvited(ctx context.Context, tx *conn, l Link, e Editor) (Editor, error) {
	if e.Role = l.Role; l.Email != "" {
		e.Email = l.Email
	}
	e, err := s.insertEditor(ctx, tx, e)
	if err != nil {
		return e, err
	}
	if _, err = tx.Exec(ctx, "link.replace", string(InviteLink), emailKey(e.Email), 0); err != nil {
		return e, err
	}
	noteAudit(ctx, func(a *AuditEntry) {
		a.Editor, a.Who, a.Object, a.Detail = e.ID, e.Email, strconv.FormatInt(e.ID, 10), string(e.Role)
	})
	_, err = tx.Exec(ctx, "link.replace", string(SetupLink), "", 0)
	return e, err
}

// useLinkOf uses a link that changes an editor, and locks the editor. what describes the purpose in the
// error for another link.
func (s *Store) useLinkOf(ctx context.Context, tx *conn, token string, purpose LinkPurpose, what string) (Link, Editor, error) {
	l, err := s.useLink(ctx, tx, token)
	if err != nil {
		return l, Editor{}, err
	}
	found, err := tx.editors(ctx, "editor.lock", l.Editor)
	if err == nil && (l.Purpose != purpose || len(found) == 0) {
		err = notFound("link", what)
	}
	if err != nil {
		return l, Editor{}, err
	}
	return l, found[0], nil
}

// ResetPassword uses a reset link: it gives the link's editor a new password, a hash in PHC
// form, and ends all their sessions.
func (s *Store) ResetPassword(ctx context.Context, token, password string) (Editor, error) {
	var e Editor
	err := s.write(ctx, func(tx *conn) error {
		_, found, err := s.useLinkOf(ctx, tx, token, ResetLink, "that changes a password")
		if err != nil {
			return err
		}
		e = found
		e.Password = password
		return s.updateEditor(ctx, tx, e, "")
	})
	return e, err
}

// ChangeAddress uses a link that confirms a new address. It gives the link's editor the address and
// ends their sessions except that of the token current, which may be empty. old is the editor as before. If
// the address is taken by now, the error is ErrExists and the link stays valid.
func (s *Store) ChangeAddress(ctx context.Context, token, current string) (old, e Editor, err error) {
	err = s.write(ctx, func(tx *conn) error {
		l, found, err := s.useLinkOf(ctx, tx, token, AddressLink, "that changes an address")
		if err != nil {
			return err
		}
		old, e = found, found
		e.Email = l.Email
		return s.updateEditor(ctx, tx, e, current)
	})
	return old, e, describeDuplicate(err, e.Email)
}
