package ingest_test

import (
	"strings"
	"testing"
	"time"

	"github.com/tidings-press/tidings/internal/article"
	"github.com/tidings-press/tidings/internal/article/ingest"
)

const (
	site  = "https://press.example"
	front = "---\ntitle: A title\ndate: 2026-11-23\n---\n"
	// onePixel is a GIF of one pixel.
	onePixel = "GIF89a\x01\x00\x01\x00\x80\x00\x00\x00\x00\x00\xff\xff\xff!\xf9\x04\x01\x00\x00\x00\x00,\x00\x00\x00\x00\x01\x00\x01\x00\x00\x02\x02D\x01\x00;"
)

var modified = time.Date(2026, 11, 1, 12, 0, 0, 0, time.UTC)

// importOne imports a file that must give one article.
func importOne(t *testing.T, name, source string, options ingest.Options) ingest.Imported {
	t.Helper()
	got, problems := ingest.Import(ingest.File{Name: name, Data: []byte(source), Modified: modified}, options)
	if len(problems) > 0 || len(got) != 1 || got[0].Article == nil {
		t.Fatalf("%s: %d articles, problems %v", name, len(got), problems)
	}
	return got[0]
}

func importMarkdown(t *testing.T, body string) *article.Article {
	t.Helper()
	return importOne(t, "posts/here.md", front+body, ingest.Options{Site: site}).Article
}

// importProblem imports a file that must be refused and returns the message of its problem.
func importProblem(t *testing.T, name, source string, options ingest.Options) string {
	t.Helper()
	got, problems := ingest.Import(ingest.File{Name: name, Data: []byte(source), Modified: modified}, options)
	if len(problems) != 1 || len(got) != 0 {
		t.Fatalf("%s: %d articles, problems %v of\n%s", name, len(got), problems, source)
	}
	return problems[0].Error()
}

func TestFrontMatterFormatsGiveSameArticle(t *testing.T) {
	t.Parallel()
	const body = "\nThe *text*.\n"
	sources := map[string]string{
		"yaml": "---\ntitle: \"Été: a title\"\ndate: 2026-11-23T08:00:00+01:00\ntags: [go, \"E\u0301te\u0301\"]\nauthors:\n  - Ada Whitlock\n  - name: Bob\n    email: bob@press.example\nlang: fr\nslug: Un Été\n---\n" + body,
		"toml": "+++\ntitle = \"Été: a title\"\ndate = 2026-11-23T08:00:00+01:00\ntags = [\"go\", \"Été\"]\nlang = \"fr\"\nslug = \"Un Été\"\n[[authors]]\nname = \"Ada Whitlock\"\n[[authors]]\nname = \"Bob\"\nemail = \"bob@press.example\"\n+++\n" + body,
		"json": `{"title": "Été: a title", "date": "2026-11-23T08:00:00+01:00", "tags": ["go", "Été"], "lang": "fr", "slug": "Un Été", "authors": ["Ada Whitlock", {"name": "Bob", "email": "bob@press.example"}]}` + "\n" + body,
		"crlf": strings.ReplaceAll("---\ntitle: \"Été: a title\"\ndate: 2026-11-23T07:00:00Z\ntags: go, Été\nauthors: [Ada Whitlock, \"Bob <bob@press.example>\"]\nlang: fr\nslug: Un Été\n---\n"+body, "\n", "\r\n"),
		"bom":  "\ufeff---\ntitle: \"Été: a title\"\ndate: 2026-11-23T07:00:00Z\ntags: [go, Été]\nauthors: [Ada Whitlock, \"Bob <bob@press.example>\"]\nlang: fr\nslug: Un Été\n---\n" + body,
	}
	want := importOne(t, "a.md", sources["yaml"], ingest.Options{Site: site}).Article
	if want.Title != "Été: a title" || want.Slug != "un-été" || want.HTML != "<p>The <em>text</em>.</p>" || want.Language != "fr" || len(want.Tags) != 2 || want.Tags[1] != "Été" ||
		len(want.Authors) != 2 || want.Authors[1] != (article.Author{Name: "Bob", Email: "bob@press.example"}) || !want.Published.Equal(time.Date(2026, 11, 23, 7, 0, 0, 0, time.UTC)) {
		t.Errorf("%+v", want)
	}
	for name, source := range sources {
		if got := importOne(t, "a.md", source, ingest.Options{Site: site}).Article; got.Hash != want.Hash {
			t.Errorf("%s differs:\n%+v\n%+v", name, got, want)
		}
	}
}

func TestDatesWithoutZoneUseSiteTimezone(t *testing.T) {
	t.Parallel()
	paris, err := time.LoadLocation("Europe/Paris")
	if err != nil {
		t.Fatal(err)
	}
	want := time.Date(2026, 11, 22, 23, 0, 0, 0, time.UTC)
	for _, source := range []string{
		"---\ntitle: x\ndate: 2026-11-23\n---\n", "+++\ntitle = \"x\"\ndate = 2026-11-23\n+++\n", "+++\ntitle = \"x\"\ndate = 2026-11-23T00:00:00\n+++\n",
		"---\ntitle: x\ndate: November 23, 2026\n---\n", "---\ntitle: x\ndate: 2026-11-23 00:00\n---\n", "---\ntitle: x\ndate: Sun, 22 Nov 2026 23:00:00 GMT\n---\n",
	} {
		if got := importOne(t, "a.md", source, ingest.Options{Zone: paris}).Article.Published; !got.Equal(want) {
			t.Errorf("%q: %v", source, got)
		}
	}
}

func TestProblemsNameFileLineAndFix(t *testing.T) {
	t.Parallel()
	for source, want := range map[string]string{
		"---\ntitle: x\n---\n":                                                        "a.md:1: date missing in the front matter; add date: 2026-11-23",
		"---\ndate: 2026-11-23\n---\n":                                                "a.md:1: title missing, and there is no text to take one from; add title: …",
		"---\ntitle: x\ndate: tomorrow\n---\n":                                        `a.md:3: date: "tomorrow" is not a date; write 2026-11-23`,
		"---\ntitle: x\ndate: 2026-02-30\n---\n":                                      "a.md:3: date:",
		"---\ntitle: x\ndate: 9999-12-31T23:59:59-01:00\n---\n":                       "a.md:3: date: the year 10000 is none of four digits; write 2026-11-23",
		"---\ntitle: x\ndate: 01/02/2026\n---\n":                                      "a.md:3: date: \"01/02/2026\" is not a date: day and month can be read in two ways",
		"---\ntitle: x\ndate: 2026-11-23 08:00 IST\n---\n":                            "a.md:3: date: \"2026-11-23 08:00 IST\" is not a date: \"IST\" is not a zone with one meaning",
		"+++\ntitle = \"x\"\ndate = 9999-12-31T23:59:59-01:00\n+++\n":                 "a.md:3: date: the year 10000 is none",
		"+++\ntitle = \"x\"\ndate = 0999-12-31\n+++\n":                                "a.md:3: date: the year 999 is none",
		"---\ntitle: x\ndate: 1000-01-01T00:30:00+01:00\n---\n":                       "a.md:3: date: the year 999 is none",
		"---\ntitle: x\ndate: Mon, 23 Nov 2026 08:00:00 XYZT\n---\n":                  "a.md:3: date:",
		"---\ntitle: [x\ndate: 2026-11-23\n---\n":                                     "the front matter is not YAML",
		"---\ntitle: [x]\ndate: 2026-11-23\n---\n":                                    "a.md:2: title is a list",
		"---\ntitle: x\ndate: 2026-11-23\n":                                           "a.md:1: the front matter that begins here never ends; write a line of --- after it",
		"---\n- x\n---\n":                                                             "a.md:2: the front matter is not a list of keys and values",
		"+++\ntitle = x\n+++\n":                                                       "a.md:2: the front matter is not TOML",
		"# A heading\n\nand text":                                                     "a.md:1: there is no front matter, so its date is missing",
		"---\ntitle: x\ndate: 2026-11-23\nurl: relative\n---\n":                       "a.md:4: the article's address",
		"---\ntitle: x\ndate: 2026-11-23\nurl: \"javascript://x/%0aalert(1)\"\n---\n": "a.md:4: the article's address",
		"---\nredirect: \"javascript:alert(1)\"\n---\n":                               "a.md:2: redirect:",
		"---\nredirect: a\n---\n":                                                     "a.md:2: the redirect leads to itself",
	} {
		if got := importProblem(t, "a.md", source, ingest.Options{Site: site}); !strings.Contains(got, want) {
			t.Errorf("%q:\n got %s\nwant %s", source, got, want)
		}
	}
	if got := importProblem(t, "a.docx", "", ingest.Options{}); !strings.Contains(got, "a.docx: this kind of file is not known; write .md") {
		t.Error(got)
	}
}

func TestDateFromFileUsesModificationTime(t *testing.T) {
	t.Parallel()
	got := importOne(t, "a.md", "# A *good* title\n\nText.\n", ingest.Options{Site: site, DateFromFile: true}).Article
	if got.Title != "A good title" || !got.Published.Equal(modified) || got.HTML != "<p>Text.</p>" {
		t.Errorf("%+v", got)
	}
}

func TestUnusableFieldsAreDroppedWithWarning(t *testing.T) {
	t.Parallel()
	one := importOne(t, "a.md", `---
title: x
date: 2026-11-23
lang: klingonese
authors:
  - name: Ada
    url: javascript:alert(1)
    email: "not an address"
image: "javascript:alert(1)"
enclosures:
  - url: https://cdn.example/a.mp3
    duration: soon
updated: 9999-12-31T23:59:59-01:00
---
`, ingest.Options{Site: site})
	a := one.Article
	if a.Image != nil || a.Authors[0] != (article.Author{Name: "Ada"}) || len(a.Enclosure) != 1 || a.Enclosure[0].Type != "audio/mpeg" {
		t.Errorf("%+v", a)
	}
	for i, want := range []string{"a.md:13: updated: the year 10000", `a.md:5: Ada: "javascript:alert(1)" is not a URL`, `a.md:5: Ada: "not an address" is not a mail address`, `a.md:4: lang: "klingonese"`, "a.md:9: image:", "a.md:10: enclosures: duration"} {
		if i >= len(one.Warnings) || !strings.HasPrefix(one.Warnings[i].Error(), want) {
			t.Fatalf("warnings %v, want number %d to begin %q", one.Warnings, i+1, want)
		}
	}
}

func TestAliasesRedirectToArticle(t *testing.T) {
	t.Parallel()
	one := importOne(t, "posts/file-name.md", "---\ntitle: x\ndate: 2026-11-23\nslug: new\naliases: [/2024/old, bare, \"https://old.example/a%20b\", /2024/old, /articles/new]\n---\n", ingest.Options{Site: site})
	var got []string
	for _, r := range one.Redirects {
		got = append(got, r.From+" "+r.To)
	}
	want := "/2024/old /articles/new, /2024/old/ /articles/new, /articles/bare /articles/new, /bare /articles/new, /bare/ /articles/new, " +
		"/a%20b /articles/new, /a%20b/ /articles/new, /articles/file-name /articles/new"
	if strings.Join(got, ", ") != want {
		t.Errorf("got %v\nwant %s", got, want)
	}
}

func TestURLPathResolvesAgainstBaseURL(t *testing.T) {
	t.Parallel()
	source := strings.Replace(front, "title:", "url: /2024/05/name/\ntitle:", 1)
	if got := importOne(t, "a.md", source, ingest.Options{Site: site, BaseURL: "https://blog.example/posts"}).Article.URL; got != "https://blog.example/2024/05/name/" {
		t.Error(got)
	}
	here := importOne(t, "a.md", source, ingest.Options{Site: site})
	if len(here.Redirects) != 2 || here.Redirects[0] != (article.Redirect{From: "/2024/05/name/", To: "/articles/a"}) || here.Article.URL != "" {
		t.Errorf("%+v %q", here.Redirects, here.Article.URL)
	}
}

func TestHashCoversEveryImportedField(t *testing.T) {
	t.Parallel()
	base := importMarkdown(t, "text")
	if again := importMarkdown(t, "text"); again.Hash != base.Hash {
		t.Error("the same file gives two hashes")
	}
	for _, change := range []string{"title: Other", "date: 2026-11-24", "tags: [x]", "lang: de", "authors: [x]", "summary: x", "slug: x", "draft: true", "updated: 2027-01-01", "image: https://x.example/a.png"} {
		source := strings.Replace(front, "title: A title\n", "title: A title\n"+change+"\n", 1)
		if key, _, _ := strings.Cut(change, ":"); strings.Contains(front, key+":") {
			source = strings.Replace(change+"\n"+strings.TrimPrefix(front, "---\n"), "\n"+key+": "+map[string]string{"title": "A title", "date": "2026-11-23"}[key], "", 1)
			source = "---\n" + source
		}
		if got := importOne(t, "posts/here.md", source+"text", ingest.Options{Site: site}).Article; got.Hash == base.Hash {
			t.Errorf("%s does not change the hash", change)
		}
	}
}

func TestStripDropsMatchingLines(t *testing.T) {
	t.Parallel()
	options := ingest.Options{Site: site, Strip: patterns(`^READ ALSO`, `^-+ ad -+$`)}
	got := importOne(t, "a.md", front+"One.\n\nREAD ALSO: other\n\n--- ad ---\n\nTwo, READ ALSO here.\n", options).Article
	if got.HTML != "<p>One.</p>\n<p>Two, READ ALSO here.</p>" {
		t.Errorf("%q", got.HTML)
	}
}
