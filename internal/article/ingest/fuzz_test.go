package ingest_test

import (
	"encoding/xml"
	"io"
	"runtime/metrics"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/tidings-press/tidings/internal/article"
	"github.com/tidings-press/tidings/internal/article/ingest"
	"github.com/tidings-press/tidings/internal/article/markup"
)

// hostile are HTML snippets that attack a sanitizer or a parser; they seed the fuzz tests.
var hostile = []string{
	"<p>a<script>alert(1)</script><b onclick=x>b", `<a href="javascript:1">x</a>`, `<a href=" java&#10;script:1">x</a>`, "<svg><style><img src=x onerror=y>",
	"<noscript><p title=\"</noscript><img src=x onerror=alert(1)>\">", "<math><mtext><table><mglyph><style><!--</style><img title=\"--&gt;&lt;img src=1 onerror=alert(1)&gt;\">",
	"<form><math><mtext></form><form><mglyph><style></math><img src onerror=alert(1)>", "<select><template><style><!--</style></select>", "]]><![CDATA[x]]>",
	"a\x00b\x08c\ufffe\xff&#1;&#xFFFE;&#xD800;", "<table><td>a<p>b<table>", "<b><i>a</b>b</i>", "<pre>\n\nx</pre>", "<img srcset=', ,a 1x,,b 2x' src=data:image/png;base64,AAAA alt=x>",
	"<video poster=javascript:x><source src=vbscript:x><track src=data:x>", "<iframe src=//a.example/b></iframe>", "<a name=x id=y>", "<textarea></textarea><title>&lt;b&gt;</title>",
	"<plaintext><b>x", "<xmp><b>x</xmp>", "<frameset><frame>", "{{ .Name }}{{define \"x\"}}", "\r&#13;\r\n", "<p title='&quot;&gt;&lt;b&gt;'>x", "<li><a><a><b><b><b><b>x<p>y",
	"<details><summary><p>a", "<ruby>a<rp>(<rt>b", "<img width=1 height=1 src=x>", "<a href=http://[::1>x</a>", "<p id='a b' lang=\"x'\" dir=LTR>x", "\u2028\u202e\ufeff",
}

// checkSanitized checks what must hold for every result of Sanitize.
func checkSanitized(t *testing.T, sanitized string) {
	t.Helper()
	if found := dangers(sanitized); len(found) > 0 {
		t.Errorf("%v survived in %q", found, sanitized)
	}
	if again := markup.Sanitize(sanitized, nil); again != sanitized {
		t.Errorf("sanitizing twice differs:\n%q\n%q", sanitized, again)
	}
	if !utf8.ValidString(sanitized) || article.CleanText(sanitized) != sanitized {
		t.Errorf("not valid XML text: %q", sanitized)
	}
	if err := wellFormed(sanitized); err != nil {
		t.Errorf("not well formed: %v\n%q", err, sanitized)
	}
}

// wellFormed reads HTML as XML and returns an error unless every element is closed.
func wellFormed(source string) error {
	decoder := xml.NewDecoder(strings.NewReader("<body>" + source + "</body>"))
	decoder.Entity = xml.HTMLEntity
	for {
		_, err := decoder.Token()
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
	}
}

func FuzzSanitize(f *testing.F) {
	for _, seed := range hostile {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, source string) {
		if len(source) > 1<<16 {
			t.Skip("longer ones only slow the search down")
		}
		checkSanitized(t, markup.Sanitize(source, nil))
	})
}

func FuzzImport(f *testing.F) {
	for i, seed := range hostile {
		f.Add(uint8(i), front+seed)
	}
	for i, seed := range []string{
		"---\ntitle: &a [*a]\n---\n", "---\na: &a [x,x]\nb: [*a,*a]\n---\n", "+++\ntitle = 1979-05-27\n+++", "{\"title\": 1e400}", "---\nredirect: /x\n---", "# h\n\n> > - 1. [^1]\n\n[^1]: a",
		`{"id": 1, "title": "\ud800", "date": "2026-01-01", "html": "<b>"}` + "\n{}\nnull\n[", "---\ntitle: x\ndate: 0000-00-00\n---", "\xef\xbb\xbf---\r\n---\r\n", "---\ntitle: !!binary x\n? {a: b}\n: c\n---",
		"---\ntitle: x\ndate: 2026-01-01\nimage: {url: a.png}\nenclosures: [{url: ../../b.mp3, length: -1, duration: 1h}, 3]\norigin: {url: x}\naliases: ['::', '//x', a]\n---\n![](c.png)",
	} {
		f.Add(uint8(i), seed)
	}
	for _, seed := range []string{
		front + wideTable(300, 100), "+++\n" + strings.Repeat("a.", 3000) + "a = 1\n+++\n", "+++\na = " + strings.Repeat("{a=", 1000) + "1" + strings.Repeat("}", 1000) + "\n+++\n",
		"---\n" + yamlLaughs(9) + "---\n", front + "[a]: /" + strings.Repeat("u", 5000) + "\n\n" + strings.Repeat("[a]\n\n", 2000),
	} {
		f.Add(uint8(0), seed)
	}
	names := []string{"a.md", "b/index.html", "c.txt", "d.jsonl", "../e.md", "f.HTML"}
	f.Fuzz(func(t *testing.T, which uint8, source string) {
		if len(source) > 1<<16 {
			t.Skip("longer ones only slow the search down")
		}
		name := names[int(which)%len(names)]
		before := allocated()
		found, problems := ingest.Import(ingest.File{Name: name, Data: []byte(source), Modified: modified}, ingest.Options{
			Site: site, DateFromFile: which > 127, Media: func(string) ([]byte, error) { return []byte(onePixel), nil },
		})
		// All that was allocated counts, not the peak. The parsers take some 1.5 KB for a table
		// cell, so the largest tables add up to 60 MB, and twice that with the race detector. An
		// input without a limit takes gigabytes.
		if took, most := allocated()-before, uint64(400<<20+2000*len(source)); took > most {
			t.Errorf("%d bytes took %d MB of memory, more than %d", len(source), took>>20, most>>20)
		}
		for _, p := range problems {
			if p.File != name || p.What == "" {
				t.Errorf("a problem without place or cause: %+v", p)
			}
		}
		for _, one := range found {
			if one.Article != nil {
				checkArticle(t, one.Article)
			}
		}
	})
}

// allocated returns how many bytes this process has allocated since it started.
func allocated() uint64 {
	sample := []metrics.Sample{{Name: "/gc/heap/allocs:bytes"}}
	metrics.Read(sample)
	return sample[0].Value.Uint64()
}

// checkArticle checks what must hold for every imported article.
func checkArticle(t *testing.T, a *article.Article) {
	t.Helper()
	checkSanitized(t, a.HTML)
	if a.Title == "" || a.Slug == "" || a.Hash == "" || a.Published.IsZero() || a.Updated.Before(a.Published) {
		t.Errorf("incomplete: %+v", a)
	}
	if strings.ContainsAny(a.Slug, "/?#%\\ ") || a.Slug == ".." {
		t.Errorf("slug %q", a.Slug)
	}
	texts := append([]string{a.Title, a.Summary, a.URL, a.Language}, a.Tags...)
	for _, author := range a.Authors {
		texts = append(texts, author.Name, author.Email, author.URL)
	}
	for _, text := range texts {
		if article.CleanText(text) != text || strings.ContainsAny(text, "\r\n") {
			t.Errorf("not one line of clean text: %q", text)
		}
	}
	if body := a.BodyFor(site); strings.Contains(body, `href="/`) || strings.Contains(body, `src="/`) {
		t.Errorf("a link stayed relative: %q", body)
	}
}

func FuzzFilter(f *testing.F) {
	for _, seed := range []string{
		"golang AND NOT jobs", `tag:"C/C++" OR author:"Ada W" AND (lang:en OR lang:pt-BR)`, `text:"side by side"`, "*", "", "((a))", "NOT NOT a", `"\"\\"`, "AND", "a b", "(", `"`, "lang:", "été", "e\u0301te\u0301",
	} {
		f.Add(seed)
	}
	a := &article.Article{Title: "Été", Tags: []string{"Golang", "été"}, Language: "pt-BR", Authors: []article.Author{{Name: "Ada W"}}, HTML: "<p>side by side</p>"}
	f.Fuzz(func(t *testing.T, expr string) {
		filter, err := article.ParseFilter(expr)
		if err != nil {
			return
		}
		again, err := article.ParseFilter(filter.String())
		if len(filter.String()) > 2000 {
			return // brackets and quotes can make it longer than what is read
		}
		if err != nil || again.String() != filter.String() {
			t.Fatalf("%q is written as %q, which reads as %q, %v", expr, filter.String(), again.String(), err)
		}
		if filter.Match(a) != again.Match(a) {
			t.Errorf("%q and %q select differently", expr, filter.String())
		}
	})
}
