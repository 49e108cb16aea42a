package press_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/tidings-press/tidings/feed"
	"github.com/tidings-press/tidings/feed/serve"
	"github.com/tidings-press/tidings/press"
	"github.com/tidings-press/tidings/store"
	"github.com/tidings-press/tidings/store/storetest"
)

func TestTwoServicesOnOneMachineAreCountedTogether(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		now := time.Date(2026, 3, 2, 12, 0, 0, 0, time.UTC)
		for service := range 3 { // the third is the first one after a restart
			polls := serve.Polls{Feed: "/", Day: "2026-03-02", Requests: 10, Subscribers: map[string]int{fmt.Sprint("reader ", service): 5}}
			polls.Pollers.Add(uint64(service+1) * 0x9E3779B97F4A7C15)
			other := serve.Polls{Feed: "/tags/go/", Day: "2026-03-01", Requests: 1}
			recorder := press.NewFeedPolls(s, "one-host")
			if err := recorder.RecordPolls(t.Context(), []serve.Polls{polls, other}); err != nil {
				t.Fatal(err)
			}
		}
		elsewhere := serve.Polls{Feed: "/", Day: "2026-03-02", Requests: 100, NotModified: 50}
		if err := press.NewFeedPolls(s, "other-host").RecordPolls(t.Context(), []serve.Polls{elsewhere}); err != nil {
			t.Fatal(err)
		}
		got, err := press.NewFeedPolls(s, "").Readers(t.Context(), now)
		want := map[string]feed.Readers{"/": {Subscribers: 15, Pollers: 3, Polls: 130}, "/tags/go/": {Polls: 3}}
		if err != nil || fmt.Sprint(got) != fmt.Sprint(want) {
			t.Errorf("%v, %v; want %v", got, err, want)
		}
	})
}
