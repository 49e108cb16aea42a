package feed_test

import (
	"bufio"
	"bytes"
	"encoding/json"
	"html"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/mmcdole/gofeed"

	"github.com/tidings-press/tidings/feed"
	"github.com/tidings-press/tidings/internal/testkit/feedrules"
)

// parsedFeed is a document as a feed reader's parser returns it.
type parsedFeed struct {
	Bozo    bool
	Problem string
	Title   string
	Items   []parsedItem
}

// parsedItem is an article as a feed reader's parser returns it. Lists are nil if the parser
// has none.
type parsedItem struct {
	ID, Title, Link    string
	Published, Updated string // RFC 3339, in seconds
	Content            string // HTML
	Enclosures         []string
	Authors            []string
	Categories         []string
}

// expectedFeed returns the content of the JSON document, which all parsers must agree with.
func expectedFeed(t *testing.T, s feed.Selection) parsedFeed {
	t.Helper()
	var doc struct {
		Title string
		Items []struct {
			ID, Title, URL string
			Published      string `json:"date_published"`
			Modified       string `json:"date_modified"`
			HTML           string `json:"content_html"`
			Text           string `json:"content_text"`
			Attachments    []struct{ URL string }
			Authors        []struct{ Name string }
			Tags           []string
		}
	}
	if err := json.Unmarshal(render(t, feed.FormatJSON, s), &doc); err != nil {
		t.Fatalf("JSON Feed: %v", err)
	}
	want := parsedFeed{Title: doc.Title}
	for _, item := range doc.Items {
		one := parsedItem{ID: item.ID, Title: item.Title, Link: item.URL, Published: item.Published, Updated: item.Modified, Content: item.HTML, Categories: item.Tags}
		if one.Content == "" {
			one.Content = html.EscapeString(item.Text)
		}
		for _, a := range item.Attachments {
			one.Enclosures = append(one.Enclosures, a.URL)
		}
		for _, a := range item.Authors {
			one.Authors = append(one.Authors, a.Name)
		}
		want.Items = append(want.Items, one)
	}
	return want
}

func compare(t *testing.T, where string, got, want parsedFeed) {
	t.Helper()
	if got.Title != want.Title {
		t.Errorf("%s: the feed's title is %q, want %q", where, got.Title, want.Title)
	}
	if len(got.Items) != len(want.Items) {
		t.Fatalf("%s: %d items, want %d", where, len(got.Items), len(want.Items))
	}
	for i := range want.Items {
		compareItem(t, where, &got.Items[i], &want.Items[i])
	}
}

func compareItem(t *testing.T, where string, got, want *parsedItem) {
	t.Helper()
	for _, field := range []struct{ what, got, want string }{
		{"id", got.ID, want.ID}, {"title", got.Title, want.Title}, {"link", got.Link, want.Link},
		{"published", got.Published, want.Published}, {"updated", got.Updated, want.Updated},
		{"content", lettersIfDifferent(got.Content == want.Content, got.Content), lettersIfDifferent(got.Content == want.Content, want.Content)},
	} {
		if field.got != field.want {
			t.Errorf("%s: %s of %s is %.300q, want %.300q", where, field.what, want.Link, field.got, field.want)
		}
	}
	for _, field := range []struct {
		what      string
		got, want []string
	}{{"enclosures", got.Enclosures, want.Enclosures}, {"authors", got.Authors, want.Authors}, {"categories", got.Categories, want.Categories}} {
		if !slices.Equal(field.got, field.want) {
			t.Errorf("%s: %s of %s are %q, want %q", where, field.what, want.Link, field.got, field.want)
		}
	}
}

// lettersIfDifferent returns the letters of HTML, or "" if the HTML is the same anyway, which
// saves time.
func lettersIfDifferent(same bool, markup string) string {
	if same {
		return ""
	}
	return feedrules.Letters(markup)
}

// keepRSSEnclosure reduces the wanted enclosures to the one that is in RSS.
func keepRSSEnclosure(got, want *parsedFeed) {
	want.Items = slices.Clone(want.Items)
	for i := range min(len(got.Items), len(want.Items)) {
		kept := got.Items[i].Enclosures
		for _, address := range want.Items[i].Enclosures {
			if slices.Contains(kept, address) {
				want.Items[i].Enclosures = []string{address}
				break
			}
		}
	}
}

// skipAddressLikeNames ignores authors whose name gofeed splits in JSON, as if it contained
// an address.
func skipAddressLikeNames(got, want *parsedFeed) {
	want.Items = slices.Clone(want.Items)
	for i := range min(len(got.Items), len(want.Items)) {
		if strings.ContainsAny(strings.Join(want.Items[i].Authors, ""), "(<@") {
			got.Items[i].Authors, want.Items[i].Authors = nil, nil
		}
	}
}

// skipUnknownDates ignores the publication date that gofeed takes from the update of an
// undated article.
func skipUnknownDates(got, want *parsedFeed) {
	for i := range min(len(got.Items), len(want.Items)) {
		if want.Items[i].Published == "" {
			got.Items[i].Published = ""
		}
	}
}

// ambiguous matches text in RSS that feedparser takes for HTML or an address.
var ambiguous = regexp.MustCompile(`&#?\w+;|</\w+>|@|\x{C3}`)

// skipAmbiguous ignores the texts that feedparser changes. A document cannot declare that
// they are plain text.
func skipAmbiguous(got, want *parsedFeed) {
	if ambiguous.MatchString(want.Title) {
		got.Title = want.Title
	}
	for i := range min(len(got.Items), len(want.Items)) {
		g, w := &got.Items[i], &want.Items[i]
		if ambiguous.MatchString(w.Title) {
			g.Title = w.Title
		}
		if ambiguous.MatchString(strings.Join(append(w.Authors, w.Categories...), " ")) {
			g.Authors, g.Categories = w.Authors, w.Categories
		}
	}
}

func seconds(at *time.Time) string {
	if at == nil {
		return ""
	}
	return at.UTC().Truncate(time.Second).Format(time.RFC3339)
}

// readGofeed parses a document with gofeed.
func readGofeed(t *testing.T, f feed.Format, data []byte) parsedFeed {
	t.Helper()
	parsed, err := gofeed.NewParser().Parse(bytes.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	got := parsedFeed{Title: parsed.Title}
	for _, item := range parsed.Items {
		one := parsedItem{
			ID: item.GUID, Title: item.Title, Link: item.Link, Published: seconds(item.PublishedParsed), Updated: seconds(item.UpdatedParsed),
			Content: item.Content, Categories: item.Categories,
		}
		switch {
		case f == feed.FormatRSS && one.Content == "":
			one.Content = item.Description
		case one.Content == "" || one.Content == item.Description: // content_text in JSON
			one.Content = html.EscapeString(item.Description)
		}
		for _, author := range item.Authors {
			one.Authors = append(one.Authors, author.Name)
		}
		if f == feed.FormatRSS && item.DublinCoreExt != nil {
			one.Authors = item.DublinCoreExt.Creator
		}
		for _, enclosure := range item.Enclosures {
			one.Enclosures = append(one.Enclosures, enclosure.URL)
		}
		got.Items = append(got.Items, one)
	}
	return got
}

func TestGofeedReadsSameFromAllFormats(t *testing.T) {
	t.Parallel()
	for name, s := range selections() {
		want := expectedFeed(t, s)
		for _, f := range feed.Formats {
			got, want := readGofeed(t, f, render(t, f, s)), want
			switch f {
			case feed.FormatRSS:
				keepRSSEnclosure(&got, &want)
			case feed.FormatAtom:
				skipUnknownDates(&got, &want)
			case feed.FormatJSON:
				skipAddressLikeNames(&got, &want)
			}
			compare(t, name+", "+string(f), got, want)
		}
	}
}

func TestFeedparserAcceptsXML(t *testing.T) {
	t.Parallel()
	const python = "/usr/bin/python3" // Debian's own, which has Debian's modules
	if err := exec.Command(python, "-c", "import feedparser").Run(); err != nil {
		t.Skip("SKIPPED: feedparser is not installed (apt-get install python3-feedparser)")
	}
	all := selections()
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
			var got parsedFeed
			if !lines.Scan() {
				t.Fatalf("feedparser has no result for %s", name)
			}
			if err := json.Unmarshal(lines.Bytes(), &got); err != nil {
				t.Fatal(err)
			}
			shape := strings.TrimSuffix(filepath.Base(name), "."+string(f))
			if got.Bozo {
				t.Errorf("%s, %s is bozo: %s", shape, f, got.Problem)
			}
			want := expectedFeed(t, all[shape])
			if f == feed.FormatRSS {
				keepRSSEnclosure(&got, &want)
			}
			skipAmbiguous(&got, &want)
			compare(t, shape+", "+string(f), got, want)
		}
	}
}
