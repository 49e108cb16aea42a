package token

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
)

const someEdition = "0b6cc0e4-6ad3-4d0a-9c35-5a52a9cf3d0f"

var (
	testSecret = []byte("0123456789abcdef0123456789abcdef")
	ann        = uuid.MustParse("6f1c2b9a-3f6e-4b1c-9d57-0a2f1f6d8e10")
)

func TestLinkRoundTripsClaim(t *testing.T) {
	t.Parallel()
	keys := NewKeys(testSecret)
	for _, claim := range []Claim{
		{Purpose: Unsubscribe, Person: PersonOf(ann), Digest: "weekly", Edition: someEdition},
		{Purpose: Preferences, Person: PersonOf(ann), Digest: "été", Edition: ""},
		{Purpose: Preferences},
		{Purpose: WebEdition, Person: PersonOf(ann), Edition: "not-a-uuid"},
		{Purpose: WebEdition, Person: PersonOf(ann), Edition: strings.ToUpper(someEdition)},
		{Purpose: Confirm, Person: PersonOf(ann), Digest: strings.Repeat("long", 60), Expires: time.Unix(1_800_000_000, 0).UTC()},
		{Purpose: Unsubscribe, Person: Person{Row: 1 << 40}, Digest: "weekly", Edition: someEdition},
	} {
		token := keys.Token(claim)
		got, err := keys.Verify(token)
		if err != nil || got != claim {
			t.Errorf("%+v comes back as %+v, %v", claim, got, err)
		}
		if token != keys.Token(claim) {
			t.Error("the same claim gives two tokens")
		}
	}
	if got := len(keys.Sign(Unsubscribe, ann, "weekly", someEdition)); got > 82 {
		t.Errorf("a usual token has %d characters", got)
	}
}

// TestOldLinksAreRead reads tokens from mails that were sent before subscribers had random
// ids. They hold a row number instead.
func TestOldLinksAreRead(t *testing.T) {
	t.Parallel()
	keys, row := NewKeys(testSecret), Person{Row: 42}
	for token, want := range map[string]Claim{
		"jgECKgAGd2Vla2x5AQtswORq000KnDVaUqnPPQ-Xx2XUu12vMT4NOSrlIEiw": {Purpose: Unsubscribe, Person: row, Digest: "weekly", Edition: someEdition},
		"jgEDKgAAAEU-JpKoBlB1o_Q-5IRgj_8":                              {Purpose: Preferences, Person: row},
		"jgEEKgAGd2Vla2x5AQtswORq000KnDVaUqnPPQ-wVOGcL9df0ofzdjX1WGgS": {Purpose: WebEdition, Person: row, Digest: "weekly", Edition: someEdition},
		"jgEBKoD07dAGBndlZWtseQBPbAg8FTHMjzBcW4nFr3jB":                 {Purpose: Confirm, Person: row, Digest: "weekly", Expires: time.Date(2026, 5, 31, 0, 0, 0, 0, time.UTC)},
	} {
		if got, err := keys.Verify(token); err != nil || got != want {
			t.Errorf("%s gives %+v, %v; want %+v", token, got, err, want)
		}
	}
}

func TestChangedLinkIsRefused(t *testing.T) {
	t.Parallel()
	keys := NewKeys(testSecret)
	token := keys.Sign(Unsubscribe, ann, "weekly", someEdition)
	for i := range token {
		for _, c := range []byte("Aa0-_=%.") {
			changed := token[:i] + string(c) + token[i+1:]
			if changed == token {
				continue
			}
			if _, err := keys.Verify(changed); !errors.Is(err, ErrInvalid) {
				t.Fatalf("a change at %d gives %v", i, err)
			}
		}
		if _, err := keys.Verify(token[:i]); !errors.Is(err, ErrInvalid) {
			t.Fatalf("cut at %d gives %v", i, err)
		}
	}
	if _, err := NewKeys([]byte("another secret, as long")).Verify(token); !errors.Is(err, ErrInvalid) {
		t.Errorf("another's key gives %v", err)
	}
}

func TestLinksOfOlderKeysVerify(t *testing.T) {
	t.Parallel()
	old, fresh := NewKeys(testSecret), NewKeys([]byte("a fresh secret of 32 bytes......"), testSecret)
	token := old.Sign(Unsubscribe, ann, "weekly", "")
	if claim, err := fresh.Verify(token); err != nil || claim.Person.ID != ann {
		t.Errorf("an old mail's link gives %+v, %v", claim, err)
	}
	if _, err := old.Verify(fresh.Sign(Unsubscribe, ann, "weekly", "")); !errors.Is(err, ErrInvalid) {
		t.Errorf("the fresh secret did not sign: %v", err)
	}
}

func TestLinkChecksPurposeAndExpiry(t *testing.T) {
	t.Parallel()
	keys, now := NewKeys(testSecret), time.Date(2026, 5, 1, 0, 0, 0, 0, time.UTC)
	claim, err := keys.Verify(keys.SignConfirm(ann, "weekly", now))
	if err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		purpose Purpose
		at      time.Time
		want    error
	}{
		{Confirm, now, nil}, {Confirm, now.Add(ConfirmFor), nil},
		{Confirm, now.Add(ConfirmFor + time.Second), ErrExpired}, {Unsubscribe, now, ErrInvalid},
	} {
		if got := claim.Check(test.purpose, test.at); !errors.Is(got, test.want) {
			t.Errorf("purpose %d at %s gives %v, want %v", test.purpose, test.at, got, test.want)
		}
	}
	for _, purpose := range []Purpose{Unsubscribe, Preferences, WebEdition} {
		claim, _ := keys.Verify(keys.Sign(purpose, ann, "weekly", ""))
		if err := claim.Check(purpose, now.AddDate(100, 0, 0)); err != nil {
			t.Errorf("purpose %d ends: %v", purpose, err)
		}
	}
}

func FuzzVerify(f *testing.F) {
	keys := NewKeys(testSecret)
	f.Add(keys.Sign(Unsubscribe, ann, "weekly", someEdition))
	f.Add("AAAA")
	f.Fuzz(func(t *testing.T, token string) {
		claim, err := keys.Verify(token)
		if err == nil && keys.Token(claim) != token {
			t.Errorf("%q was accepted and is not ours", token)
		}
	})
}

func FuzzDecodeClaim(f *testing.F) {
	f.Add(encodeClaim(nil, Claim{Purpose: Unsubscribe, Person: PersonOf(ann), Digest: "weekly", Edition: someEdition}))
	f.Add(encodeClaim(nil, Claim{Purpose: Unsubscribe, Person: Person{Row: 42}, Digest: "weekly"}))
	f.Fuzz(func(t *testing.T, data []byte) {
		if _, err := decodeClaim(data); err != nil && !errors.Is(err, ErrInvalid) {
			t.Error(err)
		}
	})
}

func BenchmarkSign(b *testing.B) {
	keys := NewKeys(testSecret)
	for b.Loop() {
		keys.Sign(Unsubscribe, ann, "weekly", someEdition)
	}
}
