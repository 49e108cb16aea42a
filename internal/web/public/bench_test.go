package public_test

import (
	"net/http"
	"testing"

	"github.com/tidings-press/tidings/internal/store"
	"github.com/tidings-press/tidings/internal/testkit/storetest"
)

// What a reader's visit costs, store included.
func BenchmarkFrontPage(b *testing.B) {
	s := setup(b, storetest.Open(b, store.SQLite, store.Options{}))
	importSamples(b, s.store)
	for b.Loop() {
		if w := s.get("/"); w.Code != http.StatusOK {
			b.Fatal(w.Code)
		}
	}
}
