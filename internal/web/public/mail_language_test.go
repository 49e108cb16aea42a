package public_test

import (
	"net/http"
	"strings"
	"testing"

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
