package store

import (
	"context"
	"crypto/rand"
	"crypto/subtle"
	"encoding/hex"
	"fmt"
	"strings"
	"time"

	"github.com/tidings-press/tidings/internal/journal"
)

// SecondFactor is an editor's authenticator app (RFC 6238).
type SecondFactor struct {
	Secret    string    // in base32, shared with the app
	Confirmed time.Time // zero until the editor has typed a first code
	LastStep  int64     // last 30-second step whose code was used
}

// SecondFactor returns an editor's authenticator app, confirmed or not, or ErrNotFound.
func (s *Store) SecondFactor(ctx context.Context, editor int64) (SecondFactor, error) {
	return s.readers.secondFactor(ctx, editor)
}

func (c *conn) secondFactor(ctx context.Context, editor int64) (SecondFactor, error) {
	var f SecondFactor
	var confirmed int64
	found, err := c.One(ctx, "factor.get", []any{editor}, &f.Secret, &confirmed, &f.LastStep)
	if err == nil && !found {
		err = notFound("second factor of editor", editor)
	}
	f.Confirmed = timeOf(confirmed)
	return f, err
}

// StartSecondFactor stores a new secret that is used once it is confirmed. It replaces an earlier
// one that was not confirmed, and returns ErrExists if the editor has a confirmed one.
func (s *Store) StartSecondFactor(ctx context.Context, editor int64, secret string) error {
	return s.write(ctx, func(tx *conn) error {
		n, err := tx.Exec(ctx, "factor.start", editor, secret)
		if err == nil && n == 0 {
			err = fmt.Errorf("second factor of editor %d: %w", editor, ErrExists)
		}
		return err
	})
}

// ConfirmSecondFactor begins to use an editor's secret, whose code of a step was right, and
// replaces the recovery codes. It ends the editor's sessions in all browsers but the one with the
// session token current. ErrNotFound reports that there is no secret to confirm.
func (s *Store) ConfirmSecondFactor(ctx context.Context, editor, step int64, recovery []string, current string) error {
	return s.write(ctx, func(tx *conn) error {
		n, err := tx.Exec(ctx, "factor.confirm", editor, millis(s.Now()), step)
		if err == nil && n == 0 {
			err = notFound("unconfirmed second factor of editor", editor)
		}
		if err != nil {
			return err
		}
		if err := s.replaceRecoveryCodes(ctx, tx, editor, recovery); err != nil {
			return err
		}
		tx.record(journal.AccessChanged(editor, journal.AccessFactor, journal.FactorOn))
		_, err = tx.Exec(ctx, "session.deleteOthers", editor, hashToken(current))
		return err
	})
}

// ReplaceRecoveryCodes replaces all recovery codes of an editor.
func (s *Store) ReplaceRecoveryCodes(ctx context.Context, editor int64, recovery []string) error {
	return s.write(ctx, func(tx *conn) error { return s.replaceRecoveryCodes(ctx, tx, editor, recovery) })
}

func (s *Store) replaceRecoveryCodes(ctx context.Context, tx *conn, editor int64, recovery []string) error {
	if _, err := tx.Exec(ctx, "factor.deleteCodes", editor); err != nil {
		return err
	}
	for _, code := range recovery {
		if _, err := tx.Exec(ctx, "factor.addCode", editor, recoveryHash(newSalt(), code)); err != nil {
			return err
		}
	}
	return nil
}

// recoveryHash returns what the store keeps of a recovery code: its salt, a dot and the hash. Codes are
// shorter than tokens, so each has a salt (OWASP ASVS 4.0.3, section 2.6.2). Without one it is the hash of
// a code that an earlier version made.
func recoveryHash(salt, code string) string {
	if salt == "" {
		return hex.EncodeToString(hashToken("recovery " + code))
	}
	return salt + "." + hex.EncodeToString(hashToken("recovery "+salt+" "+code))
}

// newSalt returns 64 random bits in hexadecimal.
func newSalt() string {
	var salt [8]byte
	rand.Read(salt[:])
	return hex.EncodeToString(salt[:])
}

// UseFactorStep uses up the code of a step. It reports false for a step that is not after the last
// one used.
func (s *Store) UseFactorStep(ctx context.Context, editor, step int64) (bool, error) {
	return s.changesOne(ctx, "factor.useStep", editor, step)
}

// UseRecoveryCode uses up a recovery code. It reports false for an unknown or used one.
func (s *Store) UseRecoveryCode(ctx context.Context, editor int64, code string) (used bool, err error) {
	err = s.write(ctx, func(tx *conn) error {
		stored, err := tx.texts(ctx, "factor.codes", editor)
		if err != nil {
			return err
		}
		for _, one := range stored {
			salt, _, salted := strings.Cut(one, ".")
			if !salted {
				salt = ""
			}
			if subtle.ConstantTimeCompare([]byte(recoveryHash(salt, code)), []byte(one)) == 1 {
				n, err := tx.Exec(ctx, "factor.useCode", editor, one)
				used = n > 0
				return err
			}
		}
		return nil
	})
	return used, err
}

func (s *Store) changesOne(ctx context.Context, query string, args ...any) (bool, error) {
	changed := false
	err := s.write(ctx, func(tx *conn) error {
		n, err := tx.Exec(ctx, query, args...)
		changed = n > 0
		return err
	})
	return changed, err
}

// CountRecoveryCodes returns how many unused recovery codes an editor has.
func (s *Store) CountRecoveryCodes(ctx context.Context, editor int64) (int, error) {
	n := 0
	_, err := s.readers.One(ctx, "factor.countCodes", []any{editor}, &n)
	return n, err
}

// RemoveSecondFactor removes an editor's authenticator app and recovery codes, and ends the editor's
// sessions in all browsers but the one with the session token current.
func (s *Store) RemoveSecondFactor(ctx context.Context, editor int64, current string) error {
	return s.removeMethod(ctx, editor, current, func(tx *conn) error { return s.removeSecondFactor(ctx, tx, editor) })
}

// removeMethod removes a way to sign in. It ends the editor's sessions in all browsers but the one with
// the session token current, since a thief of the device may have signed in with it (OWASP ASVS 4.0.3,
// section 2.8.6).
func (s *Store) removeMethod(ctx context.Context, editor int64, current string, remove func(tx *conn) error) error {
	return s.write(ctx, func(tx *conn) error {
		if err := remove(tx); err != nil {
			return err
		}
		_, err := tx.Exec(ctx, "session.deleteOthers", editor, hashToken(current))
		return err
	})
}

func (s *Store) removeSecondFactor(ctx context.Context, tx *conn, editor int64) error {
	if _, err := tx.Exec(ctx, "factor.deleteCodes", editor); err != nil {
		return err
	}
	tx.record(journal.AccessChanged(editor, journal.AccessFactor, journal.FactorOff))
	_, err := tx.Exec(ctx, "factor.delete", editor)
	return err
}

// SessionFactor is how an editor used a second factor in a session.
type SessionFactor string

// The ways to use a second factor.
const (
	NoFactor       SessionFactor = ""
	OwnFactor      SessionFactor = "own"      // a code, a recovery code or a passkey
	ProviderFactor SessionFactor = "provider" // the sign-in provider said that it asked for several factors
)

// SetSessionFactor records that the editor of a session has used a second factor.
func (s *Store) SetSessionFactor(ctx context.Context, token string, factor SessionFactor) error {
	return s.write(ctx, func(tx *conn) error {
		_, err := tx.Exec(ctx, "session.setFactor", hashToken(token), string(factor))
		return err
	})
}

// CountSecondFactors returns how many confirmed authenticator apps, at most one, and how many passkeys an
// editor has.
func (s *Store) CountSecondFactors(ctx context.Context, editor int64) (apps, passkeys int, err error) {
	_, err = s.readers.One(ctx, "factor.count", []any{editor}, &apps, &passkeys)
	return apps, passkeys, err
}
