package public_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/tidings-press/tidings/internal/article"
	"github.com/tidings-press/tidings/internal/config"
	"github.com/tidings-press/tidings/internal/store"
	"github.com/tidings-press/tidings/internal/subscriber"
	"github.com/tidings-press/tidings/internal/testkit/storetest"
	"github.com/tidings-press/tidings/internal/token"
)

// TestTokensOfNoMailAreAnsweredAlike: what a scanner tries gets one page, which is never cached nor indexed, and
// repeats nothing of the address.
func TestTokensOfNoMailAreAnsweredAlike(t *testing.T) {
	t.Parallel()
	b := onSQLite(t)
	pages := map[string]string{}
	for _, place := range []string{"confirm", "unsubscribe", "preferences", "erase", "export"} {
		for _, junk := range []string{"x", "AAAA", strings.Repeat("A", 3000), "%3Cscript%3E", "..%2f..%2fetc%2fpasswd", "%00", "%ff%fe", "jgECKgAGd2Vla2x5AQtswORq000KnDVaUqnPPQ-Xx2XUu12vMT4NOSrlIEiw"} {
			for _, method := range []string{http.MethodGet, http.MethodPost, http.MethodHead} {
				w := b.do(httptest.NewRequest(method, "/"+place+"/"+junk, nil))
				h := w.Header()
				if w.Code != http.StatusNotFound || h.Get("X-Robots-Tag") != "noindex" || h.Get("Referrer-Policy") != "same-origin" || strings.Contains(h.Get("Cache-Control"), "public") {
					t.Errorf("%s /%s/%.20s: %d %v", method, place, junk, w.Code, h)
				}
				if method == http.MethodGet {
					pages[w.Body.String()] = place + "/" + junk
				} else if method == http.MethodHead && w.Body.Len() > 0 {
					t.Errorf("HEAD /%s/%.20s has a body", place, junk)
				}
			}
		}
	}
	if len(pages) != 1 {
		t.Errorf("%d different pages", len(pages))
	}
}

func TestLinksOfAnErasedPersonAreGone(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		b := setup(t, s)
		sub := b.person("a@example.org", subscriber.Active)
		preferences := "/preferences/" + b.keys.Sign(token.Preferences, sub.UID, "", "")
		unsubscribe := "/unsubscribe/" + b.keys.Sign(token.Unsubscribe, sub.UID, "weekly", "")
		confirm := "/confirm/" + b.keys.SignConfirm(sub.UID, "weekly", s.Now())
		b.want(b.post(preferences, form("do", "erase")), http.StatusOK)
		erase := b.mailedLink("a@example.org", "erase")
		b.want(b.post(erase, nil), http.StatusOK, "Your data has been deleted")
		for _, path := range []string{preferences, unsubscribe, confirm, erase} {
			b.want(b.get(path), http.StatusGone, "Your data has been deleted")
		}
		for _, path := range []string{preferences, confirm, erase} {
			b.want(b.post(path, form("do", "save", "digest", "weekly")), http.StatusGone, "Your data has been deleted")
		}
		b.want(b.post(unsubscribe, nil), http.StatusOK, "You are unsubscribed") // a mail program repeats its click
		if n := len(b.sent()); n != 1 {
			t.Errorf("%d mails were sent, want that with the link alone", n)
		}
		b.want(b.post("/subscribe", form("email", "a@example.org", "digest", "weekly")), http.StatusOK, "Check your inbox")
		b.want(b.post(b.mailedLink("a@example.org", "confirm"), nil), http.StatusOK, "You are subscribed") // they may return by the form alone
		back, err := s.SubscriberByAddress(t.Context(), subscriber.MustParseAddress("a@example.org"))
		if err != nil || back.ID == sub.ID || back.UID == sub.UID {
			t.Errorf("they are %+v again, %v", back, err)
		}
		b.want(b.get(preferences), http.StatusGone) // a link of the time before is not theirs
	})
}

func TestFormsThatCannotBeReadAreExplained(t *testing.T) {
	t.Parallel()
	b := onSQLite(t)
	sub := b.person("a@example.org", subscriber.Active)
	for _, path := range []string{"/subscribe", "/preferences/" + b.keys.Sign(token.Preferences, sub.UID, "", "")} {
		for name, test := range map[string]struct {
			body   string
			status int
			want   string
		}{
			"an escape that is cut":   {"email=%4", http.StatusBadRequest, "The form is incomplete"},
			"an escape that is none":  {"do=%zz", http.StatusBadRequest, "The form is incomplete"},
			"semicolons":              {"do=leave;email=x", http.StatusBadRequest, "The form is incomplete"},
			"one byte more than 16 K": {"do=save&name=" + strings.Repeat("x", 16<<10-12), http.StatusRequestEntityTooLarge, "The form is too large"},
		} {
			r := httptest.NewRequest(http.MethodPost, path, strings.NewReader(test.body))
			r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
			w := b.do(r)
			if w.Code != test.status || !strings.Contains(w.Body.String(), test.want) {
				t.Errorf("%.12s: %s: %d\n%s", path, name, w.Code, w.Body)
			}
		}
	}
	if on, state := b.subscribed(sub.ID); on != "weekly daily" && on != "daily weekly" || state != subscriber.Active {
		t.Errorf("a form that was not read made them %s on %q", state, on)
	}
}

// TestOneClickWorksWithAnyBody: RFC 8058 has a form, and mail programs send other bodies. The token is enough.
func TestOneClickWorksWithAnyBody(t *testing.T) {
	t.Parallel()
	b := onSQLite(t)
	for i, test := range []struct{ kind, body string }{
		{"", ""}, {"application/json", `{"List-Unsubscribe":"One-Click"}`}, {"application/x-www-form-urlencoded", "%zz"}, {"multipart/form-data", "no boundary"},
		{"text/plain", strings.Repeat("x", 100_000)}, {"nonsense", "\x00\xff"},
	} {
		sub := b.person(fmt.Sprintf("a%d@example.org", i), subscriber.Active)
		r := httptest.NewRequest(http.MethodPost, "/unsubscribe/"+b.keys.Sign(token.Unsubscribe, sub.UID, "weekly", "")+"?utm_source=x", strings.NewReader(test.body))
		if test.kind != "" {
			r.Header.Set("Content-Type", test.kind)
		}
		b.want(b.do(r), http.StatusOK, "You are unsubscribed")
		if on, _ := b.subscribed(sub.ID); on != "daily" {
			t.Errorf("%q: they are still on %q", test.kind, on)
		}
	}
}

// TestLinksThatAreOnlyOpenedChangeNothing: scanners of mails open every link, some with HEAD.
func TestLinksThatAreOnlyOpenedChangeNothing(t *testing.T) {
	t.Parallel()
	b := onSQLite(t)
	active, pending := b.person("a@example.org", subscriber.Active), b.person("p@example.org", subscriber.Pending)
	b.want(b.post("/preferences/"+b.keys.Sign(token.Preferences, active.UID, "", ""), form("do", "erase")), http.StatusOK)
	erase := b.mailedLink("a@example.org", "erase")
	for _, path := range []string{
		"/unsubscribe/" + b.keys.Sign(token.Unsubscribe, active.UID, "weekly", ""), "/preferences/" + b.keys.Sign(token.Preferences, active.UID, "", "") + "?do=leave",
		"/confirm/" + b.keys.SignConfirm(pending.UID, "weekly", b.store.Now()), erase,
	} {
		for _, method := range []string{http.MethodGet, http.MethodHead} {
			if w := b.do(httptest.NewRequest(method, path, nil)); w.Code != http.StatusOK || w.Header().Get("X-Robots-Tag") != "noindex" || strings.Contains(w.Header().Get("Cache-Control"), "public") {
				t.Errorf("%s %.14s: %d %v", method, path, w.Code, w.Header())
			}
		}
		for _, method := range []string{http.MethodPut, http.MethodDelete, http.MethodPatch, http.MethodOptions} {
			if w := b.do(httptest.NewRequest(method, path, nil)); w.Code == http.StatusOK {
				t.Errorf("%s %.14s is answered", method, path)
			}
		}
	}
	if on, state := b.subscribed(active.ID); len(strings.Fields(on)) != 2 || state != subscriber.Active {
		t.Errorf("they became %s on %q", state, on)
	}
	if _, state := b.subscribed(pending.ID); state != subscriber.Pending {
		t.Errorf("they became %s", state)
	}
}

func TestPositionsThatNoListHasAreNotFound(t *testing.T) {
	t.Parallel()
	b := onSQLite(t)
	b.put(article.Article{Slug: "one", Title: "One", Tags: []string{"council"}, HTML: "<p>One.</p>"})
	for _, address := range []string{
		"/?before=x", "/?before=1", "/?before=1.", "/?before=.1", "/?before=1.1x", "/?before=%201.1", "/?before=01.1", "/?before=%2B1.1", "/?before=1.1.1", "/?before=99999999999999999999.1", "/?before=1e3.1",
		"/tags/council/?before=x", "/search?q=one&before=1.1x", "/filter?match=council&before=1",
		"/search?q=one&page=0", "/search?q=one&page=-1", "/search?q=one&page=x", "/search?q=one&page=26", "/search?q=one&page=99999999999999999999",
		"/digests/weekly?before=x", "/digests/weekly?before=-1", "/digests/weekly?before=99999999999", "/digests/weekly?q=" + strings.Repeat("x", 501), "/digests/monthly", "/digests/monthly?q=x",
		"/sitemap.xml?part=-1", "/sitemap.xml?part=x", "/sitemap.xml?part=99999999999999999999", "/tags/?find=" + strings.Repeat("x", 401),
		"/tags/nothing/", "/tags/nothing", "/authors/nobody/", "/languages/tlh/", "/articles/none", "/articles/One%00", "/tags/%ff/", "/tags/%E2%80/", "/media/none", "/media/..%2f..%2fx", "/editions/none", "/editions/none/1",
		"/editions/none/99999999999999999999", "/editions/none/feedback/yes", "/digests/weekly/none", "/digests/weekly/1", "/digests/weekly/1/2", "/private/x/", "/nothing", "/.env", "/wp-login.php", "//", "/%2e%2e/",
	} {
		w := b.get(address)
		for w.Code == http.StatusMovedPermanently || w.Code == http.StatusTemporaryRedirect || w.Code == http.StatusPermanentRedirect { // the mux cleans paths
			w = b.get(w.Header().Get("Location"))
			if address == "//" || address == "/%2e%2e/" {
				break
			}
		}
		if w.Code != http.StatusNotFound && address != "//" && address != "/%2e%2e/" {
			t.Errorf("GET %.60s: %d", address, w.Code)
		}
		if w.Code >= 500 || strings.Contains(w.Body.String(), "goroutine") {
			t.Errorf("GET %.60s: %d\n%s", address, w.Code, w.Body)
		}
	}
	for _, address := range []string{"/?before=1.1", "/?before=9223372036854775807.9223372036854775807", "/?before=-5.0", "/search?q=one&page=25", "/digests/weekly/?before=0", "/digests/weekly/?before=2147483647", "/sitemap.xml?part=0"} {
		if w := b.get(address); w.Code != http.StatusOK {
			t.Errorf("GET %s: %d", address, w.Code)
		}
	}
}

func TestPagesHaveTheSameHeadersForHEAD(t *testing.T) {
	t.Parallel()
	b := onSQLite(t)
	importSamples(t, b.store)
	for _, path := range []string{"/", "/tags/", "/feeds", "/subscribe", "/search?q=harbour", "/filter?match=harbour", "/sitemap.xml", "/robots.txt", "/digests/weekly", "/nothing"} {
		get, head := b.get(path), b.do(httptest.NewRequest(http.MethodHead, path, nil))
		if head.Code != get.Code || head.Body.Len() != 0 || get.Body.Len() == 0 {
			t.Errorf("%s: GET %d with %d bytes, HEAD %d with %d bytes", path, get.Code, get.Body.Len(), head.Code, head.Body.Len())
		}
		for name := range get.Header() {
			if name != "X-Request-Id" && head.Header().Get(name) != get.Header().Get(name) {
				t.Errorf("%s: HEAD has %s %q, GET %q", path, name, head.Header().Get(name), get.Header().Get(name))
			}
		}
		if w := b.post(path, nil); w.Code == http.StatusOK {
			t.Errorf("POST %s is answered", path)
		}
	}
}

func TestNameInAnotherSpellingIsRedirected(t *testing.T) {
	t.Parallel()
	b := onSQLite(t)
	b.put(article.Article{Slug: "one", Title: "One", Tags: []string{"Town Council", "AC/DC", "Ünïcode", "100%"}, Authors: []article.Author{{Name: "Ada O’Hara"}}, Language: "pt-BR", HTML: "<p>One.</p>"})
	b.put(article.Article{Slug: "two", Title: "Two", Language: "en", HTML: "<p>Two.</p>"})
	for from, to := range map[string]string{
		"/tags/town%20council/":           "/tags/Town%20Council/",
		"/tags/TOWN%20COUNCIL?before=1.1": "/tags/Town%20Council/?before=1.1",
		"/tags/Town%20Council":            "/tags/Town%20Council/",
		"/tags/ac%2Fdc/":                  "/tags/AC%2FDC/",
		"/authors/ada%20o%E2%80%99hara/":  "/authors/Ada%20O%E2%80%99Hara/",
		"/languages/PT-br/":               "/languages/pt-BR/",
	} {
		w := b.get(from)
		if w.Code != http.StatusMovedPermanently {
			t.Errorf("%s: %d", from, w.Code)
			continue
		}
		if got := w.Header().Get("Location"); got != to {
			t.Errorf("%s leads to %s, want %s", from, got, to)
		}
		if w := b.get(strings.TrimSuffix(to, "?before=1.1")); w.Code != http.StatusOK || !strings.Contains(w.Body.String(), "/articles/one") {
			t.Errorf("%s: %d", to, w.Code)
		}
	}
	for _, name := range []string{"Ünïcode", "100%"} {
		if w := b.get("/tags/" + url.PathEscape(name) + "/"); w.Code != http.StatusOK && w.Code != http.StatusMovedPermanently {
			t.Errorf("%s: %d", name, w.Code)
		}
	}
}

// TestTopicsAreFilteredByWhatThePageShows: languages are shown by their names.
func TestTopicsAreFilteredByWhatThePageShows(t *testing.T) {
	t.Parallel()
	b := onSQLite(t)
	b.put(article.Article{Slug: "one", Title: "One", Tags: []string{"Harbour", "Council"}, Authors: []article.Author{{Name: "Grete Deutschmann"}}, Language: "de", HTML: "<p>One.</p>"})
	b.put(article.Article{Slug: "two", Title: "Two", Tags: []string{"harbour"}, Language: "fr", HTML: "<p>Two.</p>"})
	for find, want := range map[string]string{
		"":           "Harbour Council Grete Deutsch français",
		"HARB":       "Harbour",
		"deutsch":    "Grete Deutsch",
		"Français":   "français",
		"council":    "Council",
		"nothing":    "",
		`"><script>`: "",
	} {
		w := b.get("/tags/?find=" + url.QueryEscape(find))
		b.want(w, http.StatusOK)
		page := w.Body.String()
		for text, link := range map[string]string{"Harbour": `"/tags/Harbour/"`, "Council": `"/tags/Council/"`, "Grete": `"/authors/Grete%20Deutschmann/"`, "Deutsch": `"/languages/de/"`, "français": `"/languages/fr/"`} {
			if got := strings.Contains(page, "href="+link); got != strings.Contains(want, text) {
				t.Errorf("find %q: the page has %s: %t", find, text, got)
			}
		}
		if strings.Contains(page, "<script>") || (find != "") != (w.Header().Get("X-Robots-Tag") == "noindex") {
			t.Errorf("find %q: headers %v", find, w.Header())
		}
	}
}

func TestFormsOfOneNetworkAreLimited(t *testing.T) {
	t.Parallel()
	b := onSQLite(t)
	ask := func(from, address string) int {
		r := httptest.NewRequest(http.MethodPost, "/subscribe", strings.NewReader(form("email", address, "digest", "weekly").Encode()))
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		r.RemoteAddr = from
		w := b.do(r)
		if w.Code == http.StatusTooManyRequests && w.Header().Get("Retry-After") != "60" {
			t.Errorf("headers %v", w.Header())
		}
		return w.Code
	}
	for i := range 10 {
		if got := ask("[2001:db8::1]:1", fmt.Sprintf("a%d@example.org", i)); got != http.StatusOK {
			t.Fatalf("form %d: %d", i, got)
		}
	}
	if got := ask("[2001:db8::2]:2", "b@example.org"); got != http.StatusTooManyRequests { // another address of the same network
		t.Errorf("form 11: %d", got)
	}
	if got := ask("[2001:db8::1]:1", "no address"); got != http.StatusUnprocessableEntity { // a mistake does not count
		t.Errorf("a form with a mistake: %d", got)
	}
	if got := ask("[2001:db8:0:1::1]:1", "b@example.org"); got != http.StatusOK {
		t.Errorf("another network: %d", got)
	}
}

func TestFormTakesOnlyDigestsThatAreOffered(t *testing.T) {
	t.Parallel()
	s := storetest.Open(t, store.SQLite, store.Options{})
	b := setupWith(t, s, func(c *config.Config) { c.Digests[1].Status = "archived" })
	b.want(b.post("/subscribe", form("email", "a@example.org", "digest", "daily")), http.StatusUnprocessableEntity, "Please choose at least one of the emails.")
	b.want(b.post("/subscribe", form("email", "a@example.org", "digest", "monthly", "digest", "__proto__")), http.StatusUnprocessableEntity, "Please choose")
	b.want(b.post("/subscribe", form("email", " a@example.org ", "digest", "weekly", "digest", "weekly", "digest", "daily", "name", "Ada\r\nBcc: b@example.org")), http.StatusOK, "Check your inbox")
	mails := b.sent()
	if len(mails) != 1 || mails[0].To != "a@example.org" {
		t.Fatalf("mails %+v", mails)
	}
	b.want(b.post(b.mailedLink("a@example.org", "confirm"), nil), http.StatusOK, "You are subscribed", "The Week")
	sub, err := s.SubscriberByAddress(t.Context(), subscriber.MustParseAddress("a@example.org"))
	if err != nil || strings.ContainsAny(sub.Name, "\r\n") {
		t.Fatalf("%+v, %v", sub, err)
	}
	if on, _ := b.subscribed(sub.ID); on != "weekly" {
		t.Errorf("on %q", on)
	}
}

// TestConfirmationPressedTwiceWelcomesOnce: people click twice, and topics chosen in between stay.
func TestConfirmationPressedTwiceWelcomesOnce(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		b := setup(t, s)
		importSamples(t, s)
		b.want(b.post("/subscribe", form("email", "a@example.org", "digest", "weekly", "digest", "daily")), http.StatusOK)
		confirm := b.mailedLink("a@example.org", "confirm")
		b.want(b.post(confirm, nil), http.StatusOK, "The Week", "The Day")
		sub, err := s.SubscriberByAddress(t.Context(), subscriber.MustParseAddress("a@example.org"))
		if err != nil || sub.Consent.Source != "form" || sub.Consent.IP == "" || !strings.Contains(sub.Consent.Text, "The Week") {
			t.Fatalf("%+v, %v", sub, err)
		}
		mails := len(b.sent())
		if err := s.Subscribe(t.Context(), sub.ID, "weekly", []string{"harbour"}); err != nil {
			t.Fatal(err)
		}
		if err := s.Unsubscribe(t.Context(), sub.ID, "daily"); err != nil {
			t.Fatal(err)
		}
		b.want(b.post(confirm, nil), http.StatusOK, "You are subscribed")
		if got, err := s.Subscription(t.Context(), sub.ID, "weekly"); err != nil || strings.Join(got.Topics, " ") != "harbour" {
			t.Errorf("topics %v, %v", got.Topics, err)
		}
		if on, state := b.subscribed(sub.ID); len(strings.Fields(on)) != 2 || state != subscriber.Active {
			t.Errorf("they are %s on %q", state, on)
		}
		if got := len(b.sent()); got > mails+1 {
			t.Errorf("the second click sent %d mails", got-mails)
		}
		mails = len(b.sent())
		b.want(b.post(confirm, nil), http.StatusOK)
		if got := len(b.sent()); got != mails {
			t.Errorf("the third click sent %d mails", got-mails)
		}
	})
}

func TestButtonsOfThePreferencesNeedASubscription(t *testing.T) {
	t.Parallel()
	b := onSQLite(t)
	sub := b.person("a@example.org", subscriber.Active)
	path := "/preferences/" + b.keys.Sign(token.Preferences, sub.UID, "", "")
	b.want(b.post(path, form("do", "feed:monthly")), http.StatusNotFound)
	b.want(b.post(path, form("do", "feed:")), http.StatusNotFound)
	first := b.post(path, form("do", "feed:weekly"))
	second := b.post(path, form("do", "feed:weekly"))
	b.want(first, http.StatusOK, siteURL+"/private/")
	b.want(second, http.StatusOK, siteURL+"/private/")
	if first.Body.String() == second.Body.String() {
		t.Error("a new private feed has the address of the old one")
	}
	b.want(b.post(path, form("do", "close:monthly")), http.StatusOK)
	if strings.Contains(b.get(path).Body.String(), "/private/") {
		t.Error("the address of a private feed is shown again")
	}
	b.want(b.post(path, form("do", "save", "digest", "weekly", "some-weekly", "yes", "topic-weekly", "<script>")), http.StatusUnprocessableEntity, "Unknown topic", "&lt;script&gt;")
	if on, _ := b.subscribed(sub.ID); len(strings.Fields(on)) != 2 {
		t.Errorf("a form that was refused changed the digests to %q", on)
	}
	b.want(b.post(path, form("do", "save", "digest", "weekly", "digest", "monthly", "language", "not a language", "mail-language", "xx", "name", "\u202e")), http.StatusOK, "Saved")
	got, err := b.store.Subscriber(t.Context(), sub.ID)
	if on, _ := b.subscribed(sub.ID); err != nil || on != "weekly" || got.Language != "" {
		t.Errorf("on %q, %+v, %v", on, got, err)
	}
	for range 3 {
		b.want(b.post(path, form("do", "export")), http.StatusOK, "Check your inbox")
	}
	if w := b.post(path, form("do", "erase")); w.Code != http.StatusTooManyRequests || w.Header().Get("Retry-After") != "3600" {
		t.Errorf("a fourth mail in an hour: %d %v", w.Code, w.Header())
	}
}

func TestRobotsKeepPrivatePagesOutOfSearchEngines(t *testing.T) {
	t.Parallel()
	for name, indexed := range map[string]bool{"editions are indexed": true, "no edition is indexed": false} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := setupWith(t, storetest.Open(t, store.SQLite, store.Options{}), func(c *config.Config) {
				c.Site.IndexEditions = indexed
			})
			w := b.get("/robots.txt")
			b.want(w, http.StatusOK, "User-agent: *\n", "Disallow: /admin/\n", "Disallow: /unsubscribe/\n", "Disallow: /preferences/\n", "Disallow: /erase/\n", "Disallow: /export/\n", "\nSitemap: "+siteURL+"/sitemap.xml\n")
			if strings.Contains(w.Body.String(), "Disallow: /editions/") == indexed {
				t.Errorf("%s", w.Body)
			}
		})
	}
}
