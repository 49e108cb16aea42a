package app_test

import (
	"fmt"
	"log/slog"
	"path/filepath"
	"testing"
	"time"

	"github.com/tidings-press/tidings/internal/app"
	"github.com/tidings-press/tidings/internal/article"
	"github.com/tidings-press/tidings/internal/config"
	"github.com/tidings-press/tidings/internal/subscriber"
	"github.com/tidings-press/tidings/internal/subscription"
	"github.com/tidings-press/tidings/internal/testkit"
	"github.com/tidings-press/tidings/internal/testkit/sink"
	"github.com/tidings-press/tidings/internal/testkit/storetest"
	"github.com/tidings-press/tidings/templates"
)

const erasingSite = `
store: {dsn: %q}
site: {title: The Gazette, url: "https://gazette.example"}
digests: [{name: weekly, schedule: "0 8 1 1 *", sender: The Gazette <news@gazette.example>}]
relays: [{name: main, host: 127.0.0.1, port: %d, tls: none}]
bounces: {smtp: "127.0.0.1:%d"}
log: {level: error}
`

// TestErasureAfterAnEditionLeavesNoTrace erases subscribers while the service runs, after notices,
// an edition, a refusal that names the person, and a delivery report.
func TestErasureAfterAnEditionLeavesNoTrace(t *testing.T) {
	t.Parallel()
	for _, engine := range storetest.Engines {
		t.Run(string(engine), func(t *testing.T) {
			t.Parallel()
			eraseAfterEdition(t, storetest.DSN(t, engine))
		})
	}
}

func eraseAfterEdition(t *testing.T, dsn string) {
	const refused, bounced, name = "annabel.quistgaard@erased.example", "bertil.quistgaard@erased.example", "Quistgaard"
	wire := testkit.StartSMTPServer(t, sink.Options{Faults: []sink.Fault{{
		At: sink.AtRcpt, Do: sink.SendReply, Match: refused, Reply: "550 5.2.2 <" + refused + ">: mailbox of Annabel Quistgaard is full", After: 1, // the notice passes
	}}})
	door := freePort(t)
	c, err := config.Parse(fmt.Appendf(nil, erasingSite, dsn, wire.Port(), door), filepath.Join(t.TempDir(), "config.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	p, err := app.Open(t.Context(), c, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = p.Close() })
	run(t, p)
	mails, err := p.Engine(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	var people []subscriber.Subscriber
	for _, text := range []string{refused, bounced} {
		address := subscriber.MustParseAddress(text)
		sub, err := p.Subscribers().Add(t.Context(), subscription.NewSubscriber{Address: address, Name: name, Consent: "told " + name})
		if err != nil {
			t.Fatal(err)
		}
		people = append(people, sub)
		if err := mails.SendSingleMail(t.Context(), address, templates.Rendered{Subject: "Welcome", Text: "Hello " + name + ", " + text, HTML: "<p>Hello " + name + "</p>"}); err != nil {
			t.Fatal(err)
		}
	}
	until(t, "the notices are sent", func() bool { return len(wire.Mails()) == 2 })
	now := p.Store.Now()
	a := article.Article{Source: "test:ferries", Slug: "ferries", Title: "Ferries", Summary: "Late.", HTML: "<p>Late.</p>", Language: "en", Published: now, Updated: now, Status: article.Published, Hash: "1"}
	if _, err := p.Store.PutArticle(t.Context(), &a, nil, nil); err != nil {
		t.Fatal(err)
	}
	if err := p.Store.SetDigestSince(t.Context(), "weekly", now.Add(-24*time.Hour)); err != nil {
		t.Fatal(err)
	}
	edition, err := mails.SendNow(t.Context(), "weekly", "ann")
	if err != nil {
		t.Fatal(err)
	}
	until(t, "the edition is sent", func() bool {
		d, err := storetest.Delivery(t, p.Store, edition, people[0].ID)
		return err == nil && d.Reply != "" && len(wire.Mails()) == 3
	})
	bounceOf(t, door, wire.Mails()[2])
	until(t, "the report is recorded", func() bool {
		got, err := p.Store.Subscriber(t.Context(), people[1].ID)
		return err == nil && got.State == subscriber.Bounced
	})
	if found := storetest.FindText(t, dsn, p.Store.DB(), name); len(found) == 0 {
		t.Fatal("no trace of existing subscribers is found: the test searches in the wrong place")
	}
	for _, sub := range people {
		if err := p.Store.Erase(t.Context(), sub.ID); err != nil {
			t.Fatal(err)
		}
	}
	for _, trace := range storetest.FindText(t, dsn, p.Store.DB(), refused, bounced, name, "annabel", "bertil") {
		t.Error(trace)
	}
	if counts, err := p.Store.EditionCounts(t.Context(), edition.Seq); err != nil || counts.Total != 2 {
		t.Errorf("the edition's counts are %+v, %v", counts, err)
	}
}
