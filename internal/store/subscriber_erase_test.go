package store_test

import (
	"context"
	"database/sql"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/tidings-press/tidings/internal/store"
	"github.com/tidings-press/tidings/internal/subscriber"
	"github.com/tidings-press/tidings/internal/testkit/storetest"
)

// The person whose traces the tests search for.
const (
	erasedAddress = "annabel.quistgaard@erased.example"
	erasedName    = "Annabel Quistgaard"
)

// storeTraces stores everything that a store may hold about a person: subscriptions, replies that
// name them, reports, and single mails.
func storeTraces(t *testing.T, s *store.Store, id int64, reports ...store.FeedbackKind) {
	t.Helper()
	ctx := t.Context()
	said := "550 5.1.1 <" + erasedAddress + ">: no mailbox of " + erasedName
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	must(s.Subscribe(ctx, id, "weekly", []string{"harbour"}))
	_, err := s.CreateFeedToken(ctx, id, "weekly")
	must(err)
	for i, kind := range reports {
		_, err := s.RecordFeedback(ctx, store.Feedback{Key: fmt.Sprint("k", i), Subscriber: id, Kind: kind, Code: 550, Text: said, Source: "smtp", At: s.Now()}, store.SoftRule{})
		must(err)
	}
	must(s.PutHold(ctx, store.Hold{Relay: "main", Kind: store.DomainHeld, Domain: "erased.example", Until: s.Now().Add(time.Hour), Reason: "550 5.7.1 <" + erasedAddress + ">: blocked"}))
	for _, key := range []string{"done", "failed", "open"} {
		_, err := s.Enqueue(ctx, store.Job{Kind: "notice", Key: key, Payload: []byte(`{"To":"` + erasedAddress + `","Text":"Hello ` + erasedName + `"}`), About: subscriber.MustParseAddress(erasedAddress)})
		must(err)
		if key == "open" {
			continue
		}
		jobs, err := s.ClaimJobs(ctx, []string{"notice"}, 1, time.Minute)
		must(err)
		if key == "done" {
			must(s.FinishJob(ctx, jobs[0]))
		} else {
			must(s.FailJob(ctx, jobs[0], "the relay refused the mail: "+said))
		}
	}
}

func TestErasureLeavesNoTrace(t *testing.T) {
	t.Parallel()
	for _, engine := range storetest.Engines {
		t.Run(string(engine), func(t *testing.T) {
			t.Parallel()
			dsn := storetest.DSN(t, engine)
			s := storetest.Reopen(t, dsn, store.Options{})
			importAll(t, s, 2000) // pages that are shared, split and merged
			sub, err := s.AddSubscriber(t.Context(), subscriber.Subscriber{
				Address: subscriber.MustParseAddress(erasedAddress), Name: erasedName, State: subscriber.Active,
				Consent: subscriber.Consent{Source: "form", Text: "yes, " + erasedName, IP: "192.0.2.77", At: s.Now()},
			})
			if err != nil {
				t.Fatal(err)
			}
			if len(storetest.FindText(t, dsn, s.DB(), erasedAddress, erasedName)) == 0 {
				t.Fatal("no trace of an existing subscriber is found: the test searches in the wrong place")
			}
			storeTraces(t, s, sub.ID, store.FeedbackSoft, store.FeedbackComplained)
			if err := s.Erase(t.Context(), sub.ID); err != nil {
				t.Fatal(err)
			}
			for _, trace := range storetest.FindText(t, dsn, s.DB(), erasedAddress, erasedName, "192.0.2.77") {
				t.Error(trace)
			}
			if open, err := s.OpenJobs(t.Context(), "notice", "", 10); err != nil || open != 0 {
				t.Errorf("%d mails to the person are still queued, %v", open, err)
			}
			got, err := s.Subscriber(t.Context(), sub.ID)
			if err != nil || got.State != subscriber.Erased || got.UID != sub.UID {
				t.Errorf("%+v, %v", got, err)
			}
		})
	}
}

func TestExpiredRequestLeavesNoTrace(t *testing.T) {
	t.Parallel()
	for _, engine := range storetest.Engines {
		t.Run(string(engine), func(t *testing.T) {
			t.Parallel()
			dsn := storetest.DSN(t, engine)
			s := storetest.Reopen(t, dsn, store.Options{})
			sub, err := s.AddSubscriber(t.Context(), subscriber.Subscriber{Address: subscriber.MustParseAddress(erasedAddress), Name: erasedName, State: subscriber.Pending})
			if err != nil {
				t.Fatal(err)
			}
			storeTraces(t, s, sub.ID, store.FeedbackSoft)
			if n, err := s.ErasePending(t.Context(), s.Now().Add(time.Second), 10); err != nil || n != 1 {
				t.Fatalf("erased %d, %v", n, err)
			}
			for _, trace := range storetest.FindText(t, dsn, s.DB(), erasedAddress, erasedName) {
				t.Error(trace)
			}
		})
	}
}

// TestErasureWorksInStoresOfEarlierVersions checks that an upgrade and an erasure remove what an
// earlier version stored, and what it left in free pages when it erased.
func TestErasureWorksInStoresOfEarlierVersions(t *testing.T) {
	t.Parallel()
	for _, engine := range storetest.Engines {
		t.Run(string(engine), func(t *testing.T) {
			t.Parallel()
			dsn := emptyDSN(t, engine)
			db, err := store.MigrateTo(t.Context(), dsn, 11)
			if err != nil {
				t.Fatal(err)
			}
			fillEarlier(t, db, engine)
			if err := db.Close(); err != nil {
				t.Fatal(err)
			}
			if _, err := store.Migrate(t.Context(), dsn, store.Options{}); err != nil {
				t.Fatal(err)
			}
			s := storetest.Reopen(t, dsn, store.Options{})
			for _, trace := range storetest.FindText(t, dsn, s.DB(), "erased.before@example.org") {
				t.Error("a trace of a person who was erased before the upgrade: ", trace)
			}
			sub := byAddress(t, s, erasedAddress)
			if all, err := s.FeedbackOf(t.Context(), sub.ID, 5); err != nil || len(all) != 1 || all[0].Text != "550 5.1.1 <[address]>: unknown" {
				t.Errorf("%+v, %v", all, err)
			}
			if err := s.Erase(t.Context(), sub.ID); err != nil {
				t.Fatal(err)
			}
			for _, trace := range storetest.FindText(t, dsn, s.DB(), erasedAddress, erasedName) {
				t.Error(trace)
			}
		})
	}
}

// fillEarlier stores what schema 11 held about a person, and deletes another person as that version
// did.
func fillEarlier(t *testing.T, db *sql.DB, engine store.Engine) {
	t.Helper()
	said := "'550 5.1.1 <" + erasedAddress + ">: unknown'"
	blob := func(text string) string {
		if engine == store.SQLite {
			return "CAST('" + text + "' AS BLOB)"
		}
		return "convert_to('" + text + "', 'UTF8')"
	}
	person := func(key, address, name string) string {
		return `INSERT INTO subscribers (address_key, address, name, state, language, timezone, consent_source, consent_text, consent_ip, consent_at, created, changed, soft, soft_from)
			VALUES ('` + key + `', '` + address + `', '` + name + `', 'active', '', '', '', '', '', 0, 1, 1, 0, 0)`
	}
	statements := []string{
		person(erasedAddress, erasedAddress, erasedName),
		`INSERT INTO editions (id, digest, number, scheduled_for, state, automatic, author, subject, reason, audience_count, audience_max, created, approved, started, finished)
			VALUES ('e', 'weekly', 1, 'k', 'sent', 1, '', 's', '', 1, 1, 1, 1, 1, 1)`,
		`INSERT INTO deliveries (edition, subscriber, chunk, variant, state, reason, tries, attempt, code, reply, relay, first_try, at, next_try)
			VALUES (1, 1, 0, 0, 'refused', 'given up after 72h: ' || ` + said + `, 1, 1, 550, ` + said + `, 'main', 1, 1, 0)`,
		`INSERT INTO feedback (key, subscriber, edition, kind, code, reply, source, at) VALUES ('k', 1, 'e', 'bounced', 550, ` + said + `, 'smtp', 1)`,
		`INSERT INTO suppressions (hash, reason, detail, since) VALUES (` + blob("h") + `, 'bounced', ` + said + `, 1)`,
		`INSERT INTO holds (relay, kind, domain, until, reason) VALUES ('main', 'domain', 'erased.example', 1, ` + said + `)`,
		`INSERT INTO jobs (kind, key, payload, state, due, epoch, tries, error, created, finished) VALUES ('notice', 'a', ` + blob("to "+erasedAddress) + `, 'done', 1, 1, 1, '', 1, 1)`,
		`INSERT INTO jobs (kind, key, payload, state, due, epoch, tries, error, created, finished) VALUES ('notice', 'b', ` + blob("to "+erasedAddress) + `, 'failed', 1, 1, 1, ` + said + `, 1, 1)`,
		person("erased.before@example.org", "erased.before@example.org", ""),
		`UPDATE subscribers SET address_key = 'erased:2', address = '', state = 'erased' WHERE id = 2`,
		// Larger than a page: its content stays in free pages.
		`INSERT INTO jobs (kind, key, payload, state, due, epoch, tries, error, created, finished) VALUES ('notice', 'c', ` +
			blob(strings.Repeat("to erased.before@example.org ", 1000)) + `, 'done', 1, 1, 1, '', 1, 1)`,
		`DELETE FROM jobs WHERE key = 'c'`,
	}
	if engine == store.SQLite {
		statements = append([]string{"PRAGMA secure_delete = OFF"}, statements...)
	}
	for _, statement := range statements {
		if _, err := db.ExecContext(context.WithoutCancel(t.Context()), statement); err != nil {
			t.Fatalf("%s: %v", statement, err)
		}
	}
}
