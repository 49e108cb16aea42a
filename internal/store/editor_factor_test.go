package store_test

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"regexp"
	"testing"
	"time"

	"github.com/tidings-press/tidings/internal/store"
	"github.com/tidings-press/tidings/internal/testkit/storetest"
)

func TestSecondFactorCodesAreUsedOnce(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		ctx, e := t.Context(), addOwner(t, s, "ada@example.org")
		must := func(err error) {
			t.Helper()
			if err != nil {
				t.Fatal(err)
			}
		}
		must(s.StartSecondFactor(ctx, e.ID, "FIRST"))
		must(s.StartSecondFactor(ctx, e.ID, "SECOND"))
		if used, err := s.UseFactorStep(ctx, e.ID, 7); used || err != nil {
			t.Errorf("an unconfirmed factor takes a code: %v", err)
		}
		here, err := s.CreateSession(ctx, e, "here", time.Hour)
		must(err)
		other, err := s.CreateSession(ctx, e, "other", time.Hour)
		must(err)
		must(s.ConfirmSecondFactor(ctx, e.ID, 7, []string{"ABC", "DEF"}, here))
		if f, err := s.SecondFactor(ctx, e.ID); err != nil || f.Secret != "SECOND" || f.Confirmed.IsZero() || f.LastStep != 7 {
			t.Errorf("%+v, %v", f, err)
		}
		if _, err := s.Session(ctx, other); !errors.Is(err, store.ErrNotFound) {
			t.Errorf("another browser is still signed in: %v", err)
		}
		if _, err := s.Session(ctx, here); err != nil {
			t.Errorf("this browser was signed out: %v", err)
		}
		if err := s.StartSecondFactor(ctx, e.ID, "THIRD"); !errors.Is(err, store.ErrExists) {
			t.Errorf("a confirmed factor is replaced: %v", err)
		}
		for _, tc := range []struct {
			step int64
			want bool
		}{{7, false}, {6, false}, {8, true}, {8, false}} {
			if used, err := s.UseFactorStep(ctx, e.ID, tc.step); used != tc.want || err != nil {
				t.Errorf("step %d: %v, %v", tc.step, used, err)
			}
		}
		for code, want := range map[string]bool{"ABC": true, "XYZ": false} {
			if used, err := s.UseRecoveryCode(ctx, e.ID, code); used != want || err != nil {
				t.Errorf("%s: %v, %v", code, used, err)
			}
		}
		if used, err := s.UseRecoveryCode(ctx, e.ID, "ABC"); used || err != nil {
			t.Errorf("a recovery code works twice: %v", err)
		}
		if n, err := s.CountRecoveryCodes(ctx, e.ID); n != 1 || err != nil {
			t.Errorf("%d recovery codes are left, %v", n, err)
		}
		// A code that an earlier version stored, without a salt.
		sum := sha256.Sum256([]byte("recovery OLDER"))
		_, err = s.DB().ExecContext(ctx, "INSERT INTO editor_recovery_codes (editor, hash) VALUES ($1, $2)", e.ID, hex.EncodeToString(sum[:]))
		must(err)
		for _, want := range []bool{true, false} {
			if used, err := s.UseRecoveryCode(ctx, e.ID, "OLDER"); used != want || err != nil {
				t.Errorf("an older code: %v, want %v, %v", used, want, err)
			}
		}
		other, err = s.CreateSession(ctx, e, "other", time.Hour)
		must(err)
		must(s.RemoveSecondFactor(ctx, e.ID, here))
		if _, err := s.Session(ctx, other); !errors.Is(err, store.ErrNotFound) {
			t.Errorf("another browser is still signed in after the app was removed: %v", err)
		}
		if _, err := s.Session(ctx, here); err != nil {
			t.Errorf("this browser was signed out with the app: %v", err)
		}
		if _, err := s.SecondFactor(ctx, e.ID); !errors.Is(err, store.ErrNotFound) {
			t.Errorf("after it was removed: %v", err)
		}
	})
}

// TestRecoveryCodesHaveSaltsOfTheirOwn stores one code for two editors, and twice for one of them: what the
// store keeps differs, and does not contain the code.
func TestRecoveryCodesHaveSaltsOfTheirOwn(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		ctx := t.Context()
		const code = "ABCDEFGHIJKLMNOP"
		kept := map[string]bool{}
		for _, editor := range []store.Editor{addOwner(t, s, "ada@example.org"), addOwner(t, s, "bob@example.org")} {
			if err := s.ReplaceRecoveryCodes(ctx, editor.ID, []string{code, code}); err != nil {
				t.Fatal(err)
			}
			rows, err := s.DB().QueryContext(ctx, "SELECT hash FROM editor_recovery_codes WHERE editor = $1", editor.ID)
			if err != nil {
				t.Fatal(err)
			}
			defer rows.Close()
			for rows.Next() {
				var hash string
				if err := rows.Scan(&hash); err != nil {
					t.Fatal(err)
				}
				kept[hash] = true
				if !regexp.MustCompile(`^[0-9a-f]{16}\.[0-9a-f]{64}$`).MatchString(hash) {
					t.Errorf("stored as %q, want a salt of 64 bits and a hash", hash)
				}
			}
			if err := rows.Err(); err != nil {
				t.Fatal(err)
			}
		}
		if len(kept) != 4 {
			t.Errorf("four codes are stored as %d values", len(kept))
		}
	})
}

func TestCodeLinkReplacesOnlyThePassword(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		ctx, e := t.Context(), addOwner(t, s, "ada@example.org")
		token := createLink(t, s, store.Link{Purpose: store.CodeLink, Editor: e.ID}, time.Hour)
		if links, err := s.Links(ctx); len(links) != 0 || err != nil {
			t.Errorf("it is listed: %v, %v", links, err)
		}
		if _, err := s.CreateEditorFromLink(ctx, token, store.Editor{Email: "thief@example.org"}); !errors.Is(err, store.ErrNotFound) {
			t.Errorf("it admits: %v", err)
		}
		if _, err := s.ResetPassword(ctx, token, "theirs"); !errors.Is(err, store.ErrNotFound) {
			t.Errorf("it changes a password: %v", err)
		}
		if got, err := s.UseCodeLink(ctx, token); err != nil || got.ID != e.ID {
			t.Errorf("%+v, %v", got, err)
		}
		if _, err := s.UseCodeLink(ctx, token); !errors.Is(err, store.ErrNotFound) {
			t.Errorf("it is used twice: %v", err)
		}
		token = createLink(t, s, store.Link{Purpose: store.CodeLink, Editor: e.ID}, time.Hour)
		e.Password = "another"
		if err := s.UpdateEditor(ctx, e, ""); err != nil {
			t.Fatal(err)
		}
		mustBeVoid(t, s, "a code link after a change of the password", token)
	})
}

func TestSessionsAreListedAndEndedByTheirEditorAlone(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		ctx, ada, bob := t.Context(), addOwner(t, s, "ada@example.org"), addOwner(t, s, "bob@example.org")
		tokens := map[string]string{}
		for _, agent := range []string{"phone", "desk"} {
			token, err := s.CreateSession(ctx, ada, agent, time.Hour)
			if err != nil {
				t.Fatal(err)
			}
			tokens[agent] = token
		}
		list, err := s.Sessions(ctx, ada.ID, tokens["desk"])
		if err != nil || len(list) != 2 {
			t.Fatalf("%+v, %v", list, err)
		}
		for _, l := range list {
			if l.Current != (l.Agent == "desk") {
				t.Errorf("%+v", l)
			}
			if l.Agent == "desk" {
				continue
			}
			if err := s.EndSessionOf(ctx, bob.ID, l.ID); !errors.Is(err, store.ErrNotFound) {
				t.Errorf("another editor ends it: %v", err)
			}
			if err := s.EndSessionOf(ctx, ada.ID, l.ID); err != nil {
				t.Error(err)
			}
		}
		if _, err := s.Session(ctx, tokens["phone"]); !errors.Is(err, store.ErrNotFound) {
			t.Errorf("the session goes on: %v", err)
		}
		if err := s.EndSessionOf(ctx, ada.ID, "no hexadecimal"); !errors.Is(err, store.ErrNotFound) {
			t.Error(err)
		}
	})
}

func TestSecondFactorOfSessionIsRecorded(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		ctx := t.Context()
		ada := addOwner(t, s, "ada@example.org")
		count := func(wantApps, wantPasskeys int) {
			t.Helper()
			if apps, passkeys, err := s.CountSecondFactors(ctx, ada.ID); err != nil || apps != wantApps || passkeys != wantPasskeys {
				t.Errorf("%d apps, %d passkeys, %v; want %d, %d", apps, passkeys, err, wantApps, wantPasskeys)
			}
		}
		count(0, 0)
		token, err := s.CreateSession(ctx, ada, "", time.Hour)
		if err != nil {
			t.Fatal(err)
		}
		for _, want := range []store.SessionFactor{store.NoFactor, store.OwnFactor, store.ProviderFactor} {
			if want != store.NoFactor {
				if err := s.SetSessionFactor(ctx, token, want); err != nil {
					t.Fatal(err)
				}
			}
			if session, err := s.Session(ctx, token); err != nil || session.Factor != want {
				t.Errorf("factor %q, %v; want %q", session.Factor, err, want)
			}
		}
		if err := s.StartSecondFactor(ctx, ada.ID, "secret"); err != nil {
			t.Fatal(err)
		}
		count(0, 0) // not confirmed
		if err := s.ConfirmSecondFactor(ctx, ada.ID, 1, nil, token); err != nil {
			t.Fatal(err)
		}
		if err := s.AddPasskey(ctx, store.Passkey{ID: "key", Editor: ada.ID}); err != nil {
			t.Fatal(err)
		}
		count(1, 1)
	})
}
