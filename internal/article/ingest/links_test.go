package ingest_test

import (
	"io/fs"
	"slices"
	"strings"
	"testing"

	"github.com/tidings-press/tidings/internal/article/ingest"
)

func TestLinksResolveAgainstArticleURL(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		options ingest.Options
		links   map[string]string
	}{
		"a page of this site": {ingest.Options{Site: "https://press.example"}, map[string]string{
			"other": "/articles/other", "../x?a=1#b": "/x?a=1#b", "/y": "/y", "#frag": "/articles/here#frag", "//cdn.example/z": "https://cdn.example/z",
			"https://press.example/tags/C%2FC++": "/tags/C%2FC++", "https://PRESS.example/a": "/a", "https://press.example//evil": "https://press.example//evil",
			"https://press.example.evil/": "https://press.example.evil/", "http://press.example/": "http://press.example/", "next.md#x": "/articles/next#x",
			"mailto:a@b.example": "mailto:a@b.example", "javascript:x": "", "ftp://a.example/": "", "https://münchen.example/ü": "https://m%C3%BCnchen.example/%C3%BC",
			"%zz": "/articles/%25zz", "a b.pdf": "/articles/a%20b.pdf", "100%": "/articles/100%25", "https://c.example/a b|c": "https://c.example/a%20b%7Cc", "https://c.exa mple/": "", "../up/x.md?a=1#b": "/articles/x?a=1#b",
		}},
		"a site below a path": {ingest.Options{Site: "https://example.org/press/"}, map[string]string{
			"other": "/articles/other", "https://example.org/press/x": "/x", "https://example.org/pressure": "https://example.org/pressure", "https://example.org/": "https://example.org/",
		}},
		"a blog elsewhere": {ingest.Options{Site: "https://press.example", BaseURL: "https://blog.example/posts/"}, map[string]string{
			"other": "https://blog.example/posts/other", "/y": "https://blog.example/y", "#f": "https://blog.example/posts/here#f", "https://press.example/x": "/x",
		}},
	} {
		for link, want := range c.links {
			got := importOne(t, "posts/here.md", front+`<a href="`+link+`">x</a>`, c.options).Article.HTML
			if want != "" {
				want = `<p><a href="` + want + `">x</a></p>`
			} else {
				want = `<p>x</p>`
			}
			if got != want {
				t.Errorf("%s: %q\n got %s\nwant %s", name, link, got, want)
			}
		}
	}
}

func TestArticleURLWithTrailingSlashIsFolder(t *testing.T) {
	t.Parallel()
	source := strings.Replace(front, "title:", "url: https://blog.example/posts/here/\ntitle:", 1) + `<img src="a.png" alt="x">`
	if got := importOne(t, "a.md", source, ingest.Options{Site: site}).Article.HTML; !strings.Contains(got, `src="https://blog.example/posts/here/a.png"`) {
		t.Error(got)
	}
}

func TestAllLinkAttributesAreResolved(t *testing.T) {
	t.Parallel()
	got := importMarkdown(t, `<video poster="p.jpg" src="v.mp4"></video><img src="a.png" srcset="a.png 1x, //c.example/b,c.png 2x,d.png" alt=""><blockquote cite="q">x</blockquote>`).HTML
	for _, want := range []string{`poster="/articles/p.jpg"`, `src="/articles/v.mp4"`, `src="/articles/a.png"`, `srcset="/articles/a.png 1x, https://c.example/b,c.png 2x, /articles/d.png"`, `cite="/articles/q"`} {
		if !strings.Contains(got, want) {
			t.Errorf("no %s in\n%s", want, got)
		}
	}
}

func TestMissingFilesAreWarnedAboutWithTheirLine(t *testing.T) {
	t.Parallel()
	nothing := func(string) ([]byte, error) { return nil, fs.ErrNotExist }
	source := front + "Text, [old](</tide chart.pdf>).\n\n[chart](<tide chart.pdf>) and ![boat](img/boat%20one.png)\n"
	one := importOne(t, "a.md", source, ingest.Options{Site: site, Media: nothing})
	want := strings.Count(front, "\n") + 3
	var got []int
	for _, w := range one.Warnings {
		got = append(got, w.Line)
	}
	if !slices.Equal(got, []int{want, want}) {
		t.Errorf("lines %v, want %d twice: %v", got, want, one.Warnings)
	}
}

func TestSchemeWithoutSlashesIsReadAsBrowsersDo(t *testing.T) {
	t.Parallel()
	for link, want := range map[string]string{
		"http:/h.example/x": "http://h.example/x", "http:h.example/x": "http://h.example/x", "http:///h.example/x": "http://h.example/x", `http:\\h.example\x`: "http://h.example/x",
		"HTTPS:/h.example/x": "https://h.example/x", "mailto:a@x.example": "mailto:a@x.example",
	} {
		got := importMarkdown(t, `<a href="`+link+`">x</a>`).HTML
		if !strings.Contains(got, `href="`+want+`"`) {
			t.Errorf("%s gives %s", link, got)
		}
	}
}
