package admin_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/tidings-press/tidings/internal/store"
)

// wantRole checks the role of an editor.
func (s *site) wantRole(id int64, want store.Role) {
	s.t.Helper()
	if e, err := s.Store.EditorByID(s.t.Context(), id); err != nil || e.Role != want {
		s.t.Errorf("editor %d is %s, want %s: %v", id, e.Role, want, err)
	}
}

func TestGroupsAtProviderDecideAboutRoles(t *testing.T) {
	t.Parallel()
	p := startFakeProvider(t)
	s := startSite(t, p.config(", roles: {owner: [chiefs], editor: [newsroom], writer: [guests]}, scopes: [groups]"))
	s.owner()
	bob := s.bob()
	in := func(groups any) {
		bob.through(p, func(c map[string]any) {
			c["email"], c["sub"] = "bob@gazette.example", "subject of bob"
			if c["groups"] = groups; groups == nil {
				delete(c, "groups")
			}
		})
	}
	for _, test := range []struct {
		groups any
		want   store.Role
	}{
		{[]string{"guests"}, store.WriterRole}, {[]string{"other", "guests", "newsroom"}, store.EditorRole}, {"chiefs", store.OwnerRole}, {[]string{"newsroom"}, store.EditorRole},
	} {
		if in(test.groups); bob.code != http.StatusOK || bob.at != "/admin/account" {
			t.Errorf("%v: %d at %s", test.groups, bob.code, bob.at)
		}
		s.wantRole(2, test.want)
	}
	for _, none := range []any{nil, []string{"Newsroom"}, map[string]any{"newsroom": true}, []any{1, true}} {
		if in(none); bob.code != http.StatusUnauthorized || !strings.Contains(bob.body, "None of your groups at Example Login has a role here") {
			t.Errorf("%v: %d at %s", none, bob.code, bob.at)
		}
		s.wantRole(2, store.ViewerRole)
	}
	if bob.get("/admin/account"); bob.at != "/admin/sign-in" {
		t.Errorf("a session remained: %s", bob.at)
	}
}

func TestLastOwnerKeepsRoleWhateverTheirGroups(t *testing.T) {
	t.Parallel()
	p := startFakeProvider(t)
	s := startSite(t, p.config(", roles: {editor: [newsroom]}"))
	e := s.owner()
	for _, groups := range [][]string{{"newsroom"}, {}} {
		e.through(p, func(c map[string]any) { c["groups"] = groups })
		if e.code != http.StatusOK || e.at != "/admin/account" {
			t.Errorf("%v: %d at %s", groups, e.code, e.at)
		}
		s.wantRole(1, store.OwnerRole)
	}
}
