package admin_test

import (
	"fmt"
	"net/http"
	"testing"
	"time"

	"github.com/tidings-press/tidings/internal/delivery"
)

func TestCalendarShowsAMonthInTheTimezoneOfTheSite(t *testing.T) {
	t.Parallel()
	s := startSite(t, timezone("Asia/Tokyo"))
	s.addSubscribers(2)
	e := s.owner()
	draft, err := s.newEngine().Draft(t.Context(), "weekly", delivery.SendOptions{})
	if err != nil {
		t.Fatal(err)
	}
	next := s.newEngine().NextTicks("weekly", 1)[0].At
	month := next.Format("2006-01")
	e.want(e.get("/admin/calendar?month="+month), "<h2>"+next.Format("January 2006")+"</h2>", "Asia/Tokyo", `class="state planned">planned`,
		fmt.Sprintf(`<time datetime="%s">08:00</time>`, next.UTC().Format(time.RFC3339)), `href="/admin/digests/weekly"`,
		"month="+next.AddDate(0, -1, 0).Format("2006-01")+`" rel="prev"`, "month="+next.AddDate(0, 1, 0).Format("2006-01")+`" rel="next"`)
	zone, err := time.LoadLocation("Asia/Tokyo")
	if err != nil {
		t.Fatal(err)
	}
	e.want(e.get("/admin/calendar?month="+draft.Created.In(zone).Format("2006-01")), `href="/admin/editions/`+draft.ID+`"`, `class="state draft"`, draft.Subject)
	e.want(e.get("/admin/calendar"), `<a href="/admin/calendar" aria-current="page">`, "today")
	e.want(e.get("/admin/calendar?month=1990-01"), "There are no editions and no coming times in this month.")
	for _, month := range []string{"2026-13", "x", "0001-01", "9999-12", "2026-1-1"} {
		if e.want(e.get("/admin/calendar?month="+month), "Unknown month"); e.code != http.StatusUnprocessableEntity {
			t.Errorf("%s: status %d", month, e.code)
		}
	}
}
