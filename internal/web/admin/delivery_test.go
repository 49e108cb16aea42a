package admin_test

import (
	"encoding/csv"
	"net/http"
	"strconv"
	"strings"
	"testing"

	"github.com/tidings-press/tidings/internal/digest"
	"github.com/tidings-press/tidings/internal/subscriber"
	"github.com/tidings-press/tidings/internal/testkit"
	"github.com/tidings-press/tidings/internal/testkit/sink"
)

func TestDeliveriesAreSearchedRetriedAndExported(t *testing.T) {
	testkit.Slow(t)
	t.Parallel()
	wire := testkit.StartSMTPServer(t, sink.Options{Faults: []sink.Fault{
		{At: sink.AtRcpt, Reply: "550 5.7.1 <b>blocked</b> for now", Match: "reader1@", Times: 1},
		{At: sink.AtRcpt, Reply: "550 5.1.1 no such user", Match: "reader2@"},
	}})
	s := startSite(t, over(wire))
	s.addSubscribers(4)
	e := s.owner()
	e.sendWeekly()
	here := e.at
	id := strings.TrimPrefix(here, "/admin/editions/")
	s.eventually("both refusals", func() bool {
		return strings.Contains(e.get(here), "no such user") && strings.Contains(e.body, "&lt;b&gt;blocked&lt;/b&gt; for now")
	})
	list := here + "/deliveries"
	e.want(e.get(here), `id="failures"`, "550 5.1.1", list+"?state=refused")
	e.want(e.get(list), "reader0@example.org", "reader3@example.org", "Export this list as CSV")
	e.want(e.get(list+"?q=ader3@ex"), "reader3@example.org")
	if strings.Contains(e.body, "reader0@example.org") {
		t.Error("the search finds another address")
	}
	e.want(e.get(list+"?state=refused&reply=5"), "reader2@example.org", "no such user")
	e.want(e.get(list+"?state=skipped"), "No delivery matches.")
	if e.get(list + "/999999"); e.code != http.StatusNotFound {
		t.Errorf("an unknown subscriber answers %d", e.code)
	}
	if e.post(list + "/explode"); e.code != http.StatusNotFound {
		t.Errorf("an unknown action answers %d", e.code)
	}
	found, err := s.Store.Edition(t.Context(), id)
	if err != nil {
		t.Fatal(err)
	}
	deferred, err := s.Store.Deliveries(t.Context(), found, digest.DeliveryStates, 0, 10)
	if err != nil || len(deferred) != 4 {
		t.Fatalf("deliveries %+v, %v", deferred, err)
	}
	for _, d := range deferred {
		if d.Address == "reader2@example.org" {
			e.want(e.get(list+"/"+numberText(d.Subscriber)), "Conversation with the server", "5.1.1 no such user", "inbox", "This email cannot be retried")
			e.want(e.post(list+"/retry", "subscriber", numberText(d.Subscriber)), "Nothing was changed")
		}
	}
	rows, err := csv.NewReader(strings.NewReader(e.post(list + ".csv?state=refused"))).ReadAll()
	if err != nil || len(rows) < 2 || rows[0][0] != "email" || rows[1][3] != "550" {
		t.Errorf("exported %q, %v", rows, err)
	}
}

func TestUncertainMailIsDecidedAlone(t *testing.T) {
	testkit.Slow(t)
	t.Parallel()
	wire := testkit.StartSMTPServer(t, sink.Options{Faults: []sink.Fault{{At: sink.AfterDot, Do: sink.Cut, Times: 2}}})
	s := startSite(t, over(wire))
	s.addSubscribers(3)
	e := s.owner()
	e.sendWeekly()
	here := e.at
	s.eventually("the mails in doubt", func() bool { return strings.Contains(e.get(here), "2 emails are uncertain") })
	found, err := s.Store.Edition(t.Context(), strings.TrimPrefix(here, "/admin/editions/"))
	if err != nil {
		t.Fatal(err)
	}
	uncertain, err := s.Store.Deliveries(t.Context(), found, []digest.DeliveryState{digest.DeliveryUncertain}, 0, 10)
	if err != nil || len(uncertain) != 2 {
		t.Fatalf("uncertain %+v, %v", uncertain, err)
	}
	first, second := numberText(uncertain[0].Subscriber), numberText(uncertain[1].Subscriber)
	e.want(e.get(here+"/deliveries/"+first), "may or may not have arrived", `id="resend"`)
	e.want(e.post(here+"/deliveries/drop", "subscriber", first), "are not sent again", "skipped")
	e.want(e.post(here+"/deliveries/resend", "subscriber", second), "are sent again")
	s.eventually("the edition to be sent", func() bool { return s.state(found.ID) == digest.Sent })
	if counts, err := s.Store.EditionCounts(t.Context(), found.Seq); err != nil || counts.Sent != 2 || counts.Skipped != 1 {
		t.Errorf("counts %+v, %v", counts, err)
	}
}

func numberText(n int64) string { return strconv.FormatInt(n, 10) }

// TestDeliveriesShowDomainsInUnicode sends an edition to a subscriber with an international domain.
func TestDeliveriesShowDomainsInUnicode(t *testing.T) {
	t.Parallel()
	s := startSite(t)
	person, err := s.Store.AddSubscriber(t.Context(), subscriber.Subscriber{Address: subscriber.MustParseAddress("jonas@bücherfreund.example"), Name: "أمينة", State: subscriber.Active})
	if err == nil {
		err = s.Store.Subscribe(t.Context(), person.ID, "weekly", nil)
	}
	if err != nil {
		t.Fatal(err)
	}
	e := s.owner()
	e.sendWeekly()
	list := e.at + "/deliveries"
	e.want(e.get(list), ">jonas@bücherfreund.example</a>")
	e.want(e.get(list+"/"+strconv.FormatInt(person.ID, 10)), "<h1>jonas@bücherfreund.example</h1>")
	// The name of another direction stays beside the address.
	e.want(e.get("/admin/subscribers"), `<bdi dir="auto">أمينة</bdi>`)
	e.want(e.get("/admin/subscribers/"+strconv.FormatInt(person.ID, 10)), `<dd><bdi dir="auto">أمينة</bdi></dd>`)
}
