package subscriber

import (
	"bytes"
	"errors"
	"strings"
	"testing"
	"time"
)

const someEdition = "0b6cc0e4-6ad3-4d0a-9c35-5a52a9cf3d0f"

var testSecret = []byte("0123456789abcdef0123456789abcdef")

func TestTokensCarryTheirClaim(t *testing.T) {
	t.Parallel()
	keys := NewKeys(testSecret)
	for _, claim := range []Claim{
		{Purpose: Unsubscribe, Subscriber: 1, Digest: "weekly", Edition: someEdition},
		{Purpose: Preferences, Subscriber: 1 << 40, Digest: "été", Edition: ""},
		{Purpose: WebEdition, Subscriber: 7, Edition: "not-a-uuid"},
		{Purpose: WebEdition, Subscriber: 7, Edition: strings.ToUpper(someEdition)},
		{Purpose: Confirm, Subscriber: 7, Digest: strings.Repeat("long", 60), Expires: time.Unix(1_800_000_000, 0).UTC()},
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
	if got := len(keys.Sign(Unsubscribe, 123_456_789, "weekly", someEdition)); got > 64 {
		t.Errorf("a usual token has %d characters", got)
	}
}

func TestAnyChangeOfATokenIsNoticed(t *testing.T) {
	t.Parallel()
	keys := NewKeys(testSecret)
	token := keys.Sign(Unsubscribe, 42, "weekly", someEdition)
	for i := range token {
		for _, c := range []byte("Aa0-_=%.") {
			changed := token[:i] + string(c) + token[i+1:]
			if changed == token {
				continue
			}
			if _, err := keys.Verify(changed); !errors.Is(err, ErrToken) {
				t.Fatalf("a change at %d gives %v", i, err)
			}
		}
		if _, err := keys.Verify(token[:i]); !errors.Is(err, ErrToken) {
			t.Fatalf("cut at %d gives %v", i, err)
		}
	}
	if _, err := NewKeys([]byte("another secret, as long")).Verify(token); !errors.Is(err, ErrToken) {
		t.Errorf("another's key gives %v", err)
	}
}

func TestKeysRotate(t *testing.T) {
	t.Parallel()
	old, fresh := NewKeys(testSecret), NewKeys([]byte("a fresh secret of 32 bytes......"), testSecret)
	token := old.Sign(Unsubscribe, 42, "weekly", "")
	if claim, err := fresh.Verify(token); err != nil || claim.Subscriber != 42 {
		t.Errorf("an old mail's link gives %+v, %v", claim, err)
	}
	if _, err := old.Verify(fresh.Sign(Unsubscribe, 42, "weekly", "")); !errors.Is(err, ErrToken) {
		t.Errorf("the fresh secret did not sign: %v", err)
	}
	a := MustParseAddress("Ada@bücher.example")
	if !bytes.Equal(old.SuppressionHash(a), fresh.SuppressionHash(MustParseAddress("ada@BÜCHER.example"))) {
		t.Error("a suppression was lost by rotation or spelling")
	}
	if bytes.Equal(old.SuppressionHash(a), old.SuppressionHash(MustParseAddress("ada@example.org"))) {
		t.Error("two people have one suppression hash")
	}
}

func TestClaimsAreGoodForOnePurposeAndTime(t *testing.T) {
	t.Parallel()
	keys, now := NewKeys(testSecret), time.Date(2026, 5, 1, 0, 0, 0, 0, time.UTC)
	claim, err := keys.Verify(keys.SignConfirm(42, "weekly", now))
	if err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		purpose Purpose
		at      time.Time
		want    error
	}{
		{Confirm, now, nil}, {Confirm, now.Add(ConfirmFor), nil},
		{Confirm, now.Add(ConfirmFor + time.Second), ErrExpired}, {Unsubscribe, now, ErrToken},
	} {
		if got := claim.Check(test.purpose, test.at); !errors.Is(got, test.want) {
			t.Errorf("purpose %d at %s gives %v, want %v", test.purpose, test.at, got, test.want)
		}
	}
	for _, purpose := range []Purpose{Unsubscribe, Preferences, WebEdition, Feed} {
		claim, _ := keys.Verify(keys.Sign(purpose, 42, "weekly", ""))
		if err := claim.Check(purpose, now.AddDate(100, 0, 0)); err != nil {
			t.Errorf("purpose %d ends: %v", purpose, err)
		}
	}
}

func FuzzVerify(f *testing.F) {
	keys := NewKeys(testSecret)
	f.Add(keys.Sign(Unsubscribe, 42, "weekly", someEdition))
	f.Add("AAAA")
	f.Fuzz(func(t *testing.T, token string) {
		claim, err := keys.Verify(token)
		if err == nil && keys.Token(claim) != token {
			t.Errorf("%q was accepted and is not ours", token)
		}
	})
}

func FuzzDecodeClaim(f *testing.F) {
	f.Add(encodeClaim(nil, Claim{Purpose: Unsubscribe, Subscriber: 42, Digest: "weekly", Edition: someEdition}))
	f.Fuzz(func(t *testing.T, data []byte) {
		if _, err := decodeClaim(data); err != nil && !errors.Is(err, ErrToken) {
			t.Error(err)
		}
	})
}
