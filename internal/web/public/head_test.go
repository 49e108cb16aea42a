package public_test

import (
	"encoding/xml"
	"net/http"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/tidings-press/tidings/internal/article"
	"github.com/tidings-press/tidings/internal/config"
	"github.com/tidings-press/tidings/internal/store"
	"github.com/tidings-press/tidings/internal/testkit/storetest"
)

func TestPublicPagesDescribeThemselves(t *testing.T) {
	t.Parallel()
	b := setupWith(t, storetest.Open(t, store.SQLite, store.Options{}), func(c *config.Config) { c.Site.Image = "/media/site.png" })
	importSamples(t, b.store)
	once := func(page, tag string) string {
		found := regexp.MustCompile(regexp.QuoteMeta(tag)+`"([^"]*)"`).FindAllStringSubmatch(page, -1)
		if len(found) != 1 || found[0][1] == "" {
			return ""
		}
		return found[0][1]
	}
	for _, path := range []string{"/", "/articles/the-ferry-that-waited", "/tags/", "/tags/harbour/", "/languages/de/", "/feeds", "/subscribe"} {
		w := b.get(path)
		b.want(w, http.StatusOK)
		page := w.Body.String()
		for _, tag := range []string{
			`<meta name="description" content=`, `<meta property="og:title" content=`, `<meta property="og:type" content=`, `<meta property="og:description" content=`,
			`<meta property="og:locale" content=`, `<meta property="og:site_name" content=`, `<meta name="twitter:card" content=`,
		} {
			if once(page, tag) == "" {
				t.Errorf("%s: %s is missing, empty or there twice", path, tag)
			}
		}
		if got, url := once(page, `<link rel="canonical" href=`), once(page, `<meta property="og:url" content=`); got != siteURL+path || url != got {
			t.Errorf("%s: its canonical address is %q, of Open Graph %q", path, got, url)
		}
		if image := once(page, `<meta property="og:image" content=`); !strings.HasPrefix(image, siteURL+"/media/") {
			t.Errorf("%s: its image is %q, want an absolute address", path, image)
		}
	}
	b.want(b.get("/languages/de/"), http.StatusOK, `content="de_DE"`)
}

func TestSharedImageHasItsSize(t *testing.T) {
	t.Parallel()
	b := onSQLite(t)
	a := b.put(article.Article{Slug: "wide", Title: "Wide", HTML: "<p>A text without a summary.</p>", Image: &article.Image{URL: "/media/w.jpg", Type: "image/jpeg", Width: 1200, Height: 630}})
	b.want(b.get(a.Path()), http.StatusOK, `<meta name="description" content="A text without a summary.">`, `<meta property="og:image:width" content="1200">`,
		`<meta property="og:image:height" content="630">`, `<meta property="og:image:type" content="image/jpeg">`, `<meta name="twitter:card" content="summary_large_image">`)
	drawing := b.put(article.Article{Slug: "drawing", Title: "Drawing", HTML: "<p>x</p>", Image: &article.Image{URL: "/media/d.svg", Type: "image/svg+xml", Width: 1200, Height: 630}})
	if page := b.get(drawing.Path()).Body.String(); strings.Contains(page, `property="og:image"`) {
		t.Error("a drawing is given to cards, which cannot show it")
	}
}

// entries returns the addresses in a sitemap with their times.
func entries(t *testing.T, b *env, path, element string) map[string]string {
	t.Helper()
	w := b.get(path)
	b.want(w, http.StatusOK)
	var doc struct {
		XMLName xml.Name
		Entries []struct {
			XMLName xml.Name
			Loc     string `xml:"loc"`
			Lastmod string `xml:"lastmod"`
		} `xml:",any"`
	}
	if err := xml.Unmarshal(w.Body.Bytes(), &doc); err != nil {
		t.Fatalf("%s: %v\n%s", path, err, w.Body)
	}
	if doc.XMLName.Space != "http://www.sitemaps.org/schemas/sitemap/0.9" {
		t.Errorf("%s: namespace %q", path, doc.XMLName.Space)
	}
	out := map[string]string{}
	for _, e := range doc.Entries {
		if e.XMLName.Local != element {
			t.Fatalf("%s has the element %s, want %s", path, e.XMLName.Local, element)
		}
		out[e.Loc] = e.Lastmod
	}
	return out
}

func TestSitemapHasPagesWithTrueDates(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		b := setup(t, s)
		changed := time.Date(2024, 2, 29, 10, 0, 0, 0, time.UTC)
		a := b.put(article.Article{Slug: "été à 50%", Title: "Été", HTML: "<p>1</p>", Tags: []string{"C/C++"}, Published: changed})
		elsewhere := b.put(article.Article{Slug: "elsewhere", Title: "Elsewhere", HTML: "<p>2</p>", URL: "https://other.example/x"})
		draft := b.put(article.Article{Slug: "draft", Title: "Draft", HTML: "<p>3</p>", Status: article.Draft})
		future := b.put(article.Article{Slug: "future", Title: "Future", HTML: "<p>4</p>", Published: b.store.Now().Add(time.Hour)})
		expired := b.put(article.Article{Slug: "expired", Title: "Expired", HTML: "<p>5</p>", Expires: b.store.Now().Add(-time.Minute)})
		found := entries(t, b, "/sitemap.xml", "url")
		if got := found[siteURL+a.Path()]; got != "2024-02-29T10:00:00Z" {
			t.Errorf("the article changed at %q in %v", got, found)
		}
		for _, path := range []string{"/", "/tags/", "/tags/C%2FC%2B%2B/", "/feeds", "/subscribe"} {
			if got, ok := found[siteURL+path]; !ok || got != "" {
				t.Errorf("%s: in the sitemap %v, changed %q, want no date", path, ok, got)
			}
		}
		for _, hidden := range []article.Article{elsewhere, draft, future, expired} {
			if _, ok := found[siteURL+hidden.Path()]; ok {
				t.Errorf("%s is in the sitemap", hidden.Slug)
			}
		}
		b.want(b.get("/robots.txt"), http.StatusOK, "Sitemap: "+siteURL+"/sitemap.xml\n", "Disallow: /editions/\n")

		b.pages.SetSitemapPart(2)
		last := b.put(article.Article{Slug: "last", Title: "Last", HTML: "<p>6</p>", Published: changed.Add(time.Hour)})
		index := entries(t, b, "/sitemap.xml", "sitemap")
		if len(index) != 3 || index[siteURL+"/sitemap.xml?part=pages"] != "" {
			t.Fatalf("index %v", index)
		}
		all := map[string]string{}
		for location := range index {
			for page, at := range entries(t, b, strings.TrimPrefix(location, siteURL), "url") {
				all[page] = at
			}
		}
		if all[siteURL+a.Path()] == "" || all[siteURL+last.Path()] != "2024-02-29T11:00:00Z" || len(all) != len(found)+1 {
			t.Errorf("the parts have %v, want what the whole had and one article more", all)
		}
		b.want(b.get("/sitemap.xml?part=x"), http.StatusNotFound)
	})
}
