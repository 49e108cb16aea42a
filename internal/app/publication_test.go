package app_test

import (
	"fmt"
	"io"
	"net/http"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/tidings-press/tidings/internal/article/ingest"
	"github.com/tidings-press/tidings/internal/store"
	"github.com/tidings-press/tidings/internal/testkit"
)

// getPage fetches a page of a running service.
func (r *running) getPage(t *testing.T, path string) (int, string) {
	t.Helper()
	response, err := http.Get("http://" + r.address + path)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return response.StatusCode, string(body)
}

// TestWithheldArticlesAreNowhere imports articles that their authors withhold into a running
// service and searches feeds, lists, searches and editions for them. Without the marks each of them
// is published.
func TestWithheldArticlesAreNowhere(t *testing.T) {
	t.Parallel()
	r := start(t, "site: {url: https://press.example}\n")
	dir := t.TempDir()
	marks := []string{"draft: yes", "published: false", "status: private", "unlisted: true", "publishDate: 2099-01-01", "expiryDate: 2026-05-02", "build: {render: never, list: never}"}
	writeMarked := func(kept bool) {
		for i, mark := range marks {
			if !kept {
				mark = "tags: [out]"
			}
			write(t, dir, map[string]string{fmt.Sprintf("kept%d.md", i): fmt.Sprintf("---\ntitle: Kept %d\ndate: 2026-05-01\n%s\n---\nSecretword text.\n", i, mark)})
		}
	}
	im := ingest.Importer{Store: r.press.Store, Config: r.press.Config}
	importAll := func() ingest.Summary {
		t.Helper()
		sum, err := im.Import(t.Context(), dir)
		if err != nil || sum.Problems > 0 {
			t.Fatal(sum, err)
		}
		return sum
	}
	pages := []string{"/", "/feed.xml", "/atom.xml", "/feed.json", "/search?q=secretword", "/search/feed.json?q=secretword", "/tags/"}
	mailed := func() int {
		t.Helper()
		found, err := r.press.Store.WaitingArticles(t.Context(), store.QueueQuery{Digest: "weekly", Now: r.press.Store.Now(), Limit: 100})
		if err != nil {
			t.Fatal(err)
		}
		return len(found)
	}
	shown := func(path string) bool {
		_, body := r.getPage(t, path)
		return strings.Contains(body, "Kept ") || strings.Contains(body, ">out<")
	}

	writeMarked(true)
	if sum := importAll(); sum.Created != len(marks) || sum.Withheld != len(marks) {
		t.Errorf("%+v", sum)
	}
	write(t, dir, map[string]string{"control.md": articleFile("Control", "Out.")})
	importAll()
	testkit.Eventually(t, "the control article is in the feed", func() bool { _, body := r.getPage(t, "/feed.xml"); return strings.Contains(body, "Control") })
	for _, path := range pages {
		if shown(path) {
			t.Errorf("%s shows a withheld article", path)
		}
	}
	if n := mailed(); n != 1 {
		t.Errorf("%d articles would be mailed, want only the control article", n)
	}
	for i, mark := range marks {
		want := http.StatusNotFound
		if strings.HasPrefix(mark, "unlisted") {
			want = http.StatusOK
		}
		if status, _ := r.getPage(t, fmt.Sprintf("/articles/kept%d", i)); status != want {
			t.Errorf("%s: its page answers %d, want %d", mark, status, want)
		}
	}

	writeMarked(false)
	if sum := importAll(); sum.Updated != len(marks) || sum.Withheld != 0 {
		t.Errorf("published: %+v", sum)
	}
	testkit.Eventually(t, "all are in the feed", func() bool {
		_, body := r.getPage(t, "/feed.xml")
		return strings.Count(body, "<title>Kept ") == len(marks)
	})
	if n := mailed(); n != len(marks)+1 {
		t.Errorf("%d articles would be mailed, want %d", n, len(marks)+1)
	}

	writeMarked(true)
	importAll()
	testkit.Eventually(t, "no withheld article is in the feed", func() bool { _, body := r.getPage(t, "/feed.xml"); return !strings.Contains(body, "Kept ") })
	if n := mailed(); n != 1 {
		t.Errorf("%d articles would be mailed after they were withheld again", n)
	}
}

// TestArticlesAppearAndExpireOnTime waits for the dates of two articles.
func TestArticlesAppearAndExpireOnTime(t *testing.T) {
	testkit.Slow(t)
	t.Parallel()
	r := start(t, "site: {url: https://press.example}\n")
	dir := t.TempDir()
	im := ingest.Importer{Store: r.press.Store, Config: r.press.Config}
	importFile := func(name string) {
		t.Helper()
		if _, err := im.Import(t.Context(), filepath.Join(dir, name)); err != nil {
			t.Fatal(err)
		}
	}
	write(t, dir, map[string]string{"goes.md": "---\ntitle: Goes\ndate: 2026-05-01\n---\nText.\n"})
	importFile("goes.md")
	soon := time.Now().Add(4 * time.Second).UTC().Truncate(time.Second)
	at := soon.Format(time.RFC3339)
	write(t, dir, map[string]string{
		"comes.md": "---\ntitle: Comes\ndate: 2026-05-01\ntags: [Arrival]\npublishDate: " + at + "\n---\nText.\n",
		"goes.md":  "---\ntitle: Goes\ndate: 2026-05-01\nexpiryDate: " + at + "\n---\nText.\n",
	})
	importFile("comes.md")
	importFile("goes.md")
	// On a busy machine the import can end after the date. The page is then there already.
	for _, path := range []string{"/articles/comes", "/tags/Arrival/", "/tags/Arrival/feed.xml"} {
		if status, _ := r.getPage(t, path); status != http.StatusNotFound && time.Now().Before(soon) {
			t.Errorf("%s tells of a scheduled article: status %d", path, status)
		}
	}
	testkit.Eventually(t, "one article appears and the other expires", func() bool {
		_, feed := r.getPage(t, "/feed.xml")
		comes, _ := r.getPage(t, "/articles/comes")
		goes, _ := r.getPage(t, "/articles/goes")
		tagged, _ := r.getPage(t, "/tags/Arrival/feed.xml")
		return strings.Contains(feed, "Comes") && !strings.Contains(feed, "Goes") && comes == http.StatusOK && goes == http.StatusGone && tagged == http.StatusOK
	})
}

// articleFile returns the content of a file with an article.
func articleFile(title, body string) string {
	return "---\ntitle: " + title + "\ndate: 2026-05-01\n---\n" + body + "\n"
}
