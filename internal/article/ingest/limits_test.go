package ingest_test

import (
	"flag"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/tidings-press/tidings/internal/article/ingest"
	"github.com/tidings-press/tidings/internal/testkit"

	"github.com/tidings-press/tidings/internal/article/markup"
)

// within fails the test if f takes longer than most. The limits are generous because of busy
// machines and the race detector; the faults that they detect take minutes.
func within(t *testing.T, most time.Duration, f func()) {
	t.Helper()
	start := time.Now()
	f()
	if took := time.Since(start); took > most {
		t.Errorf("took %v, more than %v", took, most)
	}
}

func filled(unit string, size int) string { return strings.Repeat(unit, size/len(unit)) }

// TestHostileMarkdownTakesBoundedTime imports texts that take goldmark minutes without our
// limits.
func TestHostileMarkdownTakesBoundedTime(t *testing.T) {
	testkit.Slow(t)
	t.Parallel()
	for _, unit := range []string{"[a](", "*a_ ", ">", "> - ", "[a]: /b\n"} {
		t.Run(unit, func(t *testing.T) {
			t.Parallel()
			within(t, time.Minute, func() {
				file := ingest.File{Name: "a.md", Data: []byte(front + filled(unit, 190_000)), Modified: modified}
				ingest.Import(file, ingest.Options{Site: site}) // it may be refused; only the time counts
			})
		})
	}
}

func TestHostileMarkdownIsImported(t *testing.T) {
	t.Parallel()
	for _, unit := range []string{
		"![", "[[", "**a ", "~~a~", "[^1] ", "- ", "`a``b```", "<!--", "<?", "|a", "|a|b|\n|-|-|\n", "# a\n",
		"[^1]: a\n\n", "[a]: /b\n", "a\n: b\n\n", "&", "http://a.b(", "\t\t- \n", "1. ", "> > 1. ",
	} {
		importMarkdown(t, filled(unit, 10_000))
	}
}

func TestHostileHTMLTakesBoundedTimeAndSpace(t *testing.T) {
	testkit.Slow(t)
	t.Parallel()
	var distinct strings.Builder
	for i := range 400 {
		fmt.Fprintf(&distinct, "<b id=x%d>", i)
	}
	for name, source := range map[string]string{
		"elements that open again in every paragraph": distinct.String() + filled("<p>x", 60_000),
		"deep divs":        filled("<div>", 60_000),
		"deep tables":      filled("<table><tr><td>", 60_000),
		"open formatting":  filled("<p><b><i>", 60_000),
		"many attributes":  "<p " + filled("a=b ", 60_000) + ">",
		"unclosed frames":  filled("<iframe ", 60_000),
		"nested lists":     filled("<ul><li>", 60_000),
		"unclosed anchors": filled("<a href=x>", 60_000),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			within(t, time.Minute, func() {
				if out := markup.Sanitize(source, nil); len(out) > 4*len(source)+1<<16 {
					t.Errorf("%d bytes became %d", len(source), len(out))
				}
			})
		})
	}
}

var megabytes = flag.Int("megabytes", 1, "size of the article in TestLongArticleIsNotCut, 1 or 2")

func TestLongArticleIsNotCut(t *testing.T) {
	testkit.Slow(t)
	t.Parallel()
	paragraph := "Some words with **weight**, a [link](other.md) and `code`, as many as make a paragraph of usual length in a very long report.\n\n"
	body := filled(paragraph, *megabytes<<20)
	start := time.Now()
	a := importMarkdown(t, body)
	t.Logf("%d MB in %v", *megabytes, time.Since(start).Round(time.Millisecond))
	if got := strings.Count(a.HTML, `<a href="/articles/other">link</a>`); got != strings.Count(body, "[link]") {
		t.Errorf("%d links, want %d", got, strings.Count(body, "[link]"))
	}
	if len(a.Summary) > 2000 || a.Language != "en" {
		t.Errorf("language %q, summary of %d bytes", a.Language, len(a.Summary))
	}
}

func TestOversizedFileIsRefused(t *testing.T) {
	t.Parallel()
	_, problems := ingest.Import(ingest.File{Name: "huge.md", Data: make([]byte, ingest.MaxFile+1)}, ingest.Options{})
	if len(problems) != 1 || !strings.Contains(problems[0].Error(), "at most 8192 KB") {
		t.Errorf("problems %v", problems)
	}
}

func TestRepeatedPictureIsReadOnce(t *testing.T) {
	t.Parallel()
	reads := 0
	options := ingest.Options{Site: site, Media: func(string) ([]byte, error) { reads++; return []byte(onePixel), nil }}
	one := importOne(t, "a.md", front+filled("![x](a.png) ![y](./a.png)\n\n", 5_000), options)
	if reads != 1 || len(one.Media) != 1 {
		t.Errorf("%d reads, %d media", reads, len(one.Media))
	}
}

func TestWarningsPerArticleAreBounded(t *testing.T) {
	t.Parallel()
	var body strings.Builder
	for i := range 500 {
		fmt.Fprintf(&body, "![x](a%d.png)\n\n", i)
	}
	options := ingest.Options{Site: site, Media: func(string) ([]byte, error) { return nil, fmt.Errorf("no such file") }}
	if one := importOne(t, "a.md", front+body.String(), options); len(one.Warnings) == 0 || len(one.Warnings) > 50 {
		t.Errorf("%d warnings", len(one.Warnings))
	}
}
