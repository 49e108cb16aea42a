package feedserver_test

import (
	"net/http"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/tidings-press/tidings/internal/feedserver"
	"github.com/tidings-press/tidings/internal/testkit/feedrules"
)

// lastModified returns the Last-Modified of a feed.
func (b *env) lastModified(t *testing.T, path string) time.Time {
	t.Helper()
	at, err := http.ParseTime(b.get(t, path).Header.Get("Last-Modified"))
	if err != nil {
		t.Fatal(path, err)
	}
	return at
}

func TestRecentEditIsNotAnsweredWith304(t *testing.T) {
	t.Parallel()
	b := setup(t, nil)
	b.get(t, "/feed.xml")
	edited := feedrules.Article(3)
	edited.Title = "Edited"
	b.source.Put(edited)
	b.server.Changed()
	for _, want := range []int{http.StatusOK, http.StatusNotModified} { // at once, when the date is too young, and later
		date := b.get(t, "/feed.xml").Header.Get("Last-Modified")
		if got := b.get(t, "/feed.xml", "If-Modified-Since", date); got.StatusCode != want || got.Header.Get("Last-Modified") != date {
			t.Errorf("since %s: %d with the date %q, want %d", date, got.StatusCode, got.Header.Get("Last-Modified"), want)
		}
		b.pass(time.Minute)
	}
}

func TestRecentDateIsSentOnceSettled(t *testing.T) {
	t.Parallel()
	b := setup(t, nil)
	before := b.lastModified(t, "/feed.xml")
	edited := feedrules.Article(3)
	edited.Tags = nil
	b.source.Put(edited)
	b.server.Changed()
	for last := before; !last.Equal(feedrules.Noon); b.pass(500 * time.Millisecond) {
		now := b.lastModified(t, "/feed.xml")
		if now.Before(last) || b.now().Sub(now) <= 2*time.Second || b.now().Sub(feedrules.Noon) > 10*time.Second {
			t.Fatalf("at %v: Last-Modified is %v after %v", b.now(), now, last)
		}
		last = now
	}
}

func TestExportedFilesHaveModificationTimes(t *testing.T) {
	t.Parallel()
	b := setup(t, nil)
	gone := feedrules.Article(3)
	gone.Tags = nil
	b.source.Put(gone)
	b.pass(time.Hour)
	dir := t.TempDir()
	if _, err := b.server.Write(t.Context(), dir, feedserver.Export{}); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{"/feed.xml", "/atom.xml", "/feeds/short/feed.json", "/feeds.opml"} {
		file, err := os.Stat(filepath.Join(dir, filepath.FromSlash(path)))
		if err != nil {
			t.Fatal(err)
		}
		if want := b.lastModified(t, path); !file.ModTime().Equal(want) || !want.Equal(feedrules.Noon) {
			t.Errorf("%s: the file is of %v, Last-Modified is %v, want %v", path, file.ModTime(), want, feedrules.Noon)
		}
	}
}
