package public_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/tidings-press/tidings/internal/config"
	"github.com/tidings-press/tidings/internal/store"
	"github.com/tidings-press/tidings/internal/subscriber"
	"github.com/tidings-press/tidings/internal/testkit/storetest"
	"github.com/tidings-press/tidings/internal/token"
)

func TestMailsAreInTheLanguageOfSubscribing(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		b := setup(t, s)
		b.want(b.get("/subscribe"), http.StatusOK, `name="lang" value="en"`)
		b.want(b.post("/subscribe", form("email", "ada@example.org", "digest", "weekly", "lang", "fr-CA")), http.StatusOK, "inbox")
		sub, err := s.SubscriberByAddress(t.Context(), subscriber.MustParseAddress("ada@example.org"))
		if err != nil || sub.MailLanguage != "fr-CA" || sub.Language != "" {
			t.Fatalf("mails in %q, articles in %q, %v; want fr-CA and all", sub.MailLanguage, sub.Language, err)
		}
		b.want(b.post(link(t, b.sent()[0], "confirm"), nil), http.StatusOK)
		preferences := "/preferences/" + b.keys.Sign(token.Preferences, sub.UID, "", "")
		b.want(b.post(preferences, form("do", "export")), http.StatusOK)
		subjects := []string{"Confirmez votre abonnement", "Bienvenue", "Vos données"}
		for i, want := range subjects {
			if got := b.sent()[i].Subject; !strings.Contains(got, want) {
				t.Errorf("mail %d has the subject %q, want %q", i, got, want)
			}
		}
		b.want(b.get(preferences), http.StatusOK, `name="mail-language"`, `<option value="fr-CA" lang="fr-CA" selected>`)
		b.want(b.post(preferences, form("do", "save", "digest", "weekly", "language", "", "mail-language", "de")), http.StatusOK, `<option value="de" lang="de" selected>`)
		if sub, err = s.Subscriber(t.Context(), sub.ID); err != nil || sub.MailLanguage != "de" || sub.Language != "" {
			t.Errorf("after the change: mails in %q, articles in %q, %v", sub.MailLanguage, sub.Language, err)
		}
	})
}

func TestMailInALanguageWithoutPhrasesIsInThatOfTheSite(t *testing.T) {
	t.Parallel()
	b := onSQLite(t)
	for _, tag := range []string{"sv", "no language at all"} {
		b.want(b.post("/subscribe", form("email", "b"+tag[:1]+"@example.org", "digest", "weekly", "lang", tag)), http.StatusOK, "inbox")
	}
	for _, m := range b.sent() {
		if !strings.Contains(m.Subject, "Please confirm") {
			t.Errorf("the subject is %q, want an English one", m.Subject)
		}
	}
	if len(b.sent()) != 2 {
		t.Errorf("%d mails, want 2", len(b.sent()))
	}
}

func TestPagesAndMailsShowTheTextsOfTheirLanguage(t *testing.T) {
	t.Parallel()
	b := setupWith(t, storetest.Open(t, store.SQLite, store.Options{}), func(c *config.Config) {
		const texts = `
site:
  title: {en: The Example Press, fr: La presse}
  description: {en: News from the town., fr: Nouvelles de la ville.}
  languages: [en, fr, ja]
digests:
- name: weekly
  title: {en: The Week, fr: La semaine}
  description: {en: Every Friday., fr: Tous les vendredis.}
  schedule: '@weekly'
  sender: a@example.org
`
		described, err := config.Parse([]byte(texts), "c.yaml")
		if err != nil {
			t.Fatal(err)
		}
		c.Site.Title, c.Site.Description, c.Site.Languages, c.Digests = described.Site.Title, described.Site.Description, described.Site.Languages, described.Digests
	})
	for _, path := range []string{"/", "/subscribe", "/feeds"} {
		for accept, want := range map[string][2]string{"fr": {"La presse", "The Example Press"}, "en": {"The Example Press", "La presse"}, "ja": {"The Example Press", "La presse"}} {
			r := httptest.NewRequest(http.MethodGet, path, nil)
			r.Header.Set("Accept-Language", accept)
			body := b.do(r).Body.String()
			if !strings.Contains(body, want[0]) || strings.Contains(body, want[1]) {
				t.Errorf("%s in %s: want %q and not %q:\n%s", path, accept, want[0], want[1], body)
			}
		}
	}
	r := httptest.NewRequest(http.MethodGet, "/subscribe", nil)
	r.Header.Set("Accept-Language", "fr-CA")
	b.want(b.do(r), http.StatusOK, "La semaine", "Tous les vendredis.")
	b.want(b.post("/subscribe", form("email", "ada@example.org", "digest", "weekly", "lang", "fr")), http.StatusOK)
	if subject := b.sent()[0].Subject; !strings.Contains(subject, "La semaine") {
		t.Errorf("the subject of the confirmation is %q, want the French title", subject)
	}
}
