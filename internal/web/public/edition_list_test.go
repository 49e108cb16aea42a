package public_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"

	"github.com/tidings-press/tidings/internal/article"
	"github.com/tidings-press/tidings/internal/config"
	"github.com/tidings-press/tidings/internal/digest"
	"github.com/tidings-press/tidings/internal/store"
	"github.com/tidings-press/tidings/internal/testkit/storetest"
)

// edition stores an edition of a digest with some articles. started sets that its sending began.
func (b *env) edition(name string, number int, subject string, started bool, articles ...article.Article) store.Edition {
	b.t.Helper()
	return b.editedEdition(store.Edition{}, name, number, subject, started, articles...)
}

// editedEdition is edition with what editors changed.
func (b *env) editedEdition(edited store.Edition, name string, number int, subject string, started bool, articles ...article.Article) store.Edition {
	b.t.Helper()
	e := store.Edition{Edits: edited.Edits, Audience: edited.Audience, Edition: digest.Edition{
		ID: fmt.Sprintf("%s-%d", name, number), Digest: name, Number: number, ScheduledFor: fmt.Sprint(number), Subject: subject, Created: b.store.Now(),
	}}
	if e.Audience != "" {
		e.ScheduledFor = digest.MessageKey + e.ScheduledFor
	}
	for _, a := range articles {
		e.Articles = append(e.Articles, a.ID)
	}
	e, err := b.store.CreateDraft(b.t.Context(), e, nil)
	if err != nil {
		b.t.Fatal(err)
	}
	if started {
		if _, err := b.store.DB().ExecContext(b.t.Context(), "UPDATE editions SET state = 'sent', started = $1 WHERE id = $2", b.store.Now().UnixMilli(), e.ID); err != nil {
			b.t.Fatal(err)
		}
	}
	return e
}

// wantNone fails the test if a page has one of these texts.
func (b *env) wantNone(page string, words ...string) {
	b.t.Helper()
	for _, word := range words {
		if strings.Contains(page, word) {
			b.t.Errorf("the page has %q", word)
		}
	}
}

func TestListOfEditionsIsPagedAndSearched(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		b := setup(t, s)
		for i := 1; i <= 45; i++ {
			a := b.put(article.Article{Slug: fmt.Sprintf("a%d", i), Title: fmt.Sprintf("Crane %d arrives", i), HTML: "<p>x</p>"})
			b.edition("weekly", i, fmt.Sprintf("Week %d", i), i != 44, a)
		}
		other := b.put(article.Article{Slug: "day", Title: "Crane of the day", HTML: "<p>x</p>"})
		b.edition("daily", 1, "The first day", true, other)

		first := b.get("/digests/weekly/")
		b.want(first, http.StatusOK, "/digests/weekly/45-week-45/", "/digests/weekly/25-week-25/", "No. 45", "Crane 45 arrives", `href="/digests/weekly/?before=25" rel="next"`,
			`action="/subscribe"`, `href="https://news.example.org/digests/weekly/feed.xml"`)
		formats := regexp.MustCompile(`rel="alternate" type="application/(rss|atom|feed)|<a href="[^"]*" type="[^"]*">(RSS|Atom|JSON)</a>`).FindAllString(first.Body.String(), -1)
		if len(formats) != 6 || !strings.Contains(formats[0], "rss") || !strings.Contains(formats[1], "atom") || !strings.HasSuffix(formats[3], ">RSS</a>") || !strings.HasSuffix(formats[4], ">Atom</a>") || !strings.HasSuffix(formats[5], ">JSON</a>") {
			t.Errorf("the feeds are in the order %q", formats)
		}
		b.wantNone(first.Body.String(), "week-44", "week-24", "first-day", "Crane of the day")
		b.want(b.get("/digests/weekly/?before=25"), http.StatusOK, "week-24/", "week-5/", `href="/digests/weekly/?before=5"`, `<a href="/digests/weekly/">`)
		last := b.get("/digests/weekly/?before=5")
		b.want(last, http.StatusOK, "week-4/", "week-1/")
		b.wantNone(last.Body.String(), `rel="next"`)

		found := b.get("/digests/weekly/?q=CRANE+7")
		b.want(found, http.StatusOK, "week-7/", "<mark>Crane</mark> <mark>7</mark>")
		b.wantNone(found.Body.String(), "week-17", "week-8", "week-44")
		b.want(b.get("/digests/weekly/?q=week+12"), http.StatusOK, "<mark>Week</mark> <mark>12</mark>")
		b.want(b.get("/digests/weekly/?q=nothing"), http.StatusOK, "No editions found.")
		b.want(b.get("/digests/weekly/?q=crane&before=30"), http.StatusOK, "week-29/", `href="/digests/weekly/?before=10&amp;q=crane"`)
		for _, path := range []string{"/digests/weekly/?before=x", "/digests/weekly/?before=-1", "/digests/other/", "/digests/weekly/?q=" + strings.Repeat("x", 501), "/digests/weekly/44/"} {
			b.want(b.get(path), http.StatusNotFound)
		}
		b.want(b.get("/digests/weekly/45-week-45/"), http.StatusOK, `<a rel="prev" href="/digests/weekly/43-week-43/">`)
		b.want(b.get("/digests/weekly/43-week-43/"), http.StatusOK, `<a rel="next" href="/digests/weekly/45-week-45/">`, `<a rel="prev" href="/digests/weekly/42-week-42/">`)
	})
}

// TestWithdrawnArticleVanishesFromEditions checks that its title is in no page, and in no address
// either: the subject may have it.
func TestWithdrawnArticleVanishesFromEditions(t *testing.T) {
	t.Parallel()
	b := onSQLite(t)
	secret := b.put(article.Article{Slug: "s", Title: "The hidden scandal", HTML: "<p>x</p>"})
	kept, alone := b.put(article.Article{Slug: "k", Title: "A kept story", HTML: "<p>y</p>"}), b.put(article.Article{Slug: "l", Title: "A lonely scandal", HTML: "<p>y</p>"})
	b.edition("weekly", 1, "The Week: The hidden scandal", true, secret, kept)
	b.edition("weekly", 2, "The Week: A lonely scandal", true, alone)
	b.edition("weekly", 3, "The Week: third", true, b.put(article.Article{Slug: "m", Title: "Third", HTML: "<p>y</p>"}))
	for _, a := range []article.Article{secret, alone} {
		if err := b.store.RemoveArticle(t.Context(), a.ID); err != nil {
			t.Fatal(err)
		}
	}
	for _, old := range []string{"/digests/weekly/1-the-week-the-hidden-scandal/", "/editions/weekly-1"} {
		if w := b.get(old); w.Code != http.StatusMovedPermanently || w.Header().Get("Location") != "/digests/weekly/1/" {
			t.Errorf("%s: status %d to %q", old, w.Code, w.Header().Get("Location"))
		}
	}
	page := b.get("/digests/weekly/1/")
	b.want(page, http.StatusOK, "<h1 dir=\"auto\">The Week, No. 1</h1>", "A kept story")
	list := b.get("/digests/weekly/")
	b.want(list, http.StatusOK, "The Week, No. 1", `href="/digests/weekly/1/"`)
	for _, w := range []string{page.Body.String(), list.Body.String(), b.get("/sitemap.xml").Body.String(), b.get("/digests/weekly/3-the-week-third/").Body.String()} {
		b.wantNone(w, "scandal")
	}
	b.want(b.get("/digests/weekly/2/"), http.StatusGone)
}

func TestEditionsAreIndexedPerDigest(t *testing.T) {
	t.Parallel()
	yes, no := true, false
	for name, test := range map[string]struct {
		site   bool
		digest *bool
		want   bool
	}{"neither": {}, "site": {true, nil, true}, "not this digest": {true, &no, false}, "this digest alone": {false, &yes, true}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := setupWith(t, storetest.Open(t, store.SQLite, store.Options{}), func(c *config.Config) {
				c.Site.IndexEditions, c.Digests[0].IndexEditions = test.site, test.digest
			})
			importSamples(t, b.store)
			found, err := b.store.Articles(t.Context(), store.Query{Limit: 3})
			if err != nil {
				t.Fatal(err)
			}
			b.edition("weekly", 1, "The harbour & the sea", true, found[0].Article, found[1].Article)
			for _, path := range []string{"/digests/weekly/", "/digests/weekly/1-the-harbour-the-sea/"} {
				w := b.get(path)
				b.want(w, http.StatusOK, `<link rel="canonical" href="`+siteURL+path+`">`)
				if got := !strings.Contains(w.Header().Get("X-Robots-Tag"), "noindex"); got != test.want {
					t.Errorf("%s is indexed: %v", path, got)
				}
				if listed := strings.Contains(b.get("/sitemap.xml").Body.String(), "<loc>"+siteURL+path+"</loc>"); listed != test.want {
					t.Errorf("the sitemap has %s: %v", path, listed)
				}
				if list := b.get("/digests/weekly/?q=harbour"); !strings.Contains(list.Header().Get("X-Robots-Tag"), "noindex") {
					t.Error("a search is indexed")
				}
			}
		})
	}
}

func TestPagesOfEditionsDescribeThemselves(t *testing.T) {
	t.Parallel()
	b := setupWith(t, storetest.Open(t, store.SQLite, store.Options{}), func(c *config.Config) { c.Site.IndexEditions = true })
	a := b.put(article.Article{Slug: "a", Title: "Cranes & ferries", HTML: "<p>x</p>", Summary: "What arrived.", Image: &article.Image{URL: "/media/w.jpg", Type: "image/jpeg", Width: 1200, Height: 630}})
	e := b.edition("weekly", 1, "Ferries", true, a)
	for path, kind := range map[string]string{"/digests/weekly/": "website", e.PagePath(): "article"} {
		b.want(b.get(path), http.StatusOK, `<meta property="og:type" content="`+kind+`">`, `<meta property="og:url" content="`+siteURL+path+`">`,
			`<meta property="og:image" content="`+siteURL+`/media/w.jpg">`, `<meta property="og:image:width" content="1200">`, `<meta name="twitter:card" content="summary_large_image">`)
	}
	b.want(b.get(e.PagePath()), http.StatusOK, `<meta name="description" content="Cranes &amp; ferries">`, `"issueNumber":1`, "What arrived.", `<meta property="article:published_time"`)
}

func TestPageOfEditionHasSectionsAndWhatEditorsWrote(t *testing.T) {
	t.Parallel()
	b := setupWith(t, storetest.Open(t, store.SQLite, store.Options{}), func(c *config.Config) {
		c.Site.Languages = []string{"fr"}
		c.Digests[0].Sections = []config.DigestSection{{Name: "port", Title: "Port news", Tag: "port", Form: "title"}}
	})
	lead := b.put(article.Article{Slug: "lead", Title: "The lead", Summary: "Its summary.", HTML: "<p>Its text.</p>"})
	whole := b.put(article.Article{Slug: "whole", Title: "In full", Summary: "A summary.", HTML: `<p>All of <em>this</em>.</p><img src="/media/x.jpg" alt="x">`})
	port := b.put(article.Article{Slug: "port", Title: "A title alone", Summary: "Hidden summary.", HTML: "<p>Hidden text.</p>", Tags: []string{"port"}})
	e := b.editedEdition(store.Edition{Edits: digest.Edits{
		Lead: lead.ID, Forms: map[string]digest.Form{whole.ID: digest.FullForm}, Outro: map[string]string{"": "Good *bye*."},
		Intro:   map[string]string{"": "Good **morning**.<script>alert(1)</script>", "fr": "Bonjour."},
		Sponsor: &digest.Sponsor{Text: "Ropes & more", URL: "https://ropes.example/"},
	}}, "weekly", 1, "Sections", true, port, whole, lead)
	page := b.get(e.PagePath())
	b.want(page, http.StatusOK, "<p>Good <strong>morning</strong>.</p>", "<p>Good <em>bye</em>.</p>", "Its summary.", "<p>All of <em>this</em>.</p>", `<h2 class="part" dir="auto">Port news</h2>`,
		"Advertisement", "<p>Ropes &amp; more</p>", `href="https://ropes.example/"`)
	b.wantNone(page.Body.String(), "alert", "Hidden", "A summary.", "Its text", ` style="`)
	text := page.Body.String()
	at := -1
	for _, title := range []string{">The lead</a></h2>", ">In full</a></h2>", ">Port news</h2>", ">A title alone</a></h3>"} {
		if next := strings.Index(text, title); next <= at {
			t.Errorf("%s stands at %d, the one before it at %d", title, next, at)
		} else {
			at = next
		}
	}
	r := httptest.NewRequest(http.MethodGet, e.PagePath(), nil)
	r.Header.Set("Accept-Language", "fr")
	b.want(b.do(r), http.StatusOK, "<p>Bonjour.</p>", "Tous les numéros")
}

// TestOnlyPublicMessagesHavePages checks that a message to some subscribers is in no page, list or
// address.
func TestOnlyPublicMessagesHavePages(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		b := setup(t, s)
		a := b.put(article.Article{Slug: "a", Title: "An article", HTML: "<p>x</p>"})
		first := b.edition("weekly", 1, "First", true, a)
		write := func(number int, audience digest.Audience, text string) store.Edition {
			audience.Digests = []string{"weekly"}
			return b.editedEdition(store.Edition{Audience: audience.Encode(), Edits: digest.Edits{Intro: map[string]string{"": text}}}, "weekly", number, text, true)
		}
		secret := write(2, digest.Audience{Segment: `language = "\"public\":true"`}, "Secret words")
		open := write(3, digest.Audience{Public: true}, "Open words")
		list := b.get("/digests/weekly/")
		b.want(list, http.StatusOK, open.PagePath(), first.PagePath(), "Open words")
		b.wantNone(list.Body.String(), "Secret", "secret")
		b.want(b.get(open.PagePath()), http.StatusOK, "<p>Open words</p>", `rel="prev" href="`+first.PagePath()+`"`)
		for _, path := range []string{secret.PagePath(), "/editions/" + secret.ID, "/digests/weekly/2"} {
			b.want(b.get(path), http.StatusNotFound)
		}
	})
}
