package app_test

import (
	"testing"

	"github.com/tidings-press/tidings/feed"
	"github.com/tidings-press/tidings/internal/article"
	"github.com/tidings-press/tidings/internal/store"
	"github.com/tidings-press/tidings/internal/testkit"
	"github.com/tidings-press/tidings/internal/testkit/feedrules"
	"github.com/tidings-press/tidings/internal/testkit/storetest"
)

// TestTenThousandArticlesAreWalkedOverHTTP follows the links of each format from the newest
// document to the end of the history, while articles are added at every step.
func TestTenThousandArticlesAreWalkedOverHTTP(t *testing.T) {
	testkit.Slow(t)
	if testkit.RaceDetector {
		t.Skip("reading ten thousand articles takes minutes with the race detector, so scripts/run-tests runs it without")
	}
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		stored := 10_000
		want := map[string]bool{}
		for first := 0; first < stored; first += 1000 {
			var batch []article.Article
			for i := range 1000 {
				a := feedrules.Article(first + i)
				a.HTML = "<p>Short.</p>"
				batch = append(batch, a)
			}
			for _, id := range putArticles(t, s, batch...) {
				want[feed.EntryID(id)] = true
			}
		}
		server := publish(t, s, feed.Definition{Kind: feed.Everything, Limit: 400})
		next := stored
		arrive := func() {
			putArticles(t, s, feedrules.Article(next), feedrules.Article(next+1))
			next += 2
		}
		for _, format := range feed.Formats {
			walk(t, format, server.URL+"/"+string(format), want, arrive)
		}
	})
}

// walk follows prev-archive (next_url in JSON), and checks each page by RFC 5005, section 4.
func walk(t *testing.T, format feed.Format, newest string, want map[string]bool, arrive func()) {
	t.Helper()
	seen, pages := map[string]int{}, 0
	for address := newest; address != ""; pages++ {
		p := read(t, format, address)
		for _, id := range p.ids {
			seen[id]++
		}
		first, last := address == newest, p.links["prev-archive"] == ""
		if format != feed.FormatJSON && (p.self != address || p.isArchive == first || !first && p.links["current"] != newest || last && p.links["next-archive"] == "") {
			t.Errorf("%s: links %v, archive %t", address, p.links, p.isArchive)
		}
		address = p.links["prev-archive"]
		arrive()
	}
	missing, twice := 0, 0
	for id := range want {
		if seen[id] == 0 {
			missing++
		}
	}
	for _, times := range seen {
		if times > 1 {
			twice++
		}
	}
	if missing > 0 || twice > 0 || pages < len(want)/700 {
		t.Errorf("%s: on %d pages %d articles are missing, %d are repeated", format, pages, missing, twice)
	}
	t.Logf("%s: %d articles on %d pages", format, len(seen), pages)
}
