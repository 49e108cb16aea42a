package store_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/tidings-press/tidings/internal/store"
	"github.com/tidings-press/tidings/internal/subscriber"
	"github.com/tidings-press/tidings/internal/testkit/storetest"
)

// importCSV imports a list with a header.
func importCSV(t testing.TB, s *store.Store, list string) {
	t.Helper()
	if _, err := s.ImportSubscribers(t.Context(), storetest.List(t, strings.NewReader(list)), store.ImportOptions{}); err != nil {
		t.Fatal(err)
	}
}

// found returns the addresses that a filter selects, the newest first.
func found(t testing.TB, s *store.Store, f store.SubscriberFilter) []string {
	t.Helper()
	page, err := s.FindSubscribers(t.Context(), f, 0, 50)
	if err != nil {
		t.Fatalf("%+v: %v", f, err)
	}
	var out []string
	for _, one := range page.List {
		out = append(out, one.Address.String())
	}
	count, err := s.CountFound(t.Context(), f)
	if err != nil || count.N != int64(len(out)) || count.More {
		t.Errorf("%+v: %d are found and %+v are counted, %v", f, len(out), count, err)
	}
	return out
}

func TestSubscribersAreFoundByPartsAndFilters(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		importCSV(t, s, `email,name,digests,topics,labels,email language,state
ada.lovelace@example.org,Ada Lovelace,weekly,council,donor,en,active
b_100%@example.org,Björn Müller,weekly|daily,,donor|press,de,active
chris@muller.example,李明,daily,,,fr,active
d@example.net,Ольга Иванова,daily,harbour,press,fr,unsubscribed
`)
		for digest, topic := range map[string]string{"weekly": "harbour", "daily": "council"} {
			if err := s.Subscribe(t.Context(), byAddress(t, s, "b_100%@example.org").ID, digest, []string{topic}); err != nil {
				t.Fatal(err)
			}
		}
		const ada, bjorn, chris, olga = "ada.lovelace@example.org", "b_100%@example.org", "chris@muller.example", "d@example.net"
		for _, test := range []struct {
			search string
			filter store.SubscriberFilter
			want   []string
		}{
			{"", store.SubscriberFilter{}, []string{olga, chris, bjorn, ada}},
			{"LOVELACE@", store.SubscriberFilter{}, []string{ada}},
			{"vela", store.SubscriberFilter{}, []string{ada}},
			{"ada example.org", store.SubscriberFilter{}, []string{ada}},
			{"ada example.net", store.SubscriberFilter{}, nil},
			{"Müller", store.SubscriberFilter{}, []string{chris, bjorn}},
			{"muller bjorn", store.SubscriberFilter{}, []string{bjorn}},
			{"b_1", store.SubscriberFilter{}, []string{bjorn}},
			{"_100%", store.SubscriberFilter{}, []string{bjorn}},
			{"bx1", store.SubscriberFilter{}, nil},
			{`"org" OR`, store.SubscriberFilter{}, nil},
			{"李明", store.SubscriberFilter{}, []string{chris}},
			{"ольга", store.SubscriberFilter{}, []string{olga}},
			{"d@", store.SubscriberFilter{}, []string{olga}},
			{"", store.SubscriberFilter{State: subscriber.Unsubscribed}, []string{olga}},
			{"", store.SubscriberFilter{Digest: "daily"}, []string{olga, chris, bjorn}},
			{"", store.SubscriberFilter{Label: "donor"}, []string{bjorn, ada}},
			{"", store.SubscriberFilter{Topic: "council"}, []string{bjorn, ada}},
			{"", store.SubscriberFilter{Topic: "council", Digest: "daily"}, []string{bjorn}},
			{"", store.SubscriberFilter{Language: "fr"}, []string{olga, chris}},
			{"", store.SubscriberFilter{Language: "fr", State: subscriber.Active}, []string{chris}},
			{"example", store.SubscriberFilter{Label: "press", State: subscriber.Active}, []string{bjorn}},
			{"example", store.SubscriberFilter{Label: "press", Topic: "harbour", Digest: "weekly", Language: "de"}, []string{bjorn}},
			{"", store.SubscriberFilter{Label: "nothing", Digest: "weekly"}, nil},
		} {
			test.filter.Search = subscriber.ParseSearch(test.search)
			if got := found(t, s, test.filter); !slices.Equal(got, test.want) {
				t.Errorf("%q %+v: found %v, want %v", test.search, test.filter, got, test.want)
			}
		}
		choices, err := s.FilterChoices(t.Context())
		if err != nil || !slices.Equal(choices.Labels, []string{"donor", "press"}) || !slices.Equal(choices.Topics, []string{"council", "harbour"}) || !slices.Equal(choices.Languages, []string{"de", "en", "fr"}) {
			t.Errorf("the choices are %+v, %v", choices, err)
		}
	})
}

func TestFoundSubscribersFollowChangesAndErasure(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		importCSV(t, s, "email,name,digests,topics,labels\nada@example.org,Ada Quistgaard,weekly,council,donor\nbob@example.org,Bob,weekly,,\n")
		ada := byAddress(t, s, "ada@example.org")
		by := func(search string) store.SubscriberFilter {
			return store.SubscriberFilter{Search: subscriber.ParseSearch(search)}
		}
		ada.Name = "Ada Zyxomma"
		if err := s.UpdateSubscriber(t.Context(), ada); err != nil {
			t.Fatal(err)
		}
		if err := s.Subscribe(t.Context(), ada.ID, "weekly", []string{"harbour"}); err != nil {
			t.Fatal(err)
		}
		if a, b := found(t, s, by("quistgaard")), found(t, s, by("zyxomma")); len(a) != 0 || len(b) != 1 {
			t.Errorf("the old name finds %v, the new one %v", a, b)
		}
		if a, b := found(t, s, store.SubscriberFilter{Topic: "council"}), found(t, s, store.SubscriberFilter{Topic: "harbour"}); len(a) != 0 || len(b) != 1 {
			t.Errorf("the old topic finds %v, the new one %v", a, b)
		}
		if err := s.Unsubscribe(t.Context(), ada.ID, "weekly"); err != nil {
			t.Fatal(err)
		}
		if got := found(t, s, store.SubscriberFilter{Topic: "harbour"}); len(got) != 0 {
			t.Errorf("the topic of a subscription that ended finds %v", got)
		}
		if err := s.Erase(t.Context(), ada.ID); err != nil {
			t.Fatal(err)
		}
		for _, f := range []store.SubscriberFilter{by("zyxomma"), by("ada@"), {Label: "donor"}} {
			if got := found(t, s, f); len(got) != 0 {
				t.Errorf("%+v still finds %v", f, got)
			}
		}
		var left int
		if err := s.DB().QueryRowContext(t.Context(), "SELECT count(*) FROM subscriber_terms").Scan(&left); err != nil || left != 0 {
			t.Errorf("%d terms are left, %v", left, err)
		}
	})
}

// TestErasureRemovesTrigrams checks the bytes of the file: a deleted row of an index may stay in it
// until the index is merged.
func TestErasureRemovesTrigrams(t *testing.T) {
	t.Parallel()
	dsn := storetest.DSN(t, store.SQLite)
	s := storetest.Reopen(t, dsn, store.Options{})
	importAll(t, s, 300)
	sub, err := s.AddSubscriber(t.Context(), subscriber.Subscriber{Address: subscriber.MustParseAddress("zqxjv@example.org"), State: subscriber.Active})
	if err != nil {
		t.Fatal(err)
	}
	if len(storetest.FindText(t, dsn, s.DB(), "xjv")) == 0 {
		t.Fatal("the trigrams of a subscriber are not found: the test searches in the wrong place")
	}
	if err := s.Erase(t.Context(), sub.ID); err != nil {
		t.Fatal(err)
	}
	for _, trace := range storetest.FindText(t, dsn, s.DB(), "zqx", "qxj", "xjv") {
		t.Error(trace)
	}
}

func TestPagesOfFoundSubscribersAreBounded(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		var list strings.Builder
		list.WriteString("email,labels,email language,digests\n")
		for i := range 12_000 {
			label, language := "member", "en"
			if i == 10 {
				label = "member|founder"
			}
			if i < 5 {
				language = "fr"
			}
			fmt.Fprintf(&list, "reader%05d@example.org,%s,%s,weekly\n", i, label, language)
		}
		importCSV(t, s, list.String())
		count := func(f store.SubscriberFilter) store.FoundCount {
			t.Helper()
			n, err := s.CountFound(t.Context(), f)
			if err != nil {
				t.Fatal(err)
			}
			return n
		}
		if got := count(store.SubscriberFilter{}); got != (store.FoundCount{N: 12_000}) {
			t.Errorf("counted %+v of all", got)
		}
		if got := count(store.SubscriberFilter{Digest: "weekly"}); got != (store.FoundCount{N: store.MaxFound, More: true}) {
			t.Errorf("counted %+v", got)
		}
		if got := count(store.SubscriberFilter{Label: "founder", State: subscriber.Active, Digest: "weekly"}); got != (store.FoundCount{N: 1}) {
			t.Errorf("counted %+v founders", got)
		}
		f := store.SubscriberFilter{Label: "member", Search: subscriber.ParseSearch("reader0000")}
		var all []string
		for before, pages := int64(0), 0; ; pages++ {
			page, err := s.FindSubscribers(t.Context(), f, before, 4)
			if err != nil || pages > 20 {
				t.Fatalf("%d pages, %v", pages, err)
			}
			for _, one := range page.List {
				all = append(all, one.Address.String())
			}
			if before = page.Next; before == 0 {
				break
			}
		}
		if len(all) != 10 || all[0] != "reader00009@example.org" || all[9] != "reader00000@example.org" {
			t.Errorf("the pages list %v", all)
		}
	})
}

// BenchmarkFindSubscribers measures pages of the list at 1,000,000 subscribers, of whom one in a
// thousand has the label "rare".
func BenchmarkFindSubscribers(b *testing.B) {
	const people = 1_000_000
	for _, engine := range storetest.Engines {
		s := storetest.Open(b, engine, store.Options{})
		start := time.Now()
		fillSubscribers(b, s, people)
		b.Logf("%s: %d subscribers stored in %v", engine, people, time.Since(start).Round(time.Second))
		for name, f := range map[string]store.SubscriberFilter{
			"all": {}, "gmail": {Search: subscriber.ParseSearch("gmail")}, "hopper": {Search: subscriber.ParseSearch("hopper")}, "one": {Search: subscriber.ParseSearch("reader.00a1b")},
			"middle": {Search: subscriber.ParseSearch("a1b2")}, "none": {Search: subscriber.ParseSearch("quistgaard")}, "müller web.de": {Search: subscriber.ParseSearch("müller web.de")},
			"formerclub": {Search: subscriber.ParseSearch("formerclub")}, "unsubscribed": {State: subscriber.Unsubscribed}, "weekly": {Digest: "weekly"}, "donor": {Label: "donor"}, "rare": {Label: "rare", Language: "fr"},
			"bounced french donors": {State: subscriber.Bounced, Language: "fr", Label: "donor"}, "unsubscribed donors": {State: subscriber.Unsubscribed, Label: "donor", Digest: "weekly"},
			"council hopper": {Topic: "council", Search: subscriber.ParseSearch("hopper")}, "formerclub and gmail": {Search: subscriber.ParseSearch("formerclub gmail")},
			"gmail formerclub donors": {Search: subscriber.ParseSearch("gmail"), Label: "rare", Language: "de"},
		} {
			b.Run(string(engine)+"/"+name, func(b *testing.B) {
				var took []time.Duration
				for b.Loop() {
					began := time.Now()
					if _, err := s.FindSubscribers(b.Context(), f, 0, 50); err != nil {
						b.Fatal(err)
					}
					if _, err := s.CountFound(b.Context(), f); err != nil {
						b.Fatal(err)
					}
					took = append(took, time.Since(began))
				}
				slices.Sort(took)
				b.ReportMetric(float64(took[len(took)*95/100].Microseconds())/1000, "p95-ms")
			})
		}
		b.Run(string(engine)+"/choices", func(b *testing.B) {
			for b.Loop() {
				if _, err := s.FilterChoices(b.Context()); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// fillSubscribers stores subscribers of the digest weekly. The first 60,000 are of one old list.
func fillSubscribers(b *testing.B, s *store.Store, n int) {
	b.Helper()
	series := "generate_series(1, $1::bigint) AS g(i)"
	key, random, hex := "'k' || i", "uuid_send(gen_random_uuid())", "lpad(to_hex(i * 7919 % 1000003), 7, '0')"
	if s.Engine() == store.SQLite {
		series = "(WITH RECURSIVE g(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM g WHERE i < $1) SELECT i FROM g) AS g"
		random, hex = "randomblob(16)", "printf('%07x', i * 7919 % 1000003)"
	}
	pick := func(values ...string) string {
		out := "CASE i % " + fmt.Sprint(len(values))
		for i, value := range values {
			out += fmt.Sprintf(" WHEN %d THEN '%s'", i, value)
		}
		return out + " END"
	}
	for _, statement := range []string{
		`INSERT INTO subscribers (uid, address_key, address, name, state, language, timezone, consent_source, consent_text, consent_ip, consent_at, created, changed, soft, soft_from, labels, mail_language)
		SELECT ` + random + `, ` + key + `, 'reader.' || ` + hex + ` || '@' || CASE WHEN i <= 60000 THEN 'formerclub.example' ELSE ` + pick("gmail.com", "example.org", "web.de", "orange.fr") + ` END,
			` + pick("Ada Lovelace", "Björn Müller", "Chloé Dubois", "Grace Hopper", "Jürgen Groß", "Anne Martin", "Olga Ivanova") + `,
			CASE WHEN i % 20 = 0 THEN 'unsubscribed' ELSE 'active' END, '', '', 'import', 'a list', '', 0, i, i, 0, 0,
			CASE WHEN i % 1000 = 7 THEN '["rare"]' WHEN i % 3 = 0 THEN '["donor"]' ELSE '' END, ` + pick("en", "fr", "de") + ` FROM ` + series,
		`INSERT INTO subscriptions (digest, subscriber, topics, since, left_at) SELECT 'weekly', id, CASE WHEN id % 10 = 1 THEN '["council"]' ELSE '' END, 0, 0 FROM subscribers WHERE id <= $1`,
		"ANALYZE",
	} {
		args := []any{n}
		if statement == "ANALYZE" {
			args = nil
		}
		if _, err := s.DB().ExecContext(b.Context(), statement, args...); err != nil {
			b.Fatal(err)
		}
	}
}

// TestFrequentNamesAreFoundWithoutTheIndex checks that PostgreSQL counts a search as frequent whatever
// accents the names have, and a search for two words only if many subscribers match both.
func TestFrequentNamesAreFoundWithoutTheIndex(t *testing.T) {
	t.Parallel()
	s := storetest.Open(t, store.Postgres, store.Options{})
	list := "email,name\n"
	for i := range 60 {
		list += fmt.Sprintf("%c%d@example.org,%s %s\n", 'a'+i%26, i, []string{"Chloé", "Jürgen"}[i%2], []string{"Lefèvre", "Müller", "Weber"}[i%3])
	}
	importCSV(t, s, list)
	for search, want := range map[string]bool{"chloe": true, "Chloé": true, "lefevre": true, "chloe lefevre": false, "nobody": false} {
		f := store.SubscriberFilter{Search: subscriber.ParseSearch(search)}
		if got, err := s.SearchIsFrequent(t.Context(), f); got != want || err != nil {
			t.Errorf("%q: %t, %v; want %t", search, got, err, want)
		}
	}
}
