package public_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/tidings-press/tidings/internal/config"
	"github.com/tidings-press/tidings/internal/store"
	"github.com/tidings-press/tidings/internal/subscriber"
	"github.com/tidings-press/tidings/internal/testkit/storetest"
	"github.com/tidings-press/tidings/internal/token"
)

// TestSavingPreferencesKeepsTheSubscriptionToAnArchivedDigest: browsers send the boxes that the page has. A
// digest that the page leaves out would end with the first change of anything else, and stay ended when the
// digest returns.
func TestSavingPreferencesKeepsTheSubscriptionToAnArchivedDigest(t *testing.T) {
	t.Parallel()
	b := setupWith(t, storetest.Open(t, store.SQLite, store.Options{}), func(c *config.Config) {
		c.Digests[1].Status = "archived"
		c.Digests = append(c.Digests, config.Digest{Name: "former", Title: "The Past", Status: "archived"})
	})
	sub := b.person("a@example.org", subscriber.Active)
	if err := b.store.Unsubscribe(t.Context(), sub.ID, "former"); err != nil {
		t.Fatal(err)
	}
	path := "/preferences/" + b.keys.Sign(token.Preferences, sub.UID, "", "")
	save := func() string {
		page := b.get(path).Body.String()
		sent := form("do", "save", "language", "fr")
		for _, d := range b.config.Digests {
			if strings.Contains(page, `name="digest" value="`+d.Name+`" checked`) {
				sent.Add("digest", d.Name)
			}
		}
		b.want(b.post(path, sent), http.StatusOK, "Saved")
		return page
	}
	if page := save(); strings.Contains(page, "The Past") || !strings.Contains(page, "The Day") {
		t.Error("the page does not show the archived digest that they have and no other")
	}
	if on, state := b.subscribed(sub.ID); on != "daily weekly" || state != subscriber.Active {
		t.Errorf("saving another choice left them %s on %q", state, on)
	}
	b.want(b.post(path, form("do", "save", "digest", "weekly")), http.StatusOK, "Saved")
	if page := save(); strings.Contains(page, "The Day") {
		t.Error("the page offers an archived digest that they left")
	}
	if on, _ := b.subscribed(sub.ID); on != "weekly" {
		t.Errorf("they are on %q", on)
	}
}
