package main

import (
	"net/http"
	"net/http/httptest"
	"os"
	"regexp"
	"testing"
)

// TestEveryPageOfTheAdminIsMeasured checks the list of pages against the authorisation table of the admin.
func TestEveryPageOfTheAdminIsMeasured(t *testing.T) {
	t.Parallel()
	table, err := os.ReadFile("../../internal/web/admin/routes.go")
	if err != nil {
		t.Fatal(err)
	}
	mux, missing := http.NewServeMux(), map[string]bool{}
	for _, found := range regexp.MustCompile(`\{"(GET /admin/[^"]*)"`).FindAllSubmatch(table, -1) {
		pattern := string(found[1])
		mux.Handle(pattern, http.NotFoundHandler())
		missing[pattern] = true
	}
	if len(missing) < 40 {
		t.Fatalf("routes.go has only %d pages; has its form changed?", len(missing))
	}
	o := objects{articles: []string{"a"}, subscribers: []int64{1}, draft: "d", sent: "s", large: "l", paused: "p", message: "m", written: "w", proof: "t", invitation: "i"}
	for _, p := range o.pages() {
		for _, path := range p.paths {
			_, pattern := mux.Handler(httptest.NewRequest(http.MethodGet, path, nil))
			delete(missing, pattern)
		}
	}
	delete(missing, "GET /admin/sign-in/provider")       // needs a provider
	delete(missing, "GET /admin/settings/doctor/events") // follows a run of doctor
	for _, path := range []string{"", "/events", "/refused.csv"} {
		delete(missing, "GET /admin/imports/{id}"+path) // need a list that an editor uploaded
	}
	for pattern := range missing {
		t.Errorf("no page of the bench requests %s", pattern)
	}
}
