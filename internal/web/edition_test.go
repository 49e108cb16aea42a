package web_test

import (
	"cmp"
	"encoding/json"
	"html"
	"net/http"
	"net/http/httptest"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/tidings-press/tidings/internal/app"
	"github.com/tidings-press/tidings/internal/article"
	"github.com/tidings-press/tidings/internal/config"
	"github.com/tidings-press/tidings/internal/delivery"
	"github.com/tidings-press/tidings/internal/digest"
	"github.com/tidings-press/tidings/internal/store"
	"github.com/tidings-press/tidings/internal/subscriber"
	"github.com/tidings-press/tidings/internal/testkit"
	"github.com/tidings-press/tidings/internal/testkit/storetest"
	"github.com/tidings-press/tidings/internal/token"
	"github.com/tidings-press/tidings/internal/web"
)

// sentEdition creates an edition whose first mails are being sent.
func sentEdition(t *testing.T, s *site, engine *delivery.Engine) store.Edition {
	t.Helper()
	edition, err := engine.SendNow(t.Context(), "weekly", "ada")
	if err != nil {
		t.Fatal(err)
	}
	if chunk, err := s.store.ClaimChunk(t.Context(), "node", time.Minute); err != nil || chunk == nil {
		t.Fatalf("chunk %v, %v", chunk, err)
	}
	return edition
}

// wantImpersonal fails the test if a page contains an address or a personal link.
func wantImpersonal(t *testing.T, w *httptest.ResponseRecorder) {
	t.Helper()
	if w.Code != http.StatusOK {
		t.Fatalf("status %d: %.200s", w.Code, w.Body)
	}
	for _, personal := range []string{"ada@example.org", "Quistgaard", "/unsubscribe/", "/preferences/", "/private/", "You receive", "because you subscribed", "Unsubscribe"} {
		if strings.Contains(w.Body.String(), personal) {
			t.Errorf("the page contains %q", personal)
		}
	}
	for _, want := range []string{`<header class="masthead">`, `<form method="post" action="/subscribe" class="subscribe">`, `name="digest" value="weekly" checked`} {
		if !strings.Contains(w.Body.String(), want) {
			t.Errorf("the page lacks %q", want)
		}
	}
	if header := w.Header(); strings.Contains(header.Get("Content-Security-Policy"), "script") || !strings.Contains(header.Get("X-Robots-Tag"), "noindex") {
		t.Errorf("headers %v", header)
	}
}

func TestEditionPageHasNoSubscriberData(t *testing.T) {
	testkit.Slow(t)
	t.Parallel()
	s, engine, h := handler(t, store.SQLite)
	who := s.subscriber(t, "ada@example.org")
	who.Name = "Quistgaard"
	if err := s.store.UpdateSubscriber(t.Context(), who); err != nil {
		t.Fatal(err)
	}
	edition, err := engine.Draft(t.Context(), "weekly", delivery.SendOptions{By: "bo"})
	if err != nil {
		t.Fatal(err)
	}
	if w := ask(h, http.MethodGet, edition.PagePath()); w.Code != http.StatusNotFound {
		t.Errorf("a draft is public: %d", w.Code)
	}
	if _, err := engine.Approve(t.Context(), edition.ID); err != nil {
		t.Fatal(err)
	}
	if chunk, err := s.store.ClaimChunk(t.Context(), "node", time.Minute); err != nil || chunk == nil {
		t.Fatalf("chunk %v, %v", chunk, err)
	}
	w := ask(h, http.MethodGet, edition.PagePath())
	wantImpersonal(t, w)
	if !strings.Contains(w.Body.String(), "The ferry that waited") {
		t.Error("the page lacks an article")
	}
	r := httptest.NewRequest(http.MethodGet, "https://news.example.org"+edition.PagePath(), nil)
	r.Header.Set("If-None-Match", w.Header().Get("ETag"))
	again := httptest.NewRecorder()
	if h.ServeHTTP(again, r); again.Code != http.StatusNotModified {
		t.Errorf("the same page again: status %d", again.Code)
	}
}

func TestEditionsAreIndexedWhereConfigured(t *testing.T) {
	testkit.Slow(t)
	t.Parallel()
	for _, indexed := range []bool{false, true} {
		s, engine, h := handlerWith(t, store.SQLite, func(c *config.Config) { c.Site.IndexEditions = indexed })
		s.subscriber(t, "ada@example.org")
		path := sentEdition(t, s, engine).PagePath()
		w := ask(h, http.MethodGet, path)
		if got := !strings.Contains(w.Header().Get("X-Robots-Tag"), "noindex"); w.Code != http.StatusOK || got != indexed {
			t.Errorf("configured %v: status %d, headers %v", indexed, w.Code, w.Header())
		}
		for _, tag := range []string{`<link rel="canonical" href="https://news.example.org` + path + `">`, `<meta name="description" content="`, `<meta property="og:title" content="`} {
			if strings.Count(w.Body.String(), tag) != 1 {
				t.Errorf("the page lacks %s", tag)
			}
		}
		if blocked := strings.Contains(ask(h, http.MethodGet, "/robots.txt").Body.String(), "Disallow: /editions/\n"); blocked == indexed {
			t.Errorf("configured %v: robots.txt blocks editions: %v", indexed, blocked)
		}
		if listed := strings.Contains(ask(h, http.MethodGet, "/sitemap.xml").Body.String(), path); listed != indexed {
			t.Errorf("configured %v: the sitemap has the edition: %v", indexed, listed)
		}
	}
}

// TestEditionPageOmitsWithdrawnArticle checks the page of an edition whose mails contain the
// article.
func TestEditionPageOmitsWithdrawnArticle(t *testing.T) {
	testkit.Slow(t)
	t.Parallel()
	s, engine, h := handler(t, store.SQLite)
	s.subscriber(t, "ada@example.org")
	edition := sentEdition(t, s, engine)
	page := func() *httptest.ResponseRecorder {
		w := ask(h, http.MethodGet, edition.PagePath())
		if w.Code == http.StatusMovedPermanently { // the subject may name the withdrawn article
			w = ask(h, http.MethodGet, w.Header().Get("Location"))
		}
		return w
	}
	const title = "The ferry that waited"
	if w := page(); !strings.Contains(w.Body.String(), title) {
		t.Fatalf("status %d without the article", w.Code)
	}
	for _, id := range edition.Articles {
		a, err := s.store.Article(t.Context(), id)
		if err != nil {
			t.Fatal(err)
		}
		if a.Title != title {
			continue
		}
		if err := s.store.RemoveArticle(t.Context(), id); err != nil {
			t.Fatal(err)
		}
	}
	testkit.Eventually(t, "the page without the withdrawn article", func() bool {
		w := page()
		return w.Code == http.StatusOK && !strings.Contains(w.Body.String(), title)
	})
	for _, id := range edition.Articles {
		if a, err := s.store.Article(t.Context(), id); err == nil && a.Status == article.Published {
			if err := s.store.RemoveArticle(t.Context(), id); err != nil {
				t.Fatal(err)
			}
		}
	}
	testkit.Eventually(t, "the end of an edition without any article", func() bool { return page().Code == http.StatusGone })
}

// TestEditionPageHasArticlesOfVariant checks that a subscriber of some topics finds the articles
// of their mail on the page, and that the page contains no personal data.
func TestEditionPageHasArticlesOfVariant(t *testing.T) {
	testkit.Slow(t)
	t.Parallel()
	s, engine, h := handler(t, store.SQLite)
	ada, bo := s.subscriber(t, "ada@example.org"), s.subscriber(t, "bo@example.org")
	if err := s.store.Subscribe(t.Context(), ada.ID, "weekly", []string{"harbour"}); err != nil {
		t.Fatal(err)
	}
	edition := sentEdition(t, s, engine)
	var pages []string
	for _, who := range []subscriber.Subscriber{ada, bo} {
		number, v, err := s.store.VariantFor(t.Context(), edition.Seq, who.ID)
		if err != nil {
			t.Fatal(err)
		}
		w := ask(h, http.MethodGet, edition.VariantPath(v, number))
		wantImpersonal(t, w)
		for _, id := range edition.Articles {
			a, err := s.store.Article(t.Context(), id)
			if err != nil {
				t.Fatal(err)
			}
			mailed := false
			for _, one := range v.Articles {
				mailed = mailed || one == id
			}
			if shown := strings.Contains(w.Body.String(), a.Path()+`"`); shown != mailed {
				t.Errorf("%s: %q is on the page: %t, in the mail: %t", who.Address, a.Title, shown, mailed)
			}
		}
		pages = append(pages, w.Body.String())
	}
	if pages[0] == pages[1] {
		t.Error("a subscriber of one topic sees all articles")
	}
	for _, part := range []string{"99", "-1", "18446744073709551616"} {
		if w := ask(h, http.MethodGet, edition.PagePath()+part+"/"); w.Code != http.StatusNotFound {
			t.Errorf("part %s: status %d", part, w.Code)
		}
	}
}

// TestFormerEditionAddressesRedirect checks the links in mails of earlier versions: by the edition's
// id, by the number of a variant, and by a token that led to a page with the subscriber's address.
func TestFormerEditionAddressesRedirect(t *testing.T) {
	testkit.Slow(t)
	t.Parallel()
	s, engine, h := handler(t, store.SQLite)
	ada := s.subscriber(t, "ada@example.org")
	if err := s.store.Subscribe(t.Context(), ada.ID, "weekly", []string{"harbour"}); err != nil {
		t.Fatal(err)
	}
	edition := sentEdition(t, s, engine)
	keys, err := s.store.Keys(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	number, v, err := s.store.VariantFor(t.Context(), edition.Seq, ada.ID)
	if err != nil {
		t.Fatal(err)
	}
	whole, part := edition.PagePath(), edition.VariantPath(v, number)
	if whole != "/digests/weekly/1-"+article.Slugify(edition.Subject)+"/" || part != whole+strconv.Itoa(number)+"/" {
		t.Fatalf("paths %s and %s", whole, part)
	}
	former := "/editions/" + edition.ID
	old := func(person token.Person, id string) string {
		return former + "/" + keys.Token(token.Claim{Purpose: token.WebEdition, Person: person, Digest: "weekly", Edition: id})
	}
	for from, to := range map[string]string{
		former:                                      whole,
		former + "/" + strconv.Itoa(number):         part,
		old(token.PersonOf(ada.UID), edition.ID):    part,
		old(token.Person{Row: 4711}, edition.ID):    whole,
		"/digests/weekly/1":                         whole,
		"/digests/weekly/1/":                        whole,
		"/digests/weekly/1-another-subject/":        whole,
		"/digests/weekly/01-the-week/":              whole,
		strings.TrimSuffix(whole, "/"):              whole,
		strings.TrimSuffix(part, "/"):               part,
		"/digests/weekly/1/" + strconv.Itoa(number): part,
		"/digests/weekly":                           "/digests/weekly/",
	} {
		for _, method := range []string{http.MethodGet, http.MethodHead} {
			w := ask(h, method, from)
			if got := w.Header().Get("Location"); w.Code != http.StatusMovedPermanently || got != to {
				t.Errorf("%s %s: status %d to %q, want %q", method, from, w.Code, got, to)
			}
		}
		wantImpersonal(t, ask(h, http.MethodGet, to))
	}
	const other = "00000000-0000-4000-8000-000000000000"
	foreign := strings.Replace(old(token.PersonOf(ada.UID), other), other, edition.ID, 1)
	for _, missing := range []string{foreign, former + "/99", "/editions/" + other, "/digests/weekly/2/", "/digests/weekly/x/", "/digests/weekly/-1/", "/digests/nothing/", "/digests/daily/1/"} {
		if w := ask(h, http.MethodGet, missing); w.Code != http.StatusNotFound {
			t.Errorf("%s: status %d", missing, w.Code)
		}
	}
}

// TestPagesOfEditionsAreTheSameOnEveryNode compares the bytes and the ETags of two nodes that share
// a store.
func TestPagesOfEditionsAreTheSameOnEveryNode(t *testing.T) {
	t.Parallel()
	for _, engine := range storetest.Engines {
		t.Run(string(engine), func(t *testing.T) {
			t.Parallel()
			if engine == store.Postgres {
				testkit.Slow(t)
			}
			s, mails, first := handler(t, engine)
			s.subscriber(t, "ada@example.org")
			edition := sentEdition(t, s, mails)
			other, err := store.Open(t.Context(), s.service.Config.Store.DSN.Reveal(), store.Options{})
			if err != nil {
				t.Fatal(err)
			}
			defer other.Close()
			node := app.Service{Config: s.service.Config, Store: other, Templates: s.service.Templates, Log: s.service.Log}
			feeds, err := node.Feeds(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			second, err := web.New(web.Deps{Store: other, Engine: s.engine, Feeds: feeds, Config: node.Config, Templates: node.Templates, Log: node.Log})
			if err != nil {
				t.Fatal(err)
			}
			for _, path := range []string{edition.PagePath(), "/digests/weekly/", "/digests/weekly/?q=ferry", "/digests/weekly/feed.xml", "/digests/weekly/atom.xml", "/digests/weekly/feed.json"} {
				a, b := ask(first, http.MethodGet, path), ask(second, http.MethodGet, path)
				if tag := a.Header().Get("ETag"); a.Code != http.StatusOK || tag == "" || tag != b.Header().Get("ETag") || a.Body.String() != b.Body.String() {
					t.Errorf("%s: status %d and %d, %s and %s", path, a.Code, b.Code, tag, b.Header().Get("ETag"))
				}
			}
		})
	}
}

// TestPageAndFeedOfEditionAreArrangedLikeItsMail compares the order of headings and titles.
func TestPageAndFeedOfEditionAreArrangedLikeItsMail(t *testing.T) {
	testkit.Slow(t)
	t.Parallel()
	for name, test := range map[string]struct {
		change   func(*config.Digest)
		headings []string
		first    string
	}{
		"sections": {func(d *config.Digest) {
			d.Order, d.Lead = digest.OldestFirst, "transport"
			d.Sections = []config.DigestSection{{Name: "rest", Title: "Everything else"}, {Name: "port", Title: "At the harbour", Tag: "harbour"}}
		}, []string{"At the harbour", "Everything else"}, "The ferry that waited"},
		"sources": {func(d *config.Digest) { d.GroupBy = "source" }, []string{"Boats", "Island News"}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s, _, h := handlerWith(t, store.SQLite, func(c *config.Config) { test.change(&c.Digests[0]) })
			engine, err := s.service.Engine(t.Context()) // with the changed settings
			if err != nil {
				t.Fatal(err)
			}
			who := s.subscriber(t, "ada@example.org")
			for _, source := range []string{"Island News", "Boats"} {
				a := article.Article{
					Source: "feed/" + source, Slug: article.Slugify(source), Title: "From " + article.Slugify(source), HTML: "<p>x</p>", Hash: source, Status: article.Published,
					Published: s.store.Now(), Updated: s.store.Now(), Origin: &article.Origin{Title: source, URL: "https://" + article.Slugify(source) + ".example/"},
				}
				if _, err := s.store.PutArticle(t.Context(), &a, nil, nil); err != nil {
					t.Fatal(err)
				}
			}
			edition := sentEdition(t, s, engine)
			_, mail, err := s.store.VariantFor(t.Context(), edition.Seq, who.ID)
			if err != nil {
				t.Fatal(err)
			}
			words := slices.Clone(test.headings)
			for _, id := range edition.Articles {
				a, err := s.store.Article(t.Context(), id)
				if err != nil {
					t.Fatal(err)
				}
				words = append(words, a.Title)
			}
			page := ask(h, http.MethodGet, edition.PagePath()).Body.String()
			_, page, _ = strings.Cut(page, "</h1>")
			var found struct {
				Items []struct {
					HTML    string `json:"content_html"`
					Summary string
				}
			}
			if err := json.Unmarshal(ask(h, http.MethodGet, "/digests/weekly/feed.json").Body.Bytes(), &found); err != nil || len(found.Items) != 1 {
				t.Fatalf("a feed with %d editions, %v", len(found.Items), err)
			}
			want := orderOf(mail.HTML, words)
			if len(want) != len(words) || test.first != "" && want[0] != test.first {
				t.Fatalf("the mail shows %q", want)
			}
			if !strings.HasPrefix(found.Items[0].Summary, want[0]) {
				t.Errorf("the summary in the feed is %q", found.Items[0].Summary)
			}
			for place, text := range map[string]string{"page": page, "feed": found.Items[0].HTML} {
				if got := orderOf(text, words); !slices.Equal(got, want) {
					t.Errorf("the %s shows\n%q, the mail\n%q", place, got, want)
				}
			}
		})
	}
}

// orderOf returns those of some headings and titles that HTML has, in the order shown.
func orderOf(text string, words []string) []string {
	at := map[string]int{}
	for _, word := range words {
		if found := regexp.MustCompile(`>\s*` + regexp.QuoteMeta(html.EscapeString(word)) + `\s*<`).FindStringIndex(text); found != nil {
			at[word] = found[0]
		}
	}
	found := slices.DeleteFunc(slices.Clone(words), func(word string) bool { return at[word] == 0 })
	slices.SortFunc(found, func(a, b string) int { return cmp.Compare(at[a], at[b]) })
	return found
}
