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

func TestOtherEncodingsAreDecoded(t *testing.T) {
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
		{"g.md", "---\ntitle: 港の朝\ndate: 2026-11-23\n---\n朝の港には船が並び、市場の人たちが魚を運んでいた。\n", japanese.ShiftJIS, "港の朝", "<p>朝の港には船が並び、市場の人たちが魚を運んでいた。</p>", "g.md:2: the file is not UTF-8, so it is read as Shift_JIS; save it as UTF-8"},
		{"h.md", "---\ntitle: 港の朝\ndate: 2026-11-23\n---\n朝の港には船が並び、市場の人たちが魚を運んでいた。\n", japanese.EUCJP, "港の朝", "<p>朝の港には船が並び、市場の人たちが魚を運んでいた。</p>", "h.md:2: the file is not UTF-8, so it is read as EUC-JP; save it as UTF-8"},
		{"i.html", "<title>港の朝</title><p>朝の港</p>", japanese.ISO2022JP, "港の朝", "<p>朝の港</p>", ""},
		{"j.md", "---\n# coding: windows-1251\ntitle: Утро\ndate: 2026-11-23\n---\nЧайки\n", charmap.Windows1251, "Утро", "<p>Чайки</p>", ""},
		{"d.html", "<meta charset=shift_jis><title>港の灯台守</title><p>霧の夜</p>", japanese.ShiftJIS, "港の灯台守", "<p>霧の夜</p>", ""},
		{"e.html", "<title>Été</title><p>déjà</p>", charmap.Windows1252, "Été", "<p>déjà</p>", "e.html:1: the file is not UTF-8, so it is read as Windows-1252; save it as UTF-8"},
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
		if got := textsOf(one.Warnings); got != c.warning {
			t.Errorf("%s: warnings %q", c.name, got)
		}
	}
}

func TestUncertainEncodingsAreRefused(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		body string
		in   encoding.Encoding
		want string
	}{
		"broken UTF-8":      {"é\xff\xfe\n", nil, "a.md:5: byte 43 of the file is broken UTF-8; save the file as UTF-8"},
		"Cyrillic":          {"Утро в порту началось рано, и чайки были громкими.", charmap.Windows1251, "a.md:5: the file is not UTF-8, and its encoding is not certain; save the file as UTF-8"},
		"Polish":            {"Łódki wróciły do portu wcześnie rano.", charmap.Windows1250, "a.md:5: the file is not UTF-8, and its encoding is not certain; save the file as UTF-8"},
		"a wrong statement": {"<!-- charset: shift_jis -->\nb\xff\xff", nil, "a.md:1: the file is not the shift_jis that it says it is; save the file as UTF-8"},
	} {
		body := c.body
		if c.in != nil {
			var err error
			if body, err = c.in.NewEncoder().String(body); err != nil {
				t.Fatal(err)
			}
		}
		if got := importProblem(t, "a.md", front+body, ingest.Options{Site: site}); got != c.want {
			t.Errorf("%s: %s, want %s", name, got, c.want)
		}
	}
}

func textsOf(problems []*ingest.Problem) string {
	var out []string
	for _, p := range problems {
		out = append(out, p.Error())
	}
	return strings.Join(out, "\n")
}
