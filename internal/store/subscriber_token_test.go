package store_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/uuid"

	"github.com/tidings-press/tidings/internal/store"
	"github.com/tidings-press/tidings/internal/subscriber"
	"github.com/tidings-press/tidings/internal/testkit/storetest"
	"github.com/tidings-press/tidings/internal/token"
)

func TestEverySubscriberHasARandomID(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		ada := addSubscriber(t, s, "ada@example.org", subscriber.Active)
		importAll(t, s, 600)
		seen := map[uuid.UUID]bool{}
		for one, err := range s.Subscribers(t.Context(), store.SubscriberQuery{}) {
			if err != nil {
				t.Fatal(err)
			}
			if one.UID == uuid.Nil || seen[one.UID] {
				t.Fatalf("person %d has the id %s", one.ID, one.UID)
			}
			seen[one.UID] = true
		}
		if len(seen) != 601 {
			t.Errorf("%d people, want 601", len(seen))
		}
		got, err := s.SubscriberByToken(t.Context(), token.PersonOf(ada.UID))
		if err != nil || got.ID != ada.ID {
			t.Errorf("%s is person %d, %v; want %d", ada.UID, got.ID, err, ada.ID)
		}
		for _, unknown := range []token.Person{{}, token.PersonOf(uuid.New()), {Row: ada.ID}} {
			if got, err := s.SubscriberByToken(t.Context(), unknown); !errors.Is(err, store.ErrNotFound) {
				t.Errorf("%s is person %d, %v", unknown, got.ID, err)
			}
		}
	})
}

// TestOldTokensAreValidForSubscribersOfTheirTimeOnly: a token with a row number was made for a
// subscriber who existed before random ids were introduced. A subscriber who gets that number
// later, as after a restore, must not be found by it.
func TestOldTokensAreValidForSubscribersOfTheirTimeOnly(t *testing.T) {
	t.Parallel()
	for _, engine := range storetest.Engines {
		t.Run(string(engine), func(t *testing.T) {
			t.Parallel()
			dsn := emptyDSN(t, engine)
			db, err := store.MigrateTo(t.Context(), dsn, 11)
			if err != nil {
				t.Fatal(err)
			}
			for _, name := range []string{"ann", "bob"} {
				if _, err := db.ExecContext(t.Context(), strings.ReplaceAll(`INSERT INTO subscribers (address_key, address, name, state, language, timezone,
					consent_source, consent_text, consent_ip, consent_at, created, changed, soft, soft_from)
					VALUES ('WHO@example.org', 'WHO@example.org', 'WHO', 'active', '', '', '', '', '', 0, 1, 1, 0, 0)`, "WHO", name)); err != nil {
					t.Fatal(err)
				}
			}
			if err := db.Close(); err != nil {
				t.Fatal(err)
			}
			if _, err := store.Migrate(t.Context(), dsn, store.Options{}); err != nil {
				t.Fatal(err)
			}
			s := storetest.Reopen(t, dsn, store.Options{})
			alice := addSubscriber(t, s, "alice@example.org", subscriber.Active)
			for row, want := range map[int64]string{1: "ann@example.org", 2: "bob@example.org", alice.ID: ""} {
				got, err := s.SubscriberByToken(t.Context(), token.Person{Row: row})
				if want == "" && !errors.Is(err, store.ErrNotFound) || want != "" && (err != nil || got.Address.String() != want || got.UID == uuid.Nil) {
					t.Errorf("row %d means %s, %v; want %q", row, got.Address, err, want)
				}
			}
		})
	}
}
