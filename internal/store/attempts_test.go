package store_test

import (
	"sync"
	"sync/atomic"
	"testing"

	"github.com/tidings-press/tidings/internal/store"
	"github.com/tidings-press/tidings/internal/subscriber"
	"github.com/tidings-press/tidings/internal/testkit/storetest"
)

func TestRequestLimitsAreSharedByAllNodes(t *testing.T) {
	t.Parallel()
	for _, engine := range storetest.Engines {
		t.Run(string(engine), func(t *testing.T) {
			t.Parallel()
			dsn := storetest.DSN(t, engine)
			nodes := []*store.Store{storetest.Reopen(t, dsn, store.Options{}), storetest.Reopen(t, dsn, store.Options{})}
			var granted atomic.Int64
			var work sync.WaitGroup
			for i := range 40 {
				work.Go(func() {
					over, err := nodes[i%2].CountRequest(t.Context(), store.RequestLimit{Name: "all", Key: "all", Max: 1000}, store.RequestLimit{Name: "mailbox", Key: "m", Max: 7})
					if err != nil {
						t.Error(err)
					}
					if over == "" {
						granted.Add(1)
					} else if over != "mailbox" {
						t.Errorf("over the limit %q", over)
					}
				})
			}
			work.Wait()
			if granted.Load() != 7 {
				t.Errorf("%d were granted, want 7", granted.Load())
			}
			// The refused requests used nothing of the other limits.
			if over, err := nodes[0].CountRequest(t.Context(), store.RequestLimit{Name: "all", Key: "all", Max: 8}); over != "" || err != nil {
				t.Errorf("over the limit %q, %v", over, err)
			}
		})
	}
}

func TestSpellingsOfOneMailboxHaveOneKey(t *testing.T) {
	t.Parallel()
	s := storetest.Open(t, store.SQLite, store.Options{})
	key := func(address string) string {
		k, err := s.MailboxKey(t.Context(), subscriber.MustParseAddress(address))
		if err != nil {
			t.Fatal(err)
		}
		return k
	}
	for _, same := range [][]string{
		{"Ada@example.org", "ada+1@example.org", "ADA+news+more@EXAMPLE.org"},
		{"ada.b@gmail.com", "adab@googlemail.com", "A.D.A.B+x@gmail.com"},
		{"+x@example.org", "+X@example.org"},
	} {
		for _, address := range same {
			if key(address) != key(same[0]) {
				t.Errorf("%s and %s are counted separately", address, same[0])
			}
		}
	}
	for _, other := range []string{"a.da@example.org", "adab@example.org", "+y@example.org"} {
		if key(other) == key("ada@example.org") || key(other) == key("+x@example.org") {
			t.Errorf("%s is counted together with another mailbox", other)
		}
	}
}

func TestFormLanguagesCanBeCleared(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		for address, source := range map[string]string{"form@example.org": "form", "import@example.org": "import"} {
			p := subscriber.Subscriber{Address: subscriber.MustParseAddress(address), State: subscriber.Active, Language: "en", Consent: subscriber.Consent{Source: source}}
			if _, err := s.AddSubscriber(t.Context(), p); err != nil {
				t.Fatal(err)
			}
		}
		for _, dry := range []bool{true, false} {
			if n, err := s.ClearFormLanguage(t.Context(), "en", dry); n != 1 || err != nil {
				t.Errorf("%d, %v", n, err)
			}
		}
		if form, list := byAddress(t, s, "form@example.org"), byAddress(t, s, "import@example.org"); form.Language != "" || list.Language != "en" {
			t.Errorf("languages %q and %q", form.Language, list.Language)
		}
	})
}
