package feed_test

import (
	"bufio"
	"bytes"
	"encoding/json"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/mmcdole/gofeed"

	"github.com/tidings-press/tidings/feed"
)

// reading is what a reader makes of a document.
type reading struct {
	Bozo       bool
	Problem    string
	Version    string
	Title      string
	IDs        []string `json:"ids"`
	Titles     []string
	Links      []string
	Updated    []string
	Contents   []int
	Enclosures [][]string
}

// joined takes out the word joiner that keeps an end tag in an RSS title from
// being one.
func joined(titles []string) []string {
	var out []string
	for _, title := range titles {
		out = append(out, strings.ReplaceAll(title, "\u2060", ""))
	}
	return out
}

// written is what the JSON document says, which no parser may differ from.
func written(t *testing.T, s feed.Selection) reading {
	t.Helper()
	var doc struct {
		Title string
		Items []struct{ ID, Title, URL string }
	}
	if err := json.Unmarshal(render(t, feed.FormatJSON, s), &doc); err != nil {
		t.Fatalf("JSON Feed: %v", err)
	}
	want := reading{Title: doc.Title}
	for _, item := range doc.Items {
		want.IDs = append(want.IDs, item.ID)
		want.Titles = append(want.Titles, item.Title)
		want.Links = append(want.Links, item.URL)
	}
	return want
}

func compare(t *testing.T, where string, got, want reading) {
	t.Helper()
	if !slices.Equal(got.IDs, want.IDs) {
		t.Errorf("%s: ids differ:\n%q\n%q", where, got.IDs, want.IDs)
	}
	if !slices.Equal(got.Links, want.Links) {
		t.Errorf("%s: links differ:\n%q\n%q", where, got.Links, want.Links)
	}
	for i, title := range joined(got.Titles) {
		if i < len(want.Titles) && title != want.Titles[i] {
			t.Errorf("%s: title %d is %q, want %q", where, i, title, want.Titles[i])
		}
	}
	if joined([]string{got.Title})[0] != want.Title {
		t.Errorf("%s: the feed's title is %q, want %q", where, got.Title, want.Title)
	}
}

func TestGofeedReadsAllFormatsAlike(t *testing.T) {
	t.Parallel()
	for name, s := range selections() {
		want := written(t, s)
		for _, f := range feed.Formats {
			parsed, err := gofeed.NewParser().Parse(bytes.NewReader(render(t, f, s)))
			if err != nil {
				t.Errorf("%s, %s: %v", name, f, err)
				continue
			}
			got := reading{Title: parsed.Title}
			for _, item := range parsed.Items {
				got.IDs = append(got.IDs, item.GUID)
				got.Titles = append(got.Titles, item.Title)
				got.Links = append(got.Links, item.Link)
			}
			compare(t, name+", "+string(f), got, want)
		}
	}
}

func TestFeedparserReadsXMLWithoutComplaint(t *testing.T) {
	t.Parallel()
	const python = "/usr/bin/python3" // the one that sees Debian's modules
	if err := exec.Command(python, "-c", "import feedparser").Run(); err != nil {
		t.Skip("SKIPPED: feedparser is not installed (apt-get install python3-feedparser)")
	}
	for _, f := range []feed.Format{feed.FormatRSS, feed.FormatAtom} {
		names := files(t, f)
		cmd := exec.Command(python, append([]string{"testdata/read.py"}, names...)...)
		var problems bytes.Buffer
		cmd.Stderr = &problems
		out, err := cmd.Output()
		if err != nil {
			t.Fatalf("feedparser: %v\n%s", err, &problems)
		}
		lines := bufio.NewScanner(bytes.NewReader(out))
		lines.Buffer(nil, 64<<20)
		for _, name := range names {
			var got reading
			if !lines.Scan() {
				t.Fatalf("feedparser says nothing of %s", name)
			}
			if err := json.Unmarshal(lines.Bytes(), &got); err != nil {
				t.Fatal(err)
			}
			shape := strings.TrimSuffix(filepath.Base(name), "."+string(f))
			if got.Bozo {
				t.Errorf("%s, %s is bozo: %s", shape, f, got.Problem)
			}
			compare(t, shape+", "+string(f), got, written(t, selections()[shape]))
		}
	}
}
