package token

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/uuid"
)

func TestDeliveryNameRoundTrips(t *testing.T) {
	t.Parallel()
	names := NewDeliveries(testSecret)
	for _, id := range []Delivery{
		{someEdition, PersonOf(ann)}, {"", PersonOf(ann)}, {someEdition, Person{}}, {},
		{names.EditionID("weekly", "2026-03-27T07:00"), PersonOf(uuid.New())},
		{someEdition, Person{Row: 1 << 62}}, {"", Person{Row: 300}},
	} {
		name := names.Name('b', id)
		if len(name) > 64 {
			t.Errorf("%s has %d octets, and a local part has at most 64", name, len(name))
		}
		for _, form := range []string{name, strings.ToUpper(name)} {
			use, got, err := names.Read(form)
			if use != 'b' || got != id || err != nil {
				t.Errorf("%s gives %c %+v, %v; want %+v", form, use, got, err, id)
			}
		}
	}
}

// TestOldDeliveryNamesAreRead reads local parts from mails that were sent before subscribers
// had random ids.
func TestOldDeliveryNamesAreRead(t *testing.T) {
	t.Parallel()
	names := NewDeliveries(testSecret)
	const edition = "0b29a4c6-95b2-4a3e-8d0f-0a6f6f1d2c3b"
	for name, want := range map[string]Delivery{
		"b-aefstjggswzeupunb4fg63y5fq5svqss6u7c7z3flksq": {edition, Person{Row: 42}},
		"u-aefstjggswzeupunb4fg63y5fq5subt6ntam3pvbm3hq": {edition, Person{Row: 42}},
		"m-aefstjggswzeupunb4fg63y5fq5sutrlptpy6owljdvq": {edition, Person{Row: 42}},
		"b-aavm57owksxz2gqixa":                           {"", Person{Row: 42}},
		"b-aicxg2dpoj2cu4ycqct4g4notpgq":                 {"short", Person{Row: 42}},
	} {
		use, got, err := names.Read(name)
		if use != name[0] || got != want || err != nil {
			t.Errorf("%s gives %c %+v, %v; want %+v", name, use, got, err, want)
		}
	}
}

// TestSameTickGivesSameNames checks that a mail sent again after a restore has the same
// Message-ID, so that receivers recognise the second copy.
func TestSameTickGivesSameNames(t *testing.T) {
	t.Parallel()
	one, other := NewDeliveries(testSecret), NewDeliveries(testSecret)
	name := func(d *Deliveries, digest, tick string, who uuid.UUID) string {
		return d.Name('m', Delivery{d.EditionID(digest, tick), PersonOf(who)})
	}
	want := name(one, "weekly", "2026-03-27T07:00", ann)
	if got := name(other, "weekly", "2026-03-27T07:00", ann); got != want {
		t.Errorf("another process makes %s of the same tick and person, want %s", got, want)
	}
	for what, got := range map[string]string{
		"another digest": name(one, "daily", "2026-03-27T07:00", ann), "another tick": name(one, "weekly", "2026-04-03T07:00", ann),
		"another person": name(one, "weekly", "2026-03-27T07:00", uuid.New()), "digest and tick cut elsewhere": name(one, "weekly2", "026-03-27T07:00", ann),
		"another secret": name(NewDeliveries([]byte("another secret of enough octets!")), "weekly", "2026-03-27T07:00", ann),
	} {
		if got == want {
			t.Errorf("%s gives the same name", what)
		}
	}
	if id := uuid.MustParse(one.EditionID("weekly", "x")); id.Version() != 8 || id.Variant() != uuid.RFC4122 {
		t.Errorf("%s is a UUID of version %d", id, id.Version())
	}
}

func TestForgedDeliveryNamesAreRefused(t *testing.T) {
	t.Parallel()
	names := NewDeliveries(testSecret)
	for _, id := range []Delivery{{someEdition, PersonOf(ann)}, {someEdition, Person{Row: 42}}} {
		good := names.Name('b', id)
		forged := []string{
			"", "b-", "b-aaaa", "b-" + strings.Repeat("a", 61), "u" + good[1:], "m" + good[1:], "b" + good[2:], "b-" + good, good + "a", good[:len(good)-1],
			NewDeliveries([]byte("another secret of enough octets!")).Name('b', id), strings.Repeat("b-", 300),
		}
		for i := 2; i < len(good)-1; i++ { // the last letter has spare bits
			c := byte('a')
			if good[i] == 'a' {
				c = 'b'
			}
			forged = append(forged, good[:i]+string(c)+good[i+1:])
		}
		for _, s := range forged {
			if _, got, err := names.Read(s); !errors.Is(err, ErrNotOurs) {
				t.Errorf("%q gives %+v, %v", s, got, err)
			}
		}
	}
}

func FuzzReadDelivery(f *testing.F) {
	names := NewDeliveries(testSecret)
	f.Add(names.Name('b', Delivery{someEdition, PersonOf(ann)}))
	f.Add(names.Name('b', Delivery{someEdition, Person{Row: 42}}))
	f.Add("b-")
	f.Fuzz(func(t *testing.T, s string) {
		if use, id, err := names.Read(s); err == nil {
			if again, got, err := names.Read(names.Name(use, id)); err != nil || got != id || again != use {
				t.Errorf("%q gives %c %+v, which comes back as %c %+v (%v)", s, use, id, again, got, err)
			}
		}
		_, _ = decodeOldDelivery([]byte(s))
	})
}
