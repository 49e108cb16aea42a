package ingest_test

import (
	"strings"
	"testing"

	"golang.org/x/text/encoding"
	"golang.org/x/text/encoding/charmap"
	"golang.org/x/text/encoding/japanese"
	"golang.org/x/text/encoding/unicode"

	"github.com/tidings-press/tidings/internal/article/ingest"
)

func TestFilesInOtherEncodingsAreRead(t *testing.T) {
	t.Parallel()
	const text = "---\ntitle: L’été – déjà\ndate: 2026-11-23\n---\nÀ bientôt\n"
	for _, c := range []struct {
		name, source string
		in           encoding.Encoding
		title, body  string
		warning      string
	}{
		{"a.md", text, unicode.UTF16(unicode.LittleEndian, unicode.UseBOM), "L’été – déjà", "<p>À bientôt</p>", ""},
		{"b.md", text, unicode.UTF16(unicode.BigEndian, unicode.UseBOM), "L’été – déjà", "<p>À bientôt</p>", ""},
		{"c.md", text, charmap.Windows1252, "L’été – déjà", "<p>À bientôt</p>", "c.md:2: the file is not UTF-8, so it is read as Windows-1252; save it as UTF-8"},
		{"d.html", "<meta charset=shift_jis><title>港の灯台守</title><p>霧の夜</p>", japanese.ShiftJIS, "港の灯台守", "<p>霧の夜</p>", ""},
		{"e.html", "<title>Été</title><p>déjà</p>", charmap.Windows1252, "Été", "<p>déjà</p>", ""},
		{"f.md", "---\ntitle: Été\ndate: 2026-11-23\n---\na\x00b\n", nil, "Été", "<p>a\ufffdb</p>", ""},
	} {
		source := c.source
		if c.in != nil {
			var err error
			if source, err = c.in.NewEncoder().String(source); err != nil {
				t.Fatal(err)
			}
		}
		one := importOne(t, c.name, source, ingest.Options{Site: site, DateFromFile: true})
		if one.Article.Title != c.title || one.Article.HTML != c.body {
			t.Errorf("%s: %q, %q", c.name, one.Article.Title, one.Article.HTML)
		}
		if got := said(one.Warnings); got != c.warning {
			t.Errorf("%s: warnings %q", c.name, got)
		}
	}
}

func TestBrokenBytesAreToldOf(t *testing.T) {
	t.Parallel()
	one := importOne(t, "a.md", front+"é\xff\xfe\n", ingest.Options{Site: site})
	if one.Article.HTML != "<p>é\ufffd</p>" || said(one.Warnings) != "a.md:5: byte 43 of the file is broken UTF-8; save the file as UTF-8" {
		t.Errorf("%q, %v", one.Article.HTML, one.Warnings)
	}
}

func said(problems []*ingest.Problem) string {
	var out []string
	for _, p := range problems {
		out = append(out, p.Error())
	}
	return strings.Join(out, "\n")
}
