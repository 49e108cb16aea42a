package store

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/hex"
	"errors"
	"fmt"
	"time"

	"github.com/tidings-press/tidings/internal/journal"
	"github.com/tidings-press/tidings/internal/store/sqldb"
)

// Passkey is a passkey of an editor (WebAuthn).
type Passkey struct {
	ID      string // PasskeyID of the credential
	Editor  int64
	Name    string
	Record  string // the credential with its public key, counter and flags, in JSON
	Created time.Time
	Used    time.Time // zero until the first use
}

// MaxPasskeys is how many passkeys an editor may have.
const MaxPasskeys = 20

// ErrTooMany reports that a bounded table has no space left.
var ErrTooMany = errors.New("too many")

// PasskeyID returns the id by which the store knows a credential: a hash, since the credential's own
// id may be a thousand bytes long.
func PasskeyID(credential []byte) string {
	sum := sha256.Sum256(credential)
	return hex.EncodeToString(sum[:])
}

// AddPasskey stores a new passkey. The error is ErrExists if the credential is known, and ErrTooMany
// if the editor has MaxPasskeys or was removed.
func (s *Store) AddPasskey(ctx context.Context, p Passkey) error {
	err := s.write(ctx, func(tx *conn) error {
		n, err := tx.Exec(ctx, "passkey.insert", p.ID, p.Editor, p.Name, p.Record, millis(s.Now()), MaxPasskeys)
		if err == nil && n == 0 {
			err = fmt.Errorf("passkeys of editor %d: %w", p.Editor, ErrTooMany)
		}
		return err
	})
	if sqldb.Duplicate(err) {
		return fmt.Errorf("passkey: %w", ErrExists)
	}
	return err
}

// Passkey returns a passkey by its id, or ErrNotFound.
func (s *Store) Passkey(ctx context.Context, id string) (Passkey, error) {
	found, err := s.readers.passkeys(ctx, "passkey.get", id)
	if err == nil && len(found) == 0 {
		err = notFound("passkey", id)
	}
	if err != nil {
		return Passkey{}, err
	}
	return found[0], nil
}

// Passkeys returns the passkeys of an editor, the oldest first.
func (s *Store) Passkeys(ctx context.Context, editor int64) ([]Passkey, error) {
	return s.readers.passkeys(ctx, "passkey.list", editor)
}

func (c *conn) passkeys(ctx context.Context, query string, args ...any) ([]Passkey, error) {
	var out []Passkey
	err := c.Each(ctx, query, args, func(rows *sql.Rows) error {
		var p Passkey
		var created, used int64
		err := rows.Scan(&p.ID, &p.Editor, &p.Name, &p.Record, &created, &used)
		p.Created, p.Used = timeOf(created), timeOf(used)
		out = append(out, p)
		return err
	})
	return out, err
}

// UsePasskey records a use of a passkey with the credential's new counter and flags. It reports false
// if the passkey was removed or used since it was read.
func (s *Store) UsePasskey(ctx context.Context, p Passkey, record string) (bool, error) {
	return s.changesOne(ctx, "passkey.use", p.ID, p.Record, record, millis(s.Now()))
}

// RenamePasskey gives a passkey of an editor another name, or returns ErrNotFound.
func (s *Store) RenamePasskey(ctx context.Context, editor int64, id, name string) error {
	changed, err := s.changesOne(ctx, "passkey.rename", id, editor, name)
	if err == nil && !changed {
		err = notFound("passkey", id)
	}
	return err
}

// RemovePasskey removes a passkey of an editor, or returns ErrNotFound. It ends the editor's sessions in
// all browsers but the one with the session token current. A restore of an older copy of the store does not
// bring it back.
func (s *Store) RemovePasskey(ctx context.Context, editor int64, id, current string) error {
	return s.removeMethod(ctx, editor, current, func(tx *conn) error { return s.removePasskey(ctx, tx, editor, id) })
}

func (s *Store) removePasskey(ctx context.Context, tx *conn, editor int64, id string) error {
	n, err := tx.Exec(ctx, "passkey.delete", id, editor)
	if err == nil && n == 0 {
		err = notFound("passkey", id)
	}
	if err == nil {
		tx.record(journal.AccessChanged(editor, journal.AccessPasskey.Method(id), journal.MethodRemoved))
	}
	return err
}

// ChallengePurpose is what a challenge is for.
type ChallengePurpose string

// The purposes of challenges.
const (
	PasskeySignIn   ChallengePurpose = "passkey sign-in"
	PasskeyProof    ChallengePurpose = "passkey proof"
	PasskeyAdd      ChallengePurpose = "passkey add"
	ProviderSignIn  ChallengePurpose = "provider sign-in"
	maxChallenges                    = 20_000
	maxChallengeAge                  = 10 * time.Minute
)

// AddChallenge stores what a browser must answer while someone signs in, for at most ten minutes, and
// returns the token with which the answer finds it. editor is 0 while it is not known who signs in.
// The error is ErrTooMany if too many sign-ins are under way.
func (s *Store) AddChallenge(ctx context.Context, purpose ChallengePurpose, editor int64, data string) (string, error) {
	token, hash := newToken()
	now := s.Now()
	err := s.write(ctx, func(tx *conn) error {
		if _, err := tx.Exec(ctx, "challenge.prune", millis(now)); err != nil {
			return err
		}
		n, err := tx.Exec(ctx, "challenge.insert", hex.EncodeToString(hash), string(purpose), editor, data, millis(now.Add(maxChallengeAge)), maxChallenges)
		if err == nil && n == 0 {
			err = fmt.Errorf("sign-ins under way: %w", ErrTooMany)
		}
		return err
	})
	return token, err
}

// TakeChallenge uses a challenge up and returns its editor and data. The error is ErrNotFound if there
// is none for the purpose, it was used, or it has expired.
func (s *Store) TakeChallenge(ctx context.Context, purpose ChallengePurpose, token string) (editor int64, data string, err error) {
	err = s.write(ctx, func(tx *conn) error {
		found, err := tx.One(ctx, "challenge.take", []any{hex.EncodeToString(hashToken(token)), string(purpose), millis(s.Now())}, &editor, &data)
		if err == nil && !found {
			err = notFound("challenge", "of this token")
		}
		return err
	})
	return editor, data, err
}
