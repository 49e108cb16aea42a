package ingest_test

import (
	"bytes"
	"fmt"
	"image"
	"image/png"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/tidings-press/tidings/internal/article"
	"github.com/tidings-press/tidings/internal/article/ingest"
)

func fromWritten(t *testing.T, w article.Written, draft bool) ingest.Imported {
	t.Helper()
	made, problem := ingest.FromWritten(w, draft, modified, ingest.Options{Site: site})
	if problem != nil {
		t.Fatal(problem)
	}
	return made
}

func TestWrittenFieldsBecomeThoseOfTheArticle(t *testing.T) {
	t.Parallel()
	expires := modified.Add(48 * time.Hour)
	a := fromWritten(t, article.Written{
		Title: " The  quay ", Slug: "Quay & Pier", Summary: "Short.\n", Image: "/media/a.png", ImageAlt: "A quay", Tags: []string{"a, b", " ", "A, B"}, Authors: []string{"Ada <ada@example.org>", ""},
		Language: "pt_br", Published: modified.Add(time.Hour), Expires: expires, Unlisted: true, Text: "One\r\n\r\n**two**\x00\n",
	}, false).Article
	if a.Title != "The quay" || a.Slug != "quay-pier" || !a.Named || a.Summary != "Short." || a.HTML != "<p>One</p>\n<p><strong>two</strong></p>" || a.Language != "pt-BR" || a.Status != article.Unlisted ||
		!slices.Equal(a.Tags, []string{"a, b"}) || fmt.Sprint(a.Authors) != "[{Ada ada@example.org  }]" || *a.Image != (article.Image{URL: "/media/a.png", Alt: "A quay", Type: "image/png"}) ||
		!a.Published.Equal(modified.Add(time.Hour)) || !a.Expires.Equal(expires) || a.Hash != a.ContentHash() {
		t.Errorf("%+v, image %+v", a, a.Image)
	}
}

func TestWrittenDraftNeedsOnlyAText(t *testing.T) {
	t.Parallel()
	one := fromWritten(t, article.Written{Text: "# The *quay*\n\nText."}, true)
	if a := one.Article; a.Title != "The quay" || a.Slug != "the-quay" || a.HTML != "<p>Text.</p>" || a.Status != article.Draft || !a.Published.Equal(modified) || len(one.Redirects) != 0 || one.Article.Source != "article.md" {
		t.Errorf("%+v, redirects %v", a, one.Redirects)
	}
	for name, c := range map[string]struct {
		written article.Written
		draft   bool
		want    string
	}{
		"nothing":                   {article.Written{}, true, "title missing, and there is no text to take one from; add title: …"},
		"no date":                   {article.Written{Title: "T", Text: "x"}, false, "date missing in the front matter; add date: 2026-11-23"},
		"a table that is too large": {article.Written{Title: "T", Text: "text\n\n|" + strings.Repeat("a|", 200) + "\n|" + strings.Repeat("-|", 200) + "\n" + strings.Repeat("|\n", 300)}, true, ""},
		"too much text":             {article.Written{Title: "T", Text: strings.Repeat("word ", 500_000)}, true, "the text has 2441 KB; at most 2048 KB are read; cut it into several articles"},
		"a title of signs":          {article.Written{Title: "!?", Text: "x"}, true, ""},
	} {
		made, problem := ingest.FromWritten(c.written, c.draft, modified, ingest.Options{Site: site})
		switch {
		case c.want != "" && (problem == nil || problem.What+"; "+problem.Fix != c.want):
			t.Errorf("%s: %v, want %q", name, problem, c.want)
		case name == "a table that is too large" && (problem == nil || problem.Line != 3 || !strings.HasPrefix(problem.What, "the Markdown cannot be read: ")):
			t.Errorf("%s: %v", name, problem)
		case name == "a title of signs" && (problem != nil || made.Article.Slug != "article"):
			t.Errorf("%s: %+v, %v", name, made.Article, problem)
		}
	}
}

// TestWrittenTextIsNoFrontMatter: an editor's text may begin like the front matter of a file.
func TestWrittenTextIsNoFrontMatter(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"---\ndraft: true\n---\nText": "<hr/>\n<h2 id=\"draft-true\">draft: true</h2>\n<p>Text</p>",
		"title: Other\n\nText":        "<p>title: Other</p>\n<p>Text</p>",
		`{"title": "Other"}`:          "<p>{&#34;title&#34;: &#34;Other&#34;}</p>",
		"redirect: /x":                "<p>redirect: /x</p>",
		"\xffa\r\nb":                  "<p>\ufffda\nb</p>",
		"e\u0301":                     "<p>é</p>",
	} {
		a := fromWritten(t, article.Written{Title: "T", Published: modified, Text: text}, false).Article
		if a.HTML != want || a.Title != "T" || a.Status != article.Published {
			t.Errorf("%q becomes %q, %s, want %q", text, a.HTML, a.Status, want)
		}
	}
}

func TestWarningsOfWrittenTextHaveItsLines(t *testing.T) {
	t.Parallel()
	one := fromWritten(t, article.Written{Title: "T", Authors: []string{"Ada"}, Text: "One\n\n{{< unknown >}}\n\n![x](data:image/png;base64,AAAA)\n"}, true)
	if len(one.Warnings) != 2 || one.Warnings[0].Line != 3 || one.Warnings[1].Line != 5 || one.Article.HTML != "<p>One</p>\n<p>x</p>" {
		t.Errorf("%s\n%s", textsOf(one.Warnings), one.Article.HTML)
	}
}

func TestUploadedImagesAreJudgedByTheirContent(t *testing.T) {
	t.Parallel()
	var dot bytes.Buffer
	if err := png.Encode(&dot, image.NewGray(image.Rect(0, 0, 3, 2))); err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		data []byte
		want string // name's ending, type and size, or the problem
	}{
		"dot.png":   {dot.Bytes(), ".png image/png 3x2"},
		"dot.jpg":   {dot.Bytes(), ".png image/png 3x2"}, // the name is wrong
		"dot":       {dot.Bytes(), ".png image/png 3x2"},
		"dot.JPEG":  {[]byte(onePixel), ".gif image/gif 1x1"},
		"draw.svg":  {[]byte(`<svg xmlns="http://www.w3.org/2000/svg" width="5" height="4"/>`), ".svg image/svg+xml 5x4"},
		"page.png":  {[]byte("<html>"), "page.png: this is not an image that browsers and feed readers show; save it as JPEG, PNG, GIF, WebP, AVIF or SVG"},
		"empty.gif": {nil, "empty.gif: this is not an image that browsers and feed readers show; save it as JPEG, PNG, GIF, WebP, AVIF or SVG"},
		"sound.mp3": {[]byte("ID3\x03\x00"), "sound.mp3: this is not an image"},
		"large.png": {append(bytes.Clone(dot.Bytes()), make([]byte, ingest.MaxMedium)...), "large.png: large.png has 20 MB and is left out; at most 20 MB are kept"},
	} {
		m, _, problem := ingest.ImageOf(name, c.data)
		got := ""
		if problem != nil {
			got = problem.Error()
		} else {
			got = fmt.Sprintf("%s %s %dx%d", m.Name[strings.LastIndexByte(m.Name, '.'):], m.Type, m.Width, m.Height)
		}
		if !strings.HasPrefix(got, c.want) {
			t.Errorf("%s: %s, want %s", name, got, c.want)
		}
	}
}

func TestSummaryOfAnImportCountsInWords(t *testing.T) {
	t.Parallel()
	for want, s := range map[string]ingest.Summary{
		"0 files: 0 new articles, 0 updated, 0 unchanged":                                                              {},
		"1 file: 1 new article, 0 updated, 0 unchanged":                                                                {Files: 1, Created: 1},
		"9 files: 2 new articles, 3 updated, 4 unchanged; 5 withheld; 1 old address redirected; 6 left out; 1 warning": {Files: 9, Created: 2, Updated: 3, Unchanged: 4, Withheld: 5, Redirects: 1, Problems: 6, Warnings: 1},
		"1 file: 0 new articles, 1 updated, 0 unchanged; 2 old addresses redirected; 2 warnings":                       {Files: 1, Updated: 1, Redirects: 2, Warnings: 2},
	} {
		if got := s.String(); got != want {
			t.Errorf("%s\nwant %s", got, want)
		}
		if sum := s.Plus(s); sum.Files != 2*s.Files || sum.Created != 2*s.Created || sum.Updated != 2*s.Updated || sum.Unchanged != 2*s.Unchanged || sum.Withheld != 2*s.Withheld || sum.Redirects != 2*s.Redirects || sum.Problems != 2*s.Problems || sum.Warnings != 2*s.Warnings {
			t.Errorf("%+v twice is %+v", s, sum)
		}
	}
}

func TestProblemsOfOneCauseAreGrouped(t *testing.T) {
	t.Parallel()
	problem := func(file string, line int, what, fix string) *ingest.Problem {
		return &ingest.Problem{File: file, Line: line, What: what, Fix: fix}
	}
	groups := ingest.GroupProblems([]*ingest.Problem{
		problem("a.md", 1, "date missing", "add one"),
		problem("b.md", 4, `status: "seedling" is not understood`, "write published"),
		problem("c.md", 0, `status: "tr\"ee" is not understood`, "write published"),
		problem("d.md", 2, "boat 1.png cannot be read", ""),
		problem("e.md", 9, `status: "x" is not understood`, "write published"),
		problem("f.md", 9, `status: "y" is not understood`, "write published"),
		problem("g.md", 9, `status: "y" is not understood`, "another fix"),
		problem("h.md", 7, "boat other.JPEG cannot be read", ""),
	})
	var got []string
	for _, g := range groups {
		got = append(got, g.String())
	}
	want := []string{
		`4 times: status: "seedling" is not understood; write published (b.md:4, c.md, e.md:9 and 1 more)`,
		"2 times: boat 1.png cannot be read (d.md:2, h.md:7)",
		"a.md:1: date missing; add one",
		`g.md:9: status: "y" is not understood; another fix`,
	}
	if !slices.Equal(got, want) {
		t.Errorf("%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	if len(ingest.GroupProblems(nil)) != 0 {
		t.Error("no problems have groups")
	}
}

func TestBoilerplateOfSavedPagesIsDropped(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ source, title, html string }{
		"teasers":            {"Title\n\nOne.\nREAD ALSO: something\nTwo.\n\nLIRE AUSSI\n\nThree.\n", "Title", "<p>One.<br/>\nTwo.</p>\n<p>Three.</p>"},
		"words in sentences": {"Title\n\nRead also the signs.\nAdvertisement is dear.\n", "Title", "<p>Read also the signs.<br/>\nAdvertisement is dear.</p>"},
		"a comment form":     {"Title\n\nOne.\n\nLaisser un commentaire\n\nVotre nom\n", "Title", "<p>One.</p>"},
		"signatures":         {"Title\n\nOne.\n\nA. B.\n\nAB\n\n12/3\n", "Title", "<p>One.</p>\n<p>A. B.</p>"},
		"a signature alone":  {"AB\n", "AB", ""},
		"only teasers":       {"Title\n\nShareThis\n\n- Advertisement -\n", "Title", ""},
		"Japanese":           {"港\n\n船が\n戻った。\n\n広告\n", "港", "<p>船が<br/>\n戻った。</p>"},
	} {
		if got := importOne(t, "a.txt", c.source, ingest.Options{Site: site, DateFromFile: true}).Article; got.Title != c.title || got.HTML != c.html {
			t.Errorf("%s: %q, %q; want %q, %q", name, got.Title, got.HTML, c.title, c.html)
		}
	}
}

func TestHeadingAtTheStartBecomesTheTitle(t *testing.T) {
	t.Parallel()
	for source, want := range map[string][2]string{
		"# The quay\nText":         {"The quay", "<p>Text</p>"},
		"\n\n#\tThe quay ##\r\n":   {"The quay", ""},
		"# The *old* [quay](/x)":   {"The old quay", ""},
		"#hashtag\n\nText":         {"#hashtag Text", "<p>#hashtag</p>\n<p>Text</p>"},
		"## Second\n\nText":        {"Second", "<h2 id=\"second\">Second</h2>\n<p>Text</p>"},
		"#\n\nText":                {"Text", "<h1 id=\"heading\"></h1>\n<p>Text</p>"},
		"# <b>Bold</b> &amp; &lt;": {"Bold & <", ""},
		"Text\n\n# Later":          {"Later", "<p>Text</p>\n<h1 id=\"later\">Later</h1>"},
	} {
		a := importOne(t, "a.md", "---\ndate: 2026-11-23\n---\n"+source, ingest.Options{Site: site}).Article
		if got := [2]string{a.Title, a.HTML}; got != want {
			t.Errorf("%q: %q, want %q", source, got, want)
		}
	}
}
