package token

import (
	"bytes"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"math"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
)

// randomClaim returns a claim of random content, as any version of the program may sign one.
func randomClaim(random *rand.Rand) Claim {
	text := func() string {
		b := make([]byte, random.IntN(300))
		for i := range b {
			b[i] = byte(random.IntN(256))
		}
		return string(b)
	}
	c := Claim{Purpose: Purpose(random.IntN(256))}
	if random.IntN(2) == 0 {
		c.Person.Row = 1 + random.Int64N(math.MaxInt64)
	} else {
		binary.BigEndian.PutUint64(c.Person.ID[:], random.Uint64())
		binary.BigEndian.PutUint64(c.Person.ID[8:], random.Uint64())
	}
	if random.IntN(2) == 0 {
		c.Expires = time.Unix(1+random.Int64N(1<<40), 0).UTC()
	}
	if random.IntN(3) > 0 {
		c.Digest = text()
	}
	switch random.IntN(3) {
	case 0:
		c.Edition = uuid.NewSHA1(uuid.Nil, []byte(text())).String()
	case 1:
		c.Edition = text()
	}
	return c
}

func TestRandomClaimsRoundTrip(t *testing.T) {
	t.Parallel()
	random := rand.New(rand.NewPCG(1, 2))
	keys := NewKeys(testSecret)
	seen := map[string]Claim{}
	for range 500 {
		claim := randomClaim(random)
		signed := keys.Token(claim)
		got, err := keys.Verify(signed)
		if err != nil || got != claim {
			t.Fatalf("%+v comes back as %+v, %v", claim, got, err)
		}
		if other, found := seen[signed]; found && other != claim {
			t.Fatalf("%+v and %+v have the same token", other, claim)
		}
		seen[signed] = claim
		if strings.Trim(signed, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_") != "" {
			t.Fatalf("%s cannot stand in a path", signed)
		}
	}
}

// TestClaimThatIsCutOrContinuedIsRefused decodes claims whose signature would be valid, as a newer version of
// the program may write them with fields that this one does not know.
func TestClaimThatIsCutOrContinuedIsRefused(t *testing.T) {
	t.Parallel()
	for name, claim := range map[string]Claim{
		"of a person":          {Purpose: Unsubscribe, Person: PersonOf(ann), Digest: "weekly", Edition: someEdition},
		"of a row":             {Purpose: Confirm, Person: Person{Row: 300}, Digest: "weekly", Expires: time.Unix(1_800_000_000, 0)},
		"with a named edition": {Purpose: WebEdition, Person: PersonOf(ann), Edition: "first"},
		"without an edition":   {Purpose: Preferences, Person: PersonOf(ann)},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			whole := encodeClaim(nil, claim)
			for n := range whole {
				if got, err := decodeClaim(whole[:n]); !errors.Is(err, ErrInvalid) {
					t.Errorf("the first %d of %d bytes give %+v, %v", n, len(whole), got, err)
				}
			}
			if got, err := decodeClaim(append(bytes.Clone(whole), 0)); !errors.Is(err, ErrInvalid) {
				t.Errorf("with one byte more: %+v, %v", got, err)
			}
		})
	}
}

func TestUnknownFormOfAClaimIsRefused(t *testing.T) {
	t.Parallel()
	person := append([]byte{byPerson, byte(Unsubscribe)}, ann[:]...)
	huge := binary.AppendUvarint(nil, math.MaxUint64)
	for name, data := range map[string][]byte{
		"version 0":                         append([]byte{0, byte(Unsubscribe)}, make([]byte, 19)...),
		"a version of the future":           append([]byte{3, byte(Unsubscribe)}, make([]byte, 19)...),
		"an edition of an unknown form":     append(bytes.Clone(person), 0, 0, 3),
		"the highest form of an edition":    append(bytes.Clone(person), 0, 0, 255),
		"a digest longer than the claim":    append(append(bytes.Clone(person), 0), append(huge, 'w')...),
		"an edition longer than the claim":  append(append(bytes.Clone(person), 0, 0, editionText), append(huge, 'e')...),
		"a number of more than 64 bits":     append(bytes.Clone(person), bytes.Repeat([]byte{0xff}, 11)...),
		"a number without an end":           append(bytes.Clone(person), 0x80),
		"a UUID of an edition of 15 octets": append(append(bytes.Clone(person), 0, 0, editionUUID), ann[:15]...),
	} {
		if got, err := decodeClaim(data); !errors.Is(err, ErrInvalid) {
			t.Errorf("%s gives %+v, %v", name, got, err)
		}
	}
}

// TestLinkInAnotherNotationIsRefused: one claim has one token, so that a link has one address in caches and
// logs.
func TestLinkInAnotherNotationIsRefused(t *testing.T) {
	t.Parallel()
	keys := NewKeys(testSecret)
	// The length of the digest is such that the token needs padding in base64.
	signed := keys.Sign(Unsubscribe, ann, "week", someEdition)
	raw, err := base64.RawURLEncoding.DecodeString(signed)
	if err != nil {
		t.Fatal(err)
	}
	if len(raw)%3 == 0 {
		t.Fatal("the token has no spare bits; choose another digest")
	}
	spare := []byte("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_")
	last := bytes.IndexByte(spare, signed[len(signed)-1])
	for name, other := range map[string]string{
		"with padding":          base64.URLEncoding.EncodeToString(raw),
		"in standard base64":    base64.StdEncoding.EncodeToString(append([]byte{0xfb, 0xff}, raw...)),
		"with a line break":     signed[:20] + "\n" + signed[20:],
		"with CR and LF at end": signed + "\r\n",
		"with a space":          " " + signed,
		"with spare bits set":   signed[:len(signed)-1] + string(spare[last|1]),
		"with a leading slash":  "/" + signed,
		"twice":                 signed + signed,
		"empty":                 "",
		"only a signature":      base64.RawURLEncoding.EncodeToString(raw[len(raw)-linkCodeSize:]),
		"NUL":                   "\x00",
		"a megabyte":            strings.Repeat("A", 1<<20),
	} {
		if got, err := keys.Verify(other); !errors.Is(err, ErrInvalid) {
			t.Errorf("%s: %+v, %v", name, got, err)
		}
	}
}

// TestKeyIDsThatAreEqualDoNotHideAKey: the id of a key has one octet, so that keys may share one.
func TestKeyIDsThatAreEqualDoNotHideAKey(t *testing.T) {
	t.Parallel()
	secret := func(i uint32) []byte { return binary.BigEndian.AppendUint32([]byte("a secret of many octets "), i) }
	first := secret(0)
	id := derive(first, "key id")[0]
	for i := uint32(1); ; i++ {
		if derive(secret(i), "key id")[0] != id {
			continue
		}
		both := NewKeys(secret(i), first)
		signed := NewKeys(first).Sign(Preferences, ann, "", "")
		if got, err := both.Verify(signed); err != nil || got.Person.ID != ann {
			t.Errorf("a link of the older of two keys with the id %d gives %+v, %v", id, got, err)
		}
		return
	}
}

func TestProofIsValidForOneEditorDraftAndTime(t *testing.T) {
	t.Parallel()
	keys, now := NewKeys(testSecret), time.Unix(1_800_000_000, 0)
	claim, err := keys.Verify(keys.SignProof(7, "ann@example.org", someEdition, now.Add(time.Hour)))
	if err != nil || claim.Person.Row != 7 || claim.Edition != someEdition {
		t.Fatalf("%+v, %v", claim, err)
	}
	for _, test := range []struct {
		name, bound string
		at          time.Time
		want        error
	}{
		{"at once", "ann@example.org", now, nil},
		{"in its last second", "ann@example.org", now.Add(time.Hour), nil},
		{"too late", "ann@example.org", now.Add(time.Hour + 1), ErrExpired},
		{"after a change of the address", "ann@example.com", now, ErrInvalid},
		{"in another case", "Ann@example.org", now, ErrInvalid},
		{"bound to nothing", "", now, ErrInvalid},
		{"late and with another address", "ann@example.com", now.Add(2 * time.Hour), ErrExpired},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			if got := claim.CheckProof(test.bound, test.at); !errors.Is(got, test.want) {
				t.Errorf("%v, want %v", got, test.want)
			}
		})
	}
	if strings.Contains(claim.Digest, "ann") {
		t.Error("the address can be read in the link")
	}
	unsubscribe, err := keys.Verify(keys.Sign(Unsubscribe, ann, boundHash("ann@example.org"), someEdition))
	if err != nil {
		t.Fatal(err)
	}
	if err := unsubscribe.CheckProof("ann@example.org", now); !errors.Is(err, ErrInvalid) {
		t.Errorf("a link to unsubscribe passes as a proof: %v", err)
	}
}

func TestMessagesOfRefusedLinksSayWhatToDo(t *testing.T) {
	t.Parallel()
	for err, want := range map[error]string{ErrInvalid: "copy the whole link", ErrExpired: "ask for a new one"} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("%q does not say %q", err, want)
		}
	}
}

// TestPersonInLogsIsNoPersonalData: the id is random, and a row number names one only inside of the store.
func TestPersonInLogsIsNoPersonalData(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		person Person
		want   string
	}{
		{PersonOf(ann), "6f1c2b9a-3f6e-4b1c-9d57-0a2f1f6d8e10"},
		{Person{Row: 42}, "row 42"},
		{Person{}, "00000000-0000-0000-0000-000000000000"},
	} {
		if got := test.person.String(); got != test.want {
			t.Errorf("%q, want %q", got, test.want)
		}
	}
}

// TestOneSecretGivesUnrelatedKeys: a code of one use never verifies in another.
func TestOneSecretGivesUnrelatedKeys(t *testing.T) {
	t.Parallel()
	uses := []string{"token", "delivery", "edition", "key id", ""}
	seen := map[string]string{}
	for _, use := range uses {
		key := string(derive(testSecret, use))
		if other, found := seen[key]; found {
			t.Errorf("%q and %q have the same key", use, other)
		}
		seen[key] = use
	}
}

func TestKeysAreSafeForConcurrentUse(t *testing.T) {
	t.Parallel()
	keys, names := NewKeys(testSecret), NewDeliveries(testSecret)
	want := make([]string, 50)
	for i := range want {
		want[i] = keys.Sign(Unsubscribe, ann, strings.Repeat("d", i), someEdition)
	}
	done := make(chan struct{})
	for range 8 {
		go func() {
			defer func() { done <- struct{}{} }()
			for i, token := range want {
				if got := keys.Sign(Unsubscribe, ann, strings.Repeat("d", i), someEdition); got != token {
					t.Errorf("signed %s, want %s", got, token)
				}
				if _, err := keys.Verify(token); err != nil {
					t.Error(err)
				}
				id := Delivery{someEdition, Person{Row: int64(i + 1)}}
				if _, got, err := names.Read(names.Name('b', id)); err != nil || got != id {
					t.Errorf("%+v, %v, want %+v", got, err, id)
				}
			}
		}()
	}
	for range 8 {
		<-done
	}
}
