package public_test

import (
	"net/http"
	"testing"

	"github.com/tidings-press/tidings/internal/store"
	"github.com/tidings-press/tidings/internal/subscriber"
	"github.com/tidings-press/tidings/internal/testkit/storetest"
	"github.com/tidings-press/tidings/internal/token"
)

// TestAddressSuppressedByAnEditorGetsNoMail: anyone can enter an address into the form, also one whose owner
// asked an editor never to be mailed again.
func TestAddressSuppressedByAnEditorGetsNoMail(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		b := setup(t, s)
		for address, state := range map[string]subscriber.State{
			"active@example.org": subscriber.Active, "pending@example.org": subscriber.Pending, "paused@example.org": subscriber.Paused,
			"left@example.org": subscriber.Unsubscribed, "unknown@example.org": "", "erased@example.org": subscriber.Erased,
		} {
			var id int64
			if state != "" {
				sub := b.person(address, subscriber.Pending)
				for _, next := range []subscriber.State{subscriber.Active, state} {
					if state == subscriber.Pending {
						break
					}
					if err := s.SetState(t.Context(), sub.ID, next, ""); err != nil {
						t.Fatal(err)
					}
				}
				id = sub.ID
			}
			if err := s.Suppress(t.Context(), subscriber.MustParseAddress(address), store.EditorReason, "asked by phone"); err != nil {
				t.Fatal(err)
			}
			b.want(b.post("/subscribe", form("email", address, "digest", "weekly")), http.StatusOK, "Check your inbox")
			if mails := b.sent(); len(mails) != 0 {
				t.Fatalf("%s (%s): %d mails were sent", address, state, len(mails))
			}
			if id == 0 || state == subscriber.Erased {
				continue
			}
			if _, after := b.subscribed(id); after != subscriber.Unsubscribed {
				t.Errorf("%s is %s", address, after)
			}
		}
	})
}

// TestOldLinksOfASuppressedAddressExplainThemselves: the links in mails of the time before must neither bring
// the person back nor fail as if the site were broken.
func TestOldLinksOfASuppressedAddressExplainThemselves(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		b := setup(t, s)
		sub := b.person("a@example.org", subscriber.Active)
		confirm := "/confirm/" + b.keys.SignConfirm(sub.UID, "weekly", s.Now())
		preferences := "/preferences/" + b.keys.Sign(token.Preferences, sub.UID, "", "")
		if err := s.Suppress(t.Context(), sub.Address, store.EditorReason, ""); err != nil {
			t.Fatal(err)
		}
		b.want(b.get(preferences), http.StatusOK)
		b.want(b.post(confirm, nil), http.StatusConflict, "We cannot send emails to this address")
		b.want(b.post(preferences, form("do", "save", "digest", "weekly")), http.StatusConflict, "We cannot send emails to this address")
		b.want(b.post(preferences, form("do", "resume")), http.StatusOK)
		if _, state := b.subscribed(sub.ID); state != subscriber.Unsubscribed {
			t.Errorf("they are %s", state)
		}
		if mails := b.sent(); len(mails) != 0 {
			t.Errorf("%d mails were sent", len(mails))
		}
		if err := s.LiftSuppression(t.Context(), sub.Address); err != nil {
			t.Fatal(err)
		}
		b.want(b.post(confirm, nil), http.StatusOK, "You are subscribed")
		if _, state := b.subscribed(sub.ID); state != subscriber.Active {
			t.Errorf("after an editor lifted the suppression they are %s", state)
		}
	})
}
