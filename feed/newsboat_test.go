package feed_test

import (
	"database/sql"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	_ "modernc.org/sqlite"

	"github.com/tidings-press/tidings/feed"
	"github.com/tidings-press/tidings/internal/testkit/feedrules"
)

// TestNewsboatReadsFeedsOverHTTP has Newsboat, which has its own XML parser, fetch every
// document, and compares its cache with the articles.
func TestNewsboatReadsFeedsOverHTTP(t *testing.T) {
	t.Parallel()
	newsboat := requireProgram(t, "newsboat", "newsboat")
	shelf := newDocumentServer(t)
	for name, s := range selections() {
		for _, f := range []feed.Format{feed.FormatRSS, feed.FormatAtom} {
			address, s := shelf.put(t, f, s)
			want := expectedFeed(t, s)
			if len(want.Items) == 0 {
				continue // nothing to find
			}
			compareNewsboat(t, name+", "+string(f), readWithNewsboat(t, newsboat, address), want)
		}
	}
}

// compareNewsboat compares what newsboat stores: one date, one enclosure, one author.
func compareNewsboat(t *testing.T, where string, got []parsedItem, want parsedFeed) {
	t.Helper()
	if len(got) != len(want.Items) {
		t.Fatalf("%s: newsboat has %d items, want %d", where, len(got), len(want.Items))
	}
	for i, item := range want.Items {
		got := got[i]
		if got.ID != item.ID || got.Title != item.Title || got.Link != item.Link {
			t.Errorf("%s: item %d is %s, %q, %s, want %s, %q, %s", where, i, got.ID, got.Title, got.Link, item.ID, item.Title, item.Link)
		}
		if got.Published != item.Published && item.Published >= "1970" { // newsboat wraps earlier dates around to 2105
			t.Errorf("%s: %s is dated %s, want %s", where, item.Link, got.Published, item.Published)
		}
		if a, b := feedrules.Letters(got.Content), feedrules.Letters(item.Content); a != b {
			t.Errorf("%s: the content of %s is %.200q, want %.200q", where, item.Link, a, b)
		}
		if slices.ContainsFunc(item.Enclosures, isMP3) && !slices.Contains(item.Enclosures, got.Enclosures[0]) {
			t.Errorf("%s: the enclosure of %s is %q, want one of %q", where, item.Link, got.Enclosures, item.Enclosures)
		}
		if author := got.Authors[0]; len(item.Authors) > 0 && author != strings.Join(item.Authors, ", ") && !slices.Contains(item.Authors, author) {
			t.Errorf("%s: the author of %s is %q, want one of %q", where, item.Link, got.Authors, item.Authors)
		}
	}
}

// isMP3 reports whether newsboat stores an enclosure of the test's articles. It stores only
// sounds and pictures.
func isMP3(address string) bool {
	return strings.HasSuffix(address, ".mp3") && !strings.Contains(address, "relative")
}

// readWithNewsboat has newsboat fetch one feed into a new cache, since it merges items that
// are in two feeds, and returns the items.
func readWithNewsboat(t *testing.T, newsboat, url string) []parsedItem {
	t.Helper()
	dir := t.TempDir()
	write(t, filepath.Join(dir, "urls"), url+"\n")
	write(t, filepath.Join(dir, "config"), "max-items 0\n")
	cache := filepath.Join(dir, "cache.db")
	cmd := exec.Command(newsboat, "-u", filepath.Join(dir, "urls"), "-c", cache, "-C", filepath.Join(dir, "config"), "-x", "reload")
	cmd.Env = append(os.Environ(), "HOME="+dir, "LANG=C.UTF-8", "LC_ALL=C.UTF-8")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("newsboat: %v\n%s", err, out)
	}
	db, err := sql.Open("sqlite", cache)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	// Newsboat stores the last item of the document first.
	rows, err := db.Query("SELECT guid, title, url, pubDate, content, enclosure_url, author FROM rss_item ORDER BY id DESC")
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	var items []parsedItem
	for rows.Next() {
		item, date := parsedItem{Enclosures: []string{""}, Authors: []string{""}}, int64(0)
		if err := rows.Scan(&item.ID, &item.Title, &item.Link, &date, &item.Content, &item.Enclosures[0], &item.Authors[0]); err != nil {
			t.Fatal(err)
		}
		item.Published = time.Unix(date, 0).UTC().Format(time.RFC3339)
		items = append(items, item)
	}
	return items
}

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}
