package store_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/tidings-press/tidings/internal/digest"
	"github.com/tidings-press/tidings/internal/store"
	"github.com/tidings-press/tidings/internal/subscriber"
	"github.com/tidings-press/tidings/internal/testkit/storetest"
)

// person is a subscriber of a test, by the name in their address.
type person struct {
	name     string
	state    subscriber.State // active if empty
	digests  string           // such as "weekly daily:sea", separated by spaces, with a topic
	left     string           // digests that they left
	language string           // of mails
	labels   []string
	created  time.Time
}

func addPeople(t *testing.T, s *store.Store, people ...person) {
	t.Helper()
	for _, p := range people {
		if p.state == "" {
			p.state = subscriber.Active
		}
		added, err := s.AddSubscriber(t.Context(), subscriber.Subscriber{
			Address: subscriber.MustParseAddress(p.name + "@example.org"), Name: p.name, State: p.state,
			MailLanguage: p.language, Labels: p.labels,
		})
		if err != nil {
			t.Fatal(err)
		}
		if !p.created.IsZero() {
			if _, err := s.DB().ExecContext(t.Context(), "UPDATE subscribers SET created = $1 WHERE id = $2", p.created.UnixMilli(), added.ID); err != nil {
				t.Fatal(err)
			}
		}
		for _, one := range strings.Fields(p.digests) {
			name, topic, chosen := strings.Cut(one, ":")
			var topics []string
			if chosen {
				topics = []string{topic}
			}
			if err := s.Subscribe(t.Context(), added.ID, name, topics); err != nil {
				t.Fatal(err)
			}
		}
		for _, name := range strings.Fields(p.left) {
			if err := s.Unsubscribe(t.Context(), added.ID, name); err != nil {
				t.Fatal(err)
			}
		}
	}
}

// approveMessage plans and approves a message.
func approveMessage(t *testing.T, s *store.Store, id string, a store.Audience, chunk int) store.Edition {
	t.Helper()
	e := store.Edition{Edition: digest.Edition{ID: id, Digest: a.Digests[0], ScheduledFor: digest.MessageKey + id, Created: s.Now()}, Author: "ann"}
	e, err := s.CreateDraft(t.Context(), e, nil)
	if err != nil {
		t.Fatal(err)
	}
	groups, err := s.MessageGroups(t.Context(), a)
	if err != nil {
		t.Fatal(err)
	}
	e, err = s.Approve(t.Context(), e, addVariants(t, store.Frozen{Groups: groups, Choice: make([]int, len(groups)), ChunkSize: chunk, Audience: &a}, "x"))
	if err != nil {
		t.Fatal(err)
	}
	return e
}

// recipientsOf returns the recipients of an edition in order, as "name digest".
func recipientsOf(t *testing.T, s *store.Store, e store.Edition) []string {
	t.Helper()
	var out []string
	for e.State == digest.Approved {
		c, err := s.ClaimChunk(t.Context(), "n1", time.Minute)
		if err != nil {
			t.Fatal(err)
		}
		if c == nil {
			break
		}
		found, err := s.Recipients(t.Context(), *c, false)
		if err != nil {
			t.Fatal(err)
		}
		for _, r := range found {
			out = append(out, strings.TrimSuffix(r.Address, "@example.org")+" "+r.Digest)
		}
	}
	return out
}

func TestMessageIsForEachActiveSubscriberOfItsDigestsOnce(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		addPeople(t, s,
			person{name: "both", digests: "daily weekly"},
			person{name: "first", digests: "weekly"},
			person{name: "other", digests: "monthly"},
			person{name: "second", digests: "daily"},
			person{name: "moved", digests: "weekly daily", left: "weekly"},
			person{name: "gone", digests: "weekly monthly", left: "weekly"},
			person{name: "paused", digests: "weekly", state: subscriber.Paused},
			person{name: "last", digests: "weekly:sea", language: "fr"},
		)
		a := store.Audience{Digests: []string{"weekly", "daily"}, Language: "en"}
		others, err := s.MessageNonRecipients(t.Context(), a)
		if want := "[{left these digests 1} {paused 1}]"; err != nil || fmt.Sprint(others) != want {
			t.Errorf("not reached: %v, %v; want %s", others, err, want)
		}
		e := approveMessage(t, s, "m1", a, 2)
		if e.Recipients.Count != 5 {
			t.Errorf("%+v", e.Recipients)
		}
		if got, want := fmt.Sprint(recipientsOf(t, s, e)), "[both weekly first weekly second daily moved daily last weekly]"; got != want {
			t.Errorf("got  %s\nwant %s", got, want)
		}
	})
}

// TestMessageToOneDigestHasTheSameRecipients compares the queries for one digest with those for several.
func TestMessageToOneDigestHasTheSameRecipients(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		addPeople(t, s,
			person{name: "other", digests: "daily"},
			person{name: "ann", digests: "weekly daily", labels: []string{"donor"}},
			person{name: "gone", digests: "weekly daily", left: "weekly"},
			person{name: "bob", digests: "weekly:sea", language: "fr"},
			person{name: "paused", digests: "weekly", state: subscriber.Paused},
			person{name: "cem", digests: "weekly:land", language: "fr"},
		)
		for text, want := range map[string]string{
			"":              "[ann weekly bob weekly cem weekly]",
			"label:donor":   "[ann weekly]",
			"topic:sea":     "[ann weekly bob weekly]",
			"NOT lang:en":   "[bob weekly cem weekly]",
			"label:nothing": "[]",
		} {
			segment, err := digest.ParseSegment(text)
			if err != nil {
				t.Fatal(err)
			}
			one := store.Audience{Digests: []string{"weekly"}, Segment: segment, Zone: time.UTC, Language: "en"}
			twice := one
			twice.Digests = []string{"weekly", "weekly"}
			groups, err := s.MessageGroups(t.Context(), one)
			if err != nil {
				t.Fatal(err)
			}
			if same, err := s.MessageGroups(t.Context(), twice); err != nil || fmt.Sprint(groups) != fmt.Sprint(same) {
				t.Errorf("%q: %v, by the query for several %v, %v", text, groups, same, err)
			}
			for i, a := range []store.Audience{one, twice} {
				if got := fmt.Sprint(recipientsOf(t, s, approveMessage(t, s, fmt.Sprint(text, i), a, 2))); got != want {
					t.Errorf("%q to %v is for %s, want %s", text, a.Digests, got, want)
				}
			}
		}
	})
}

func TestSegmentSelectsSubscribers(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		at := func(day string) time.Time {
			out, err := time.Parse(time.DateOnly, day)
			if err != nil {
				t.Fatal(err)
			}
			return out
		}
		addPeople(t, s,
			person{name: "ann", digests: "weekly", labels: []string{"Donor", "press"}, created: at("2026-01-31").Add(-time.Minute)},
			person{name: "bob", digests: "weekly:Sea", language: "fr-CA", labels: []string{"board member"}, created: at("2026-01-31")},
			person{name: "cem", digests: "weekly:land daily:sea", language: "frr", created: at("2026-02-01")},
			person{name: "dua", digests: "daily:land", language: "de", labels: []string{"donor"}, created: at("2026-03-01")},
			person{name: "eve", digests: "monthly", labels: []string{"DONOR"}, created: at("2026-03-01")},
		)
		for text, want := range map[string]string{
			"":                                   "ann bob cem dua",
			"label:donor":                        "ann dua",
			`label:"Board  Member",press`:        "ann bob",
			"label:nothing":                      "",
			"NOT label:donor":                    "bob cem",
			"NOT label:nothing":                  "ann bob cem dua",
			"label:donor AND label:press":        "ann",
			"label:donor AND NOT label:press":    "dua",
			"lang:en":                            "ann",
			"lang:fr":                            "bob",
			"lang:fr-ca,de":                      "bob dua",
			"NOT lang:fr":                        "ann cem dua",
			"topic:sea":                          "ann bob cem",
			"topic:land":                         "ann cem dua",
			"topic:sky":                          "ann",
			"joined-since:2026-01-31":            "bob cem dua",
			"joined-since:2026-02-01,2026-01-31": "bob cem dua",
			"joined-before:2026-02-01":           "ann bob",
			"joined-since:2026-01-31 AND joined-before:2026-02-01 AND lang:fr": "bob",
		} {
			segment, err := digest.ParseSegment(text)
			if err != nil {
				t.Fatal(err)
			}
			a := store.Audience{Digests: []string{"weekly", "daily"}, Segment: segment, Zone: time.UTC, Language: "en"}
			id := fmt.Sprintf("m %s", text)
			e := approveMessage(t, s, id, a, 10)
			var names []string
			for _, one := range recipientsOf(t, s, e) {
				name, _, _ := strings.Cut(one, " ")
				names = append(names, name)
			}
			if got := strings.Join(names, " "); got != want {
				t.Errorf("%q selects %q, want %q", text, got, want)
			}
			others, err := s.MessageNonRecipients(t.Context(), a)
			outside := int64(0)
			for _, one := range others {
				outside += one.Count
			}
			if err != nil || outside != int64(4-len(names)) {
				t.Errorf("%q: not reached: %v, %v", text, others, err)
			}
		}
	})
}

func TestSegmentCountsDaysInItsTimezone(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		addPeople(t, s, person{name: "ann", digests: "weekly", created: time.Date(2026, 1, 30, 23, 30, 0, 0, time.UTC)})
		segment, err := digest.ParseSegment("joined-since:2026-01-31")
		if err != nil {
			t.Fatal(err)
		}
		for offset, want := range map[int]int{0: 0, 3600: 1} {
			groups, err := s.MessageGroups(t.Context(), store.Audience{Digests: []string{"weekly"}, Segment: segment, Zone: time.FixedZone("", offset)})
			if err != nil || len(groups) != want {
				t.Errorf("at %d seconds: %v, %v", offset, groups, err)
			}
		}
	})
}

func TestLabelsAreListedAsWritten(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		addPeople(t, s, person{name: "ann", labels: []string{"press", "Donor"}}, person{name: "bob", labels: []string{"press"}}, person{name: "cem", state: subscriber.Paused, labels: []string{"x"}}, person{name: "dua"})
		labels, err := s.Labels(t.Context())
		if err != nil || fmt.Sprint(labels) != "[Donor press]" {
			t.Errorf("%v, %v", labels, err)
		}
	})
}
