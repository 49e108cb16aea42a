package admin_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/tidings-press/tidings/internal/store"
	"github.com/tidings-press/tidings/internal/testkit"
)

const doctorPath = "/admin/settings/doctor"

// TestOwnerRunsDoctorAndLetsTheFirstMailPass: the run takes place in the background, and its findings are
// on the page.
func TestOwnerRunsDoctorAndLetsTheFirstMailPass(t *testing.T) {
	testkit.Slow(t)
	t.Parallel()
	s := startSite(t, firstStart(time.Now))
	ada := s.owner()
	ada.want(ada.get(doctorPath), "The checks have not run yet", "Run the checks now", "more than 1,000 subscribers is held")
	ada.post(doctorPath + "/run")
	page := ""
	s.eventually("the findings", func() bool {
		page = ada.get(doctorPath)
		return strings.Contains(page, "is an address of this machine only")
	})
	ada.want(page, "<code>site</code>", "Error · ", "Set site.url to the public address.", "in order")
	s.eventually("the end of the run", func() bool { return strings.Contains(ada.get(doctorPath), "Run the checks now") })
	ada.want(ada.get(doctorPath+"/events"), "event: doctor-state", "is an address of this machine only", "event: end")

	ada.want(ada.post(doctorPath+"/accept"), "Tick the box")
	if allowed, err := s.Store.MaySendFirst(t.Context()); ada.code != http.StatusUnprocessableEntity || err != nil || allowed {
		t.Errorf("without the confirmation: code %d, allowed %t, %v", ada.code, allowed, err)
	}
	page = ada.post(doctorPath+"/accept", "sure", "yes")
	ada.want(page, "The first mail to many subscribers may be sent.", "ada@gazette.example let the first mail to many subscribers pass")
	if allowed, err := s.Store.MaySendFirst(t.Context()); err != nil || !allowed || strings.Contains(page, "Let the first mail pass") {
		t.Errorf("after the confirmation: allowed %t, %v; the page is %s", allowed, err, page)
	}
	entries, err := s.Store.AuditLog(t.Context(), store.AuditFilter{Limit: 20})
	if err != nil {
		t.Fatal(err)
	}
	found := map[string]string{}
	for _, e := range entries {
		found[e.Action] = e.Who
	}
	if found["doctor.run"] != "ada@gazette.example" || found["doctor.accept"] != "ada@gazette.example" {
		t.Errorf("the audit log has %v", found)
	}
}

// TestDoctorUnderWayIsShown has a run that no node has begun yet.
func TestDoctorUnderWayIsShown(t *testing.T) {
	t.Parallel()
	s := startSite(t)
	ada := s.owner()
	if _, err := s.Store.Enqueue(t.Context(), store.Job{Kind: "doctor", Key: "doctor", Due: s.Store.Now().Add(24 * time.Hour)}); err != nil {
		t.Fatal(err)
	}
	page := ada.get(doctorPath)
	ada.want(page, "They take up to half a minute", `data-events="/admin/settings/doctor/events"`, "You can close this page")
	page += ada.post(doctorPath + "/run")
	if strings.Contains(page, "Run the checks now") {
		t.Error("a second run can be begun")
	}
	if strings.Contains(page, "Let the first mail pass") {
		t.Error("the first mail can be let pass although nothing holds it")
	}
}
