package store_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/tidings-press/tidings/store"
	"github.com/tidings-press/tidings/store/storetest"
	"github.com/tidings-press/tidings/subscriber"
)

// lister writes a list of n addresses.
func list(n int) *strings.Reader {
	var out strings.Builder
	out.WriteString("email,name\n")
	for i := range n {
		// a multiplier spreads neighbours over the index, as real lists do
		fmt.Fprintf(&out, "reader.%d@example%d.org,Reader Number %d\n", (i*7919)%n, i%500, i)
	}
	return strings.NewReader(out.String())
}

func BenchmarkImport(b *testing.B) {
	for _, engine := range storetest.Engines {
		b.Run(string(engine), func(b *testing.B) {
			const n = 200_000
			for b.Loop() {
				s := storetest.Open(b, engine, store.Options{})
				start := time.Now()
				result, err := s.ImportSubscribers(b.Context(), subscriber.ReadList(list(n), subscriber.ListOptions{}), store.ImportOptions{Digests: []string{"weekly"}})
				if err != nil || result.Added != n {
					b.Fatalf("%+v %v", result, err)
				}
				b.ReportMetric(n/time.Since(start).Seconds(), "lines/s")
			}
		})
	}
}
