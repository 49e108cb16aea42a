package public

import (
	"fmt"
	"math/rand/v2"
	"net/url"
	"strings"
	"sync"
	"testing"
	"unicode/utf8"

	"github.com/tidings-press/tidings/internal/article"
	"github.com/tidings-press/tidings/internal/store"
)

func TestLocaleOfALanguageHasItsLikelyRegion(t *testing.T) {
	t.Parallel()
	for tag, want := range map[string]string{
		"en": "en_US", "de": "de_DE", "pt-BR": "pt_BR", "pt": "pt_BR", "zh-Hant": "zh_TW", "sr-Latn-ME": "sr_ME", "ar": "ar_EG", "EN-gb": "en_GB", "": "", "not a tag": "", "x": "",
	} {
		if got := locale(tag); got != want {
			t.Errorf("%q is %q, want %q", tag, got, want)
		}
	}
}

func TestDescriptionEndsAtAWord(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		a    article.Article
		want string
	}{
		"a summary":          {article.Article{Summary: "In short.", HTML: "<p>At length.</p>"}, "In short."},
		"a short text":       {article.Article{HTML: "<p>Two\n\n <b>words</b></p>"}, "Two words"},
		"nothing":            {article.Article{}, ""},
		"a long text":        {article.Article{HTML: "<p>" + strings.Repeat("word ", 100) + "</p>"}, strings.TrimSpace(strings.Repeat("word ", 40))[:199] + "…"},
		"a word without end": {article.Article{HTML: "<p>" + strings.Repeat("x", 500) + "</p>"}, strings.Repeat("x", 200) + "…"},
		"of two bytes":       {article.Article{HTML: "<p>" + strings.Repeat("ü", 500) + "</p>"}, strings.Repeat("ü", 200) + "…"},
	} {
		got := describe(&test.a)
		if name != "a long text" && got != test.want || !utf8.ValidString(got) || utf8.RuneCountInString(got) > maxDescription+1 {
			t.Errorf("%s: %q, want %q", name, got, test.want)
		}
		if name == "a long text" && (!strings.HasSuffix(got, "word…") || len(got) < 150) {
			t.Errorf("%s: %q", name, got)
		}
	}
}

func TestPositionsRoundTrip(t *testing.T) {
	t.Parallel()
	random := rand.New(rand.NewPCG(41, 42))
	for range 500 {
		want := store.Position{At: random.Int64() - random.Int64(), Seq: random.Int64()}
		address, err := url.Parse(older(&url.URL{Path: "/search", RawQuery: "q=a+b&page=3&x=y"}, want))
		if err != nil {
			t.Fatal(err)
		}
		at, seq, err := parsePosition(address.Query().Get("before"))
		if err != nil || at != want.At || seq != want.Seq || address.Query().Get("q") != "a b" || address.Query().Has("page") || address.Query().Has("x") {
			t.Fatalf("%+v becomes %s, which is %d.%d, %v", want, address, at, seq, err)
		}
	}
}

func FuzzParsePosition(f *testing.F) {
	for _, seed := range []string{"1.1", "-1.0", "1.", ".", "9223372036854775808.1", "1.1x", "+1.1", "0x1.1", "1_0.1"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		if at, seq, err := parsePosition(text); err == nil && fmt.Sprintf("%d.%d", at, seq) != text {
			t.Errorf("%q is read as %d.%d", text, at, seq)
		}
	})
}

// TestUnknownParametersShareAPage: links of campaigns have parameters of their own, and their number is unlimited.
func TestUnknownParametersShareAPage(t *testing.T) {
	t.Parallel()
	for query, want := range map[string]string{
		"":                           "/tags/a%2Fb/",
		"utm_source=x&fbclid=y":      "/tags/a%2Fb/",
		"before=1.1&utm_source=x":    "/tags/a%2Fb/?before=1.1",
		"utm_source=x&before=1.1":    "/tags/a%2Fb/?before=1.1",
		"before=2&before=1":          "/tags/a%2Fb/?before=2&before=1",
		"BEFORE=1":                   "/tags/a%2Fb/",
		"before":                     "/tags/a%2Fb/?before=",
		"before=%zz":                 "/tags/a%2Fb/",
		"%62efore=1%2E1":             "/tags/a%2Fb/?before=1.1",
		strings.Repeat("a=b&", 1000): "/tags/a%2Fb/",
		"x;before=1":                 "/tags/a%2Fb/",
	} {
		u := &url.URL{Path: "/tags/a/b/", RawPath: "/tags/a%2Fb/", RawQuery: query}
		if got := keyOf(u, []string{"before"}); got != want {
			t.Errorf("%.40q has the key %s, want %s", query, got, want)
		}
	}
}

func TestSecondElementOfAPathIsKeptEscaped(t *testing.T) {
	t.Parallel()
	for path, want := range map[string]string{
		"/tags/a/": "a", "/tags/a": "a", "/tags/a%2Fb/": "a%2Fb", "/tags//": "", "/tags": "", "/": "", "": "", "tags/a/b/c": "a", "/tags/%2e%2e/x": "%2e%2e",
	} {
		if got := segment(path); got != want {
			t.Errorf("%q has %q, want %q", path, got, want)
		}
	}
}

func TestWeightsOfLabelsGrowWithTheirArticles(t *testing.T) {
	t.Parallel()
	random := rand.New(rand.NewPCG(43, 44))
	for range 100 {
		var all []store.LabelCount
		for i := range 1 + random.IntN(50) {
			all = append(all, store.LabelCount{Name: fmt.Sprint("t", i), Key: fmt.Sprint("t", i), Articles: random.Int64N(1 << random.IntN(30))})
		}
		shown := viewLabels(append(all, store.LabelCount{Key: "nameless", Articles: 5}), func(name string) string { return "/" + name }, "")
		if len(shown) != len(all) {
			t.Fatalf("%d of %d are shown", len(shown), len(all))
		}
		for i, a := range shown {
			if a.Weight < 1 || a.Weight > 5 || a.Path != "/"+all[i].Name {
				t.Fatalf("%+v", a)
			}
			for _, b := range shown[:i] {
				if a.Articles > b.Articles && a.Weight < b.Weight || a.Articles == b.Articles && a.Weight != b.Weight {
					t.Fatalf("%d articles have the weight %d, %d have %d", a.Articles, a.Weight, b.Articles, b.Weight)
				}
			}
		}
	}
}

func TestRankOfHitsKeepsTheOrderOfEquals(t *testing.T) {
	t.Parallel()
	all := []store.StoredArticle{}
	for i, title := range []string{"Nothing", "The gulls of the harbour", "A harbour", "Gulls", "Other", "Harbour gulls", "Gullible"} {
		all = append(all, store.StoredArticle{Article: article.Article{ID: fmt.Sprint(i), Title: title}})
	}
	rankByTitle(all, phrasesOf("gulls  HARBOUR!"))
	var got []string
	for _, a := range all {
		got = append(got, a.ID)
	}
	if want := "1 5 2 3 0 4 6"; strings.Join(got, " ") != want {
		t.Errorf("%v, want %s", got, want)
	}
	if phrases := phrasesOf(" ,.!  \t "); len(phrases) != 0 {
		t.Errorf("signs are the phrases %v", phrases)
	}
}

// TestDownloadsShareTheirBytes: the memory is counted once for all clients of a file, and freed after the last one.
func TestDownloadsShareTheirBytes(t *testing.T) {
	t.Parallel()
	var d downloads
	const clients = 50
	files := []article.Medium{{Name: "a", Data: make([]byte, 1000)}, {Name: "b", Data: make([]byte, 3000)}}
	var all sync.WaitGroup
	for i := range clients {
		all.Go(func() {
			m := files[i%2]
			if _, ok := d.join(m.Name); !ok && !d.add(&m) {
				t.Error("a small file is refused")
			}
			d.mu.Lock()
			counted := d.bytes
			d.mu.Unlock()
			if counted > 4000 {
				t.Errorf("%d bytes are counted, at most 4000 are there", counted)
			}
			d.leave(m.Name)
		})
	}
	all.Wait()
	if d.bytes != 0 || len(d.files) != 0 {
		t.Errorf("after all have left, %d bytes of %d files are counted", d.bytes, len(d.files))
	}
}

func TestDownloadsAreBoundedButOneAlwaysFits(t *testing.T) {
	t.Parallel()
	var d downloads
	large, small := article.Medium{Name: "large", Data: make([]byte, maxDownloads+1)}, article.Medium{Name: "small", Data: []byte("x")}
	if !d.add(&large) {
		t.Fatal("a file larger than the limit can never be downloaded")
	}
	if d.add(&small) {
		t.Error("the limit is exceeded")
	}
	if _, ok := d.join("large"); !ok {
		t.Error("a second client of the file is refused")
	}
	d.leave("large")
	if d.add(&small) {
		t.Error("one of two clients has left, and the bytes are free")
	}
	d.leave("large")
	if !d.add(&small) || d.bytes != 1 {
		t.Errorf("%d bytes are counted", d.bytes)
	}
}

func TestRefusalsAreKeptUpToALimit(t *testing.T) {
	t.Parallel()
	var f fixedPages
	for i := range 3 * maxFixedPages {
		f.keep(fmt.Sprint(i), nil)
	}
	if len(f.pages) != maxFixedPages {
		t.Errorf("%d pages are kept", len(f.pages))
	}
}
