package public_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/tidings-press/tidings/internal/store"
	"github.com/tidings-press/tidings/internal/subscriber"
	"github.com/tidings-press/tidings/internal/testkit/storetest"
)

// requests returns the number of waiting requests and of stored subscribers.
func (b *env) requests() (waiting int64, people int64) {
	b.t.Helper()
	waiting = int64(len(storetest.Jobs(b.t, b.store)))
	states, err := b.store.CountSubscribers(b.t.Context())
	if err != nil {
		b.t.Fatal(err)
	}
	for _, n := range states {
		people += n
	}
	return waiting, people
}

// TestSubscribeAnswersBeforeAddressIsLookedUp checks that the form only stores one row before it
// answers, for every address.
func TestSubscribeAnswersBeforeAddressIsLookedUp(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		b := setup(t, s)
		b.person("active@example.org", subscriber.Active)
		bounced := b.person("bounced@example.org", subscriber.Active)
		if err := s.SetState(t.Context(), bounced.ID, subscriber.Bounced, "550"); err != nil {
			t.Fatal(err)
		}
		for address, reason := range map[string]store.SuppressionReason{"never@example.org": store.ComplainedReason, "left@example.org": store.LeftReason, "hand@example.org": store.EditorReason} {
			if err := s.Suppress(t.Context(), subscriber.MustParseAddress(address), reason, ""); err != nil {
				t.Fatal(err)
			}
		}
		_, people := b.requests()
		for i, name := range []string{"unknown", "active", "bounced", "never", "left", "hand"} {
			r := httptest.NewRequest(http.MethodPost, "/subscribe", strings.NewReader(form("email", name+"@example.org", "digest", "weekly").Encode()))
			r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
			b.want(b.do(r), http.StatusOK, "inbox")
			if waiting, now := b.requests(); waiting != int64(i+1) || now != people || len(b.sent()) != 0 {
				t.Errorf("after the answer for %s: %d requests wait, %d people, %d mails; want %d, %d and none", name, waiting, now, len(b.sent()), i+1, people)
			}
		}
		if err := b.pages.HandleRequests(t.Context()); err != nil {
			t.Fatal(err)
		}
		if waiting, _ := b.requests(); waiting != 0 || len(b.sent()) != 3 {
			t.Errorf("%d requests are left and %d mails were sent, want none and those to unknown, active and left", waiting, len(b.sent()))
		}
	})
}
