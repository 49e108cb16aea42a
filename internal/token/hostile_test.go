package token

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
)

// TestLocalPartsOfStrangersAreRefused has local parts as scanners and other programs make them.
func TestLocalPartsOfStrangersAreRefused(t *testing.T) {
	t.Parallel()
	names := NewDeliveries(testSecret)
	good := names.Name('b', Delivery{someEdition, PersonOf(ann)})
	short := names.Name('b', Delivery{"", Person{Row: 42}}) // even with a line break it is no longer than a local part may be
	for _, local := range []string{
		"postmaster", "bounce", "b", "b-", "--", "---", "b_" + good[2:], "b+" + good[2:], "é-" + good[2:], "\x80-" + good[2:],
		"b-\xff\xfe", "b-" + strings.Repeat("=", 20), "b-0189", `"` + good + `"`, good + "@example.org", " " + good, good + " ", short[:10] + "\r\n" + short[10:], short + "\n",
		"b-" + strings.Repeat("\u212a", 20), "\u212a-aaaa", "b-" + nameEncoding.EncodeToString([]byte{noEdition}),
		"b-" + nameEncoding.EncodeToString(make([]byte, oldCodeSize)), "b-" + nameEncoding.EncodeToString(make([]byte, deliverySize)),
	} {
		if use, got, err := names.Read(local); !errors.Is(err, ErrNotOurs) || use != 0 {
			t.Errorf("%q gives %c %+v, %v", local, use, got, err)
		}
	}
}

// TestRandomDeliveriesRoundTripInAnyCase checks that a server on the way may change the case of each letter.
func TestRandomDeliveriesRoundTripInAnyCase(t *testing.T) {
	t.Parallel()
	random := rand.New(rand.NewPCG(3, 4))
	names := NewDeliveries(testSecret)
	for range 500 {
		id := Delivery{Person: PersonOf(uuid.NewSHA1(ann, fmt.Append(nil, random.Uint64())))}
		switch random.IntN(4) {
		case 0:
			id.Edition = names.EditionID("weekly", fmt.Sprint(random.Uint64()))
		case 1:
			id.Person = Person{Row: 1 + random.Int64N(1<<62)}
		case 2:
			id.Person = Person{Row: 1 + random.Int64N(1000)}
			id.Edition = "edition-" + fmt.Sprint(random.IntN(99))
		}
		use := byte('a' + random.IntN(26))
		mixed := []byte(names.Name(use, id))
		for i := range mixed {
			if random.IntN(2) == 0 {
				mixed[i] = strings.ToUpper(string(mixed[i]))[0]
			}
		}
		gotUse, got, err := names.Read(string(mixed))
		if err != nil || gotUse != use || got != id {
			t.Fatalf("%s gives %c %+v, %v; want %c %+v", mixed, gotUse, got, err, use, id)
		}
	}
}

// TestOldDeliveryDataIsReadToItsEnd decodes data whose code is valid, as a fault of an earlier version may
// have made it.
func TestOldDeliveryDataIsReadToItsEnd(t *testing.T) {
	t.Parallel()
	for name, data := range map[string][]byte{
		"empty":                        {},
		"an unknown form":              {9, 1},
		"no row":                       {noEdition},
		"a row without an end":         {noEdition, 0x80},
		"more than a row":              {noEdition, 1, 2},
		"a UUID that is cut":           append([]byte{uuidEdition}, ann[:10]...),
		"a UUID without a row":         append([]byte{uuidEdition}, ann[:]...),
		"a name without a length":      {namedEdition},
		"a name longer than the data":  {namedEdition, 200, 'a', 'b'},
		"a name without a row":         {namedEdition, 2, 'a', 'b'},
		"a row of more than 64 bits":   {noEdition, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 1},
		"a named edition, and garbage": {namedEdition, 1, 'a', 1, 'x'},
	} {
		if got, err := decodeOldDelivery(data); !errors.Is(err, ErrNotOurs) {
			t.Errorf("%s gives %+v, %v", name, got, err)
		}
	}
}

func TestEditionIDsOfManyTicksDiffer(t *testing.T) {
	t.Parallel()
	names := NewDeliveries(testSecret)
	seen := map[string]string{}
	for _, digest := range []string{"", "weekly", "daily", "weekly\x00", "Weekly"} {
		for day := range 200 {
			tick := time.Date(2026, 1, 1, 7, 0, 0, 0, time.UTC).AddDate(0, 0, day).Format(time.RFC3339)
			id := names.EditionID(digest, tick)
			if other, found := seen[id]; found {
				t.Fatalf("%q %s and %s have the id %s", digest, tick, other, id)
			}
			seen[id] = digest + " " + tick
			if parsed, err := uuid.Parse(id); err != nil || parsed.Version() != 8 || parsed.Variant() != uuid.RFC4122 || parsed.String() != id {
				t.Fatalf("%s is no UUID of version 8: %v", id, err)
			}
		}
	}
}

// TestBrowserTokenOfHostileCookieIsRefused has cookies that no browser of ours sent.
func TestBrowserTokenOfHostileCookieIsRefused(t *testing.T) {
	t.Parallel()
	keys, since := NewBrowserKeys(testSecret, 7, "hash"), time.Unix(1_790_000_000, 0)
	signed := keys.Sign(Browser{ID: "B1", Since: since})
	own := func(id, at string) string { return id + "." + at + "." + keys.signature(id, at) }
	for name, test := range map[string]struct {
		cookie string
		want   error
	}{
		"without an id":                {"." + signed[3:], ErrInvalid},
		"a time that is no number":     {own("B1", "now"), ErrInvalid},
		"a time beyond 64 bits":        {own("B1", "99999999999999999999"), ErrInvalid},
		"a time long ago":              {own("B1", "-9223372036854775808"), ErrExpired},
		"a signature in another case":  {strings.ToLower(signed), ErrInvalid},
		"a signature with its padding": {signed + "=", ErrInvalid},
		"four parts":                   {"x." + signed, ErrInvalid},
		"longer than any of ours":      {own(strings.Repeat("B", 200), "1790000000"), ErrInvalid},
	} {
		if got, err := keys.Verify(test.cookie, since); !errors.Is(err, test.want) || got != (Browser{}) {
			t.Errorf("%s: %+v, %v; want %v", name, got, err, test.want)
		}
	}
	for name, id := range map[string]string{"letters": "B1", "empty": "", "of another script": "ブラウザ", "with spaces": "a b"} {
		if got, err := keys.Verify(keys.Sign(Browser{ID: id, Since: since}), since); err != nil || got.ID != id {
			t.Errorf("an id %s: %+v, %v", name, got, err)
		}
	}
}

func FuzzVerifyBrowser(f *testing.F) {
	keys, now := NewBrowserKeys(testSecret, 7, "hash"), time.Unix(1_790_000_000, 0)
	f.Add(keys.Sign(Browser{ID: "B1", Since: now}))
	f.Add("..")
	f.Add("B1.1790000000.")
	f.Fuzz(func(t *testing.T, cookie string) {
		if b, err := keys.Verify(cookie, now); err == nil && keys.Sign(b) != cookie {
			t.Errorf("%q was accepted as %+v and is not ours", cookie, b)
		}
	})
}
