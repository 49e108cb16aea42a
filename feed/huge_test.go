package feed_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/tidings-press/tidings/feed"
	"github.com/tidings-press/tidings/internal/testkit"
	"github.com/tidings-press/tidings/internal/testkit/feedrules"
)

// hugeSizes returns sizes below and above feed.MaxBody, in megabytes.
func hugeSizes() []int {
	if testkit.RaceDetector {
		return []int{1, feed.MaxBody>>20 + 1}
	}
	return []int{4, 20}
}

// huge returns a selection of an article with a body of this size and a small one.
func huge(bytes int) feed.Selection {
	const paragraph = `<p>A long paragraph with <b>bold</b> words and a <a href="/link">link</a>.</p>`
	a := feedrules.Article(1)
	a.HTML = strings.Repeat(paragraph, bytes/len(paragraph))
	return selection(a, feedrules.Article(2))
}

func TestHugeArticleIsShortened(t *testing.T) {
	testkit.Slow(t)
	t.Parallel()
	for _, megabytes := range hugeSizes() {
		s := huge(megabytes << 20)
		prepared, want := feed.Prepare(s), expectedFeed(t, s)
		for _, f := range feed.Formats {
			where := fmt.Sprintf("%d MB, %s", megabytes, f)
			data, err := f.Render(prepared)
			if err != nil {
				t.Fatal(err)
			}
			if whole := megabytes<<20 <= feed.MaxBody; (len(data) > megabytes<<20*9/10) != whole {
				t.Errorf("%s: the document has %d bytes", where, len(data))
			}
			for _, problem := range append(feedrules.Problems(f, data), feedrules.MissingText(f, data, s.Items)...) {
				t.Errorf("%s: %s", where, problem)
			}
			compare(t, where, readGofeed(t, f, data), want)
		}
	}
}

// TestHugeArticleIsValidXML uses the same programs as the tests with small articles.
func TestHugeArticleIsValidXML(t *testing.T) {
	testkit.Slow(t)
	t.Parallel()
	jing, xmllint := requireProgram(t, "jing", "jing"), requireProgram(t, "xmllint", "libxml2-utils")
	for _, megabytes := range hugeSizes() {
		prepared := feed.Prepare(huge(megabytes << 20))
		for f, command := range map[feed.Format][]string{
			feed.FormatRSS:  {xmllint, "--noout", "--nonet"},
			feed.FormatAtom: {jing, "-c", "testdata/atom.rnc"},
		} {
			data, err := f.Render(prepared)
			if err != nil {
				t.Fatal(err)
			}
			name := filepath.Join(t.TempDir(), string(f))
			if err := os.WriteFile(name, data, 0o644); err != nil {
				t.Fatal(err)
			}
			if out, err := exec.Command(command[0], append(command[1:], name)...).CombinedOutput(); err != nil {
				t.Errorf("%d MB, %s: %v\n%.500s", megabytes, f, err, out)
			}
		}
	}
}

// TestBodyUpToMaxBodyIsComplete also checks that a body one byte longer is replaced by the
// summary.
func TestBodyUpToMaxBodyIsComplete(t *testing.T) {
	testkit.Slow(t)
	t.Parallel()
	a := feedrules.Article(1)
	for size, whole := range map[int]bool{feed.MaxBody: true, feed.MaxBody + 1: false} {
		a.HTML = strings.Repeat("x", size)
		_, _, object := read(t, selection(a)).firstItems()
		if _, there := object["content_html"]; there != whole || object["summary"] != "What article 1 says." {
			t.Errorf("%d bytes: whole %v, want %v", size, there, whole)
		}
	}
}
