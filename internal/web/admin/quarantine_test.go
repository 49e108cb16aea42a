package admin_test

import "testing"

func TestDashboardSaysThatTheStoreIsQuarantined(t *testing.T) {
	t.Parallel()
	s := startSite(t, perSecond(10))
	if _, err := s.Store.DB().ExecContext(t.Context(), "INSERT INTO quarantine (id, reason, taken, since, journal, unsubscribed, suppressed, erased) VALUES (1, 'restored', 1764300000000, 1764300000000, 0, 0, 0, 0)"); err != nil {
		t.Fatal(err)
	}
	e := s.owner()
	e.want(e.get("/admin/"), "No mail is sent: the store is quarantined.", "/admin/quarantine")
}
