package admin_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/tidings-press/tidings/internal/delivery"
	"github.com/tidings-press/tidings/internal/digest"
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
	e.want(e.get("/admin/calendar?month=1990-01"), "Nothing is planned for this month")
	for _, month := range []string{"2026-13", "x", "0001-01", "9999-12", "2026-1-1"} {
		if e.want(e.get("/admin/calendar?month="+month), "Unknown month"); e.code != http.StatusUnprocessableEntity {
			t.Errorf("%s: status %d", month, e.code)
		}
	}
}

func TestCalendarShowsAWeek(t *testing.T) {
	t.Parallel()
	s := startSite(t)
	s.addSubscribers(2)
	e := s.owner()
	message, err := s.newEngine().NewMessage(t.Context(), "ada", delivery.Message{Audience: digest.Audience{Digests: []string{"weekly"}}, Subject: "We are moving", Text: map[string]string{"": "Soon."}})
	if err != nil {
		t.Fatal(err)
	}
	next := s.newEngine().NextTicks("weekly", 1)[0].At.UTC() // 1 January
	monday := next.AddDate(0, 0, -(int(next.Weekday())+6)%7)
	page := e.get("/admin/calendar?week=" + next.Format(time.DateOnly))
	e.want(page, `class="month week"`, "<h2>"+monday.Format("2 Jan")+" to "+monday.AddDate(0, 0, 6).Format("2 Jan 2006")+"</h2>", `class="state planned">planned`, `<time class="date" datetime="`+monday.Format(time.DateOnly)+`">`,
		`href="/admin/calendar?week=`+monday.AddDate(0, 0, -7).Format(time.DateOnly)+`" rel="prev"`, `href="/admin/calendar?week=`+monday.AddDate(0, 0, 7).Format(time.DateOnly)+`" rel="next"`, "This week", "week=now")
	if n := strings.Count(page, "<li class="); n != 7 {
		t.Errorf("a week has %d days", n)
	}
	e.want(e.get("/admin/calendar?week=now"), `href="/admin/editions/`+message.ID+`"`, "We are moving", `<span class="tag">message</span>`, "today")
	for _, week := range []string{"2026-13-01", "x", "1989-12-31", "2201-01-01"} {
		if e.want(e.get("/admin/calendar?week="+week), "Unknown week"); e.code != http.StatusUnprocessableEntity {
			t.Errorf("%s: status %d", week, e.code)
		}
	}
}
