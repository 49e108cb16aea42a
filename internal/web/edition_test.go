package web_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/tidings-press/tidings/internal/article"
	"github.com/tidings-press/tidings/internal/config"
	"github.com/tidings-press/tidings/internal/delivery"
	"github.com/tidings-press/tidings/internal/digest"
	"github.com/tidings-press/tidings/internal/store"
	"github.com/tidings-press/tidings/internal/subscriber"
	"github.com/tidings-press/tidings/internal/token"
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
	for _, want := range []string{"is sent by email", `href="https://news.example.org/subscribe?digest=weekly"`} {
		if !strings.Contains(w.Body.String(), want) {
			t.Errorf("the page lacks %q", want)
		}
	}
	policy, header := w.Header().Get("Content-Security-Policy"), w.Header()
	if !strings.Contains(policy, "sandbox") || strings.Contains(policy, "allow-scripts") || !strings.Contains(header.Get("X-Robots-Tag"), "noindex") {
		t.Errorf("headers %v", header)
	}
}

func TestEditionPageHasNoSubscriberData(t *testing.T) {
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
	if w := ask(h, http.MethodGet, digest.PagePath(edition.ID)); w.Code != http.StatusNotFound {
		t.Errorf("a draft is public: %d", w.Code)
	}
	if _, err := engine.Approve(t.Context(), edition.ID); err != nil {
		t.Fatal(err)
	}
	if chunk, err := s.store.ClaimChunk(t.Context(), "node", time.Minute); err != nil || chunk == nil {
		t.Fatalf("chunk %v, %v", chunk, err)
	}
	w := ask(h, http.MethodGet, digest.PagePath(edition.ID))
	wantImpersonal(t, w)
	if !strings.Contains(w.Body.String(), "The ferry that waited") {
		t.Error("the page lacks an article")
	}
	r := httptest.NewRequest(http.MethodGet, "https://news.example.org"+digest.PagePath(edition.ID), nil)
	r.Header.Set("If-None-Match", w.Header().Get("ETag"))
	again := httptest.NewRecorder()
	if h.ServeHTTP(again, r); again.Code != http.StatusNotModified {
		t.Errorf("the same page again: status %d", again.Code)
	}
}

func TestEditionsAreIndexedWhereConfigured(t *testing.T) {
	t.Parallel()
	for _, indexed := range []bool{false, true} {
		s, engine, h := handlerWith(t, store.SQLite, func(c *config.Config) { c.Site.IndexEditions = indexed })
		s.subscriber(t, "ada@example.org")
		path := digest.PagePath(sentEdition(t, s, engine).ID)
		w := ask(h, http.MethodGet, path)
		if got := !strings.Contains(w.Header().Get("X-Robots-Tag"), "noindex"); w.Code != http.StatusOK || got != indexed {
			t.Errorf("configured %v: status %d, headers %v", indexed, w.Code, w.Header())
		}
		for _, tag := range []string{`<link rel="canonical" href="https://news.example.org` + path + `">`, `<meta name="description" content="`, `<meta property="og:title" content="`} {
			if strings.Count(w.Body.String(), tag) != 1 {
				t.Errorf("the page lacks %s", tag)
			}
		}
		if got, want := w.Header().Get("Link"), "<https://news.example.org"+path+`>; rel="canonical"`; got != want {
			t.Errorf("Link %q, want %q", got, want)
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
	t.Parallel()
	s, engine, h := handler(t, store.SQLite)
	s.subscriber(t, "ada@example.org")
	edition := sentEdition(t, s, engine)
	page := func() *httptest.ResponseRecorder { return ask(h, http.MethodGet, digest.PagePath(edition.ID)) }
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
	eventually(t, "the page without the withdrawn article", func() bool {
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
	eventually(t, "the end of an edition without any article", func() bool { return page().Code == http.StatusGone })
}

// TestEditionPageHasArticlesOfVariant checks that a subscriber of some topics finds the articles
// of their mail on the page, and that the page contains no personal data.
func TestEditionPageHasArticlesOfVariant(t *testing.T) {
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
		w := ask(h, http.MethodGet, v.PagePath(number))
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
	if pages[0] == pages[1] || strings.Count(digest.PagePath(edition.ID), "/") != 2 {
		t.Error("a subscriber of one topic sees all articles")
	}
	for _, part := range []string{"99", "-1", "18446744073709551616"} {
		if w := ask(h, http.MethodGet, digest.PagePath(edition.ID)+"/"+part); w.Code != http.StatusNotFound {
			t.Errorf("part %s: status %d", part, w.Code)
		}
	}
}

// TestPersonalEditionLinkRedirectsToVariant checks the links in mails of earlier versions, which
// led to a page with the subscriber's address and links. They redirect to the public page.
func TestPersonalEditionLinkRedirectsToVariant(t *testing.T) {
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
	old := func(person token.Person, edition string) string {
		return digest.PagePath(edition) + "/" + keys.Token(token.Claim{Purpose: token.WebEdition, Person: person, Digest: "weekly", Edition: edition})
	}
	for name, test := range map[string]struct{ link, want string }{
		"by the random id":         {old(token.PersonOf(ada.UID), edition.ID), v.PagePath(number)},
		"of an unknown subscriber": {old(token.Person{Row: 4711}, edition.ID), digest.PagePath(edition.ID)},
	} {
		w := ask(h, http.MethodGet, test.link)
		if got := w.Header().Get("Location"); w.Code != http.StatusSeeOther || got != test.want {
			t.Errorf("%s: status %d to %q, want %q", name, w.Code, got, test.want)
			continue
		}
		wantImpersonal(t, ask(h, http.MethodGet, w.Header().Get("Location")))
	}
	const other = "00000000-0000-4000-8000-000000000000"
	foreign := strings.Replace(old(token.PersonOf(ada.UID), other), other, edition.ID, 1)
	if w := ask(h, http.MethodGet, foreign); w.Code != http.StatusNotFound {
		t.Errorf("a token of another edition: %d", w.Code)
	}
}
