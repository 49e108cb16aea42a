package store

import (
	"context"
	"crypto/rand"
	"database/sql"
	"fmt"
	"time"

	"github.com/tidings-press/tidings/internal/journal"
	"github.com/tidings-press/tidings/internal/store/sqldb"
)

// Identity is an account of an editor at a provider of sign-ins (OpenID Connect).
type Identity struct {
	ID      string // random
	Issuer  string
	Subject string // identifies the account at the issuer for good
	Editor  int64
	Email   string // at the last sign-in
	Created time.Time
	Used    time.Time
}

// Identity returns the account of an issuer and a subject, or ErrNotFound.
func (s *Store) Identity(ctx context.Context, issuer, subject string) (Identity, error) {
	found, err := s.readers.identities(ctx, "provider.get", issuer, subject)
	if err == nil && len(found) == 0 {
		err = notFound("account", "at "+issuer)
	}
	if err != nil {
		return Identity{}, err
	}
	return found[0], nil
}

// Identities returns the accounts of an editor at providers, the oldest first.
func (s *Store) Identities(ctx context.Context, editor int64) ([]Identity, error) {
	return s.readers.identities(ctx, "provider.list", editor)
}

func (c *conn) identities(ctx context.Context, query string, args ...any) ([]Identity, error) {
	var out []Identity
	err := c.Each(ctx, query, args, func(rows *sql.Rows) error {
		var i Identity
		var created, used int64
		err := rows.Scan(&i.ID, &i.Issuer, &i.Subject, &i.Editor, &i.Email, &created, &used)
		i.Created, i.Used = timeOf(created), timeOf(used)
		out = append(out, i)
		return err
	})
	return out, err
}

// LinkIdentity stores an account at a provider as one of the editor i.Editor. The error is ErrExists if
// the account is an editor's already.
func (s *Store) LinkIdentity(ctx context.Context, i Identity) error {
	return describeLinked(s.write(ctx, func(tx *conn) error { return s.linkIdentity(ctx, tx, i) }), i)
}

func (s *Store) linkIdentity(ctx context.Context, tx *conn, i Identity) error {
	i.ID, i.Created, i.Used = rand.Text(), s.Now(), s.Now()
	_, err := tx.Exec(ctx, "provider.insert", append([]any{i.ID}, identityValues(&i)...)...)
	return err
}

func describeLinked(err error, i Identity) error {
	if sqldb.Duplicate(err) {
		return fmt.Errorf("account at %s: %w", i.Issuer, ErrExists)
	}
	return err
}

// identityValues returns the values of columns(provider).
func identityValues(i *Identity) []any {
	return []any{i.Issuer, i.Subject, i.Editor, i.Email, millis(i.Created), millis(i.Used)}
}

// UseIdentity records a sign-in with an account that has an address now.
func (s *Store) UseIdentity(ctx context.Context, id, email string) error {
	return s.write(ctx, func(tx *conn) error {
		_, err := tx.Exec(ctx, "provider.use", id, email, millis(s.Now()))
		return err
	})
}

// RemoveIdentity removes an account at a provider from an editor, or returns ErrNotFound. It ends the
// editor's sessions in all browsers but the one with the session token current. A restore of an older copy of
// the store does not bring it back.
func (s *Store) RemoveIdentity(ctx context.Context, editor int64, id, current string) error {
	return s.removeMethod(ctx, editor, current, func(tx *conn) error { return s.removeIdentity(ctx, tx, editor, id) })
}

func (s *Store) removeIdentity(ctx context.Context, tx *conn, editor int64, id string) error {
	n, err := tx.Exec(ctx, "provider.delete", id, editor)
	if err == nil && n == 0 {
		err = notFound("account", id)
	}
	if err == nil {
		tx.record(journal.AccessChanged(editor, journal.AccessProvider.Method(id), journal.MethodRemoved))
	}
	return err
}

// CreateInvitedEditor creates the editor to whom an open invitation was made and whose account at a
// provider has that verified address, uses the invitation up, and stores the account. The error is
// ErrNotFound without an invitation to the address.
func (s *Store) CreateInvitedEditor(ctx context.Context, e Editor, i Identity) (Editor, error) {
	err := s.write(ctx, func(tx *conn) error {
		found, err := tx.links(ctx, "link.invitation", emailKey(e.Email), millis(s.Now()))
		if err == nil && len(found) == 0 {
			err = notFound("invitation to", e.Email)
		}
		if err != nil {
			return err
		}
		if e, err = s.insertInvited(ctx, tx, found[0], e); err != nil {
			return err
		}
		i.Editor = e.ID
		return s.linkIdentity(ctx, tx, i)
	})
	return e, describeDuplicate(err, e.Email)
}

// OwnerSignsInWithoutPassword reports whether an owner who may sign in has done so with a passkey, or
// with an account at an issuer, and still can.
func (s *Store) OwnerSignsInWithoutPassword(ctx context.Context, issuer string) (bool, error) {
	n := 0
	_, err := s.readers.One(ctx, "editor.ownerWithoutPassword", []any{issuer}, &n)
	return n > 0, err
}

// RemoveSignInMethods removes an editor's authenticator app, recovery codes, passkeys and accounts at
// providers, ends their sessions, and voids the links that change their password or address. The password
// remains.
func (s *Store) RemoveSignInMethods(ctx context.Context, editor int64) error {
	return s.removeMethod(ctx, editor, "", func(tx *conn) error {
		passkeys, err := tx.passkeys(ctx, "passkey.list", editor)
		if err != nil {
			return err
		}
		for _, p := range passkeys {
			if err := s.removePasskey(ctx, tx, editor, p.ID); err != nil {
				return err
			}
		}
		identities, err := tx.identities(ctx, "provider.list", editor)
		if err != nil {
			return err
		}
		for _, i := range identities {
			if err := s.removeIdentity(ctx, tx, editor, i.ID); err != nil {
				return err
			}
		}
		if err := s.removeSecondFactor(ctx, tx, editor); err != nil {
			return err
		}
		_, err = tx.Exec(ctx, "link.dropOf", editor, 0)
		return err
	})
}
