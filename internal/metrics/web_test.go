package metrics_test

import (
	"net/http"
	"testing"

	"github.com/tidings-press/tidings/internal/metrics"
)

// countCachedFeed counts what a feed that is answered from memory counts.
func countCachedFeed() {
	metrics.FeedCache.Hit()
	metrics.FeedRequest(http.StatusOK, 1)
	metrics.HTTPRequest(http.StatusOK, 0)
}

func TestCountingCachedFeedAllocatesNothing(t *testing.T) {
	countCachedFeed() // finds the counters
	if n := testing.AllocsPerRun(100, countCachedFeed); n > 0 {
		t.Errorf("%v allocations for each request", n)
	}
}

func BenchmarkCountingCachedFeed(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		countCachedFeed()
	}
}

func BenchmarkCountingCachedFeedInParallel(b *testing.B) {
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			countCachedFeed()
		}
	})
}
