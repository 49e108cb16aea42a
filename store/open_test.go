package store_test

import (
	"testing"

	"github.com/tidings-press/tidings/store"
	"github.com/tidings-press/tidings/store/storetest"
)

func TestAStoreOpensAndAnswers(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		if err := s.Ping(t.Context()); err != nil {
			t.Fatal(err)
		}
		first, err := s.Secret(t.Context(), "x")
		if err != nil || len(first) != 32 {
			t.Fatalf("secret: %x %v", first, err)
		}
	})
}
