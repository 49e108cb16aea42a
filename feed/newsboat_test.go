package feed_test

import (
	"database/sql"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	_ "modernc.org/sqlite"

	"github.com/tidings-press/tidings/feed"
)

// TestNewsboatReadsFeedsOverHTTP lets a reader with an XML parser of its own fetch
// every document and looks into its cache.
func TestNewsboatReadsFeedsOverHTTP(t *testing.T) {
	t.Parallel()
	newsboat := need(t, "newsboat", "newsboat")
	documents := map[string]feed.Selection{}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		name, format, _ := strings.Cut(strings.TrimPrefix(r.URL.Path, "/"), "/")
		w.Header().Set("Content-Type", feed.Format(format).MediaType())
		data, err := feed.Format(format).Render(feed.Prepare(documents[name]))
		if err != nil {
			t.Error(err)
		}
		_, _ = w.Write(data)
	}))
	defer server.Close()
	n := 0
	for name, s := range selections() {
		n++
		key := fmt.Sprint("s", n)
		documents[key] = s
		want := written(t, s)
		if len(want.IDs) == 0 {
			continue // nothing to find
		}
		for _, f := range []feed.Format{feed.FormatRSS, feed.FormatAtom} {
			got := reload(t, newsboat, server.URL+"/"+key+"/"+string(f))
			if !slices.Equal(slices.Sorted(slices.Values(got.IDs)), slices.Sorted(slices.Values(want.IDs))) {
				t.Errorf("%s, %s: newsboat has %d items, want %d", name, f, len(got.IDs), len(want.IDs))
			}
			for i, id := range got.IDs {
				if at := slices.Index(want.IDs, id); at >= 0 && joined(got.Titles)[i] != want.Titles[at] {
					t.Errorf("%s, %s: newsboat has the title %q, want %q", name, f, got.Titles[i], want.Titles[at])
				}
			}
		}
	}
}

// reload lets newsboat fetch one feed into a cache of its own: it takes an item
// that two feeds carry for one.
func reload(t *testing.T, newsboat, url string) reading {
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
	return reading{
		IDs:    column(t, db, "SELECT guid FROM rss_item ORDER BY id"),
		Titles: column(t, db, "SELECT title FROM rss_item ORDER BY id"),
	}
}

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

func column(t *testing.T, db *sql.DB, query string, args ...any) []string {
	t.Helper()
	rows, err := db.Query(query, args...)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	var all []string
	for rows.Next() {
		var one string
		if err := rows.Scan(&one); err != nil {
			t.Fatal(err)
		}
		all = append(all, one)
	}
	return all
}
