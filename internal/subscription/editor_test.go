package subscription_test

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/tidings-press/tidings/internal/article"
	"github.com/tidings-press/tidings/internal/store"
	"github.com/tidings-press/tidings/internal/subscriber"
	"github.com/tidings-press/tidings/internal/subscription"
	"github.com/tidings-press/tidings/internal/testkit/storetest"
)

// withTopic stores an article with a tag, so that the tag is a topic of all digests.
func (s *site) withTopic(tag string) {
	s.t.Helper()
	at := s.Store.Now().Add(-time.Hour)
	a := &article.Article{ID: uuid.NewString(), Source: tag, Slug: tag, Title: tag, HTML: "<p>x</p>", Tags: []string{tag}, Status: article.Published, Published: at, Updated: at}
	a.Hash = a.ContentHash()
	if _, err := s.Store.PutArticle(s.t.Context(), a, nil, nil); err != nil {
		s.t.Fatal(err)
	}
}

// add adds a person to weekly who agreed in writing.
func (s *site) add(address string) subscriber.Subscriber {
	s.t.Helper()
	added, err := s.AddAgreed(s.t.Context(), subscription.NewSubscriber{Address: subscriber.MustParseAddress(address), Digests: []string{"weekly"}}, s.statement())
	if err != nil {
		s.t.Fatal(err)
	}
	return added
}

func (s *site) statement() subscription.Statement {
	return subscription.Statement{Words: "I want  it", Source: "letter", At: s.Store.Now().Add(-time.Hour), By: ada}
}

// refused fails unless an error can be shown to an editor and contains want.
func refused(t *testing.T, err error, want string) {
	t.Helper()
	var input *store.InputError
	var topic *subscription.TopicError
	if !errors.As(err, &input) && !errors.As(err, &topic) || !strings.Contains(err.Error(), want) {
		t.Errorf("%v, want %q", err, want)
	}
}

func TestEditedDetailsAreStoredInTheirUsualForm(t *testing.T) {
	t.Parallel()
	s := newSite(t, storetest.Open(t, store.SQLite, store.Options{}))
	s.withTopic("boats")
	id := s.add("ann@example.org").ID
	edit := func(e store.SubscriberEdit) error {
		return s.Edit(t.Context(), id, s.person("ann@example.org").Version(), e)
	}
	if err := edit(store.SubscriberEdit{
		Name: "Ann", Language: "français", MailLanguage: "EN_us", Timezone: "europe/zurich", Labels: []string{" a  b ", "a b", "", "é"},
		Digests: map[string][]string{"daily": {"Boats"}},
	}); err != nil {
		t.Fatal(err)
	}
	got := s.person("ann@example.org")
	if got.Language != "fr" || got.MailLanguage != "en-US" || got.Timezone != "Europe/Zurich" || !slices.Equal(got.Labels, []string{"a b", "é"}) || len(got.Subscriptions) != 1 || got.Subscriptions[0].Digest != "daily" {
		t.Errorf("%+v", got)
	}
	many := make([]string, 51)
	for i := range many {
		many[i] = fmt.Sprint("label ", i)
	}
	for want, e := range map[string]store.SubscriberEdit{
		"“klingonese” is not a language":          {Language: "klingonese"},
		"“und” is not a language":                 {MailLanguage: "und"},
		"“Mars/Olympus” is not a timezone":        {Timezone: "Mars/Olympus"},
		"“Local” is not a timezone":               {Timezone: "Local"}, // that of this machine
		"“../etc/passwd” is not a timezone":       {Timezone: "../etc/passwd"},
		"is longer than 100 characters":           {Labels: []string{strings.Repeat("x", 101)}},
		"51 labels are too many; keep at most 50": {Labels: many},
		"“cars” is not a topic of weekly":         {Digests: map[string][]string{"weekly": {"boats", "cars"}}},
		"unknown digest":                          {Digests: map[string][]string{"monthly": nil}},
	} {
		err := edit(e)
		var input *store.InputError
		var topic *subscription.TopicError
		switch {
		case errors.As(err, &topic):
			if got := topic.Text().String(); !strings.Contains(got, want) || !strings.Contains(got, "its topics: boats") {
				t.Errorf("%s, want %q", got, want)
			}
		case !errors.As(err, &input) || !strings.Contains(err.Error(), want):
			t.Errorf("%v, want %q", err, want)
		}
	}
	if after := s.person("ann@example.org"); after.Version() != got.Version() {
		t.Errorf("a refused change changed %+v", after)
	}
	if err := s.Edit(t.Context(), id, "an old version", store.SubscriberEdit{}); !errors.Is(err, store.ErrEdited) {
		t.Errorf("%v", err)
	}
	if err := s.Edit(t.Context(), 999, "", store.SubscriberEdit{}); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("%v", err)
	}
}

// TestTopicThatAPersonHasIsKept: its last article may be gone.
func TestTopicThatAPersonHasIsKept(t *testing.T) {
	t.Parallel()
	s := newSite(t, storetest.Open(t, store.SQLite, store.Options{}))
	id := s.add("ann@example.org").ID
	if err := s.Store.Subscribe(t.Context(), id, "weekly", []string{"gone"}); err != nil {
		t.Fatal(err)
	}
	version := s.person("ann@example.org").Version()
	if err := s.Edit(t.Context(), id, version, store.SubscriberEdit{Name: "Ann", Digests: map[string][]string{"weekly": {"gone"}}}); err != nil {
		t.Error(err)
	}
	if got := s.person("ann@example.org"); got.Name != "Ann" || !slices.Equal(got.Subscriptions[0].Topics, []string{"gone"}) {
		t.Errorf("%+v", got)
	}
	err := s.Edit(t.Context(), id, s.person("ann@example.org").Version(), store.SubscriberEdit{Digests: map[string][]string{"weekly": {"gone"}, "daily": {"gone"}}})
	refused(t, err, `"gone" is not a topic of daily: no article of it has this tag; expected: no topic, until an article of daily has a tag`)
}

func TestConsentOfAnEditorNeedsWordsSourceAndDate(t *testing.T) {
	t.Parallel()
	s := newSite(t, storetest.Open(t, store.SQLite, store.Options{}))
	whole := s.statement()
	person := subscription.NewSubscriber{Address: subscriber.MustParseAddress("ann@example.org"), Name: " Ann\u200b ", MailLanguage: "German", Digests: []string{"weekly"}}
	for name, change := range map[string]func(*subscription.Statement){
		"no words": func(c *subscription.Statement) { c.Words = " \n" }, "no source": func(c *subscription.Statement) { c.Source = "" }, "no date": func(c *subscription.Statement) { c.At = time.Time{} },
	} {
		c := whole
		change(&c)
		if _, err := s.AddAgreed(t.Context(), person, c); err == nil {
			t.Errorf("%s: the person was added", name)
		} else {
			refused(t, err, "a consent needs the words that the person agreed to, where you have it, and the date when they agreed")
		}
	}
	for want, n := range map[string]subscription.NewSubscriber{
		"choose at least one digest": {Address: person.Address}, "unknown digest": {Address: person.Address, Digests: []string{"monthly"}}, "is not a language": {Address: person.Address, Digests: []string{"weekly"}, MailLanguage: "xx yy"},
	} {
		_, err := s.AddPending(t.Context(), n)
		refused(t, err, want)
		_, err = s.AddAgreed(t.Context(), n, whole)
		refused(t, err, want)
	}
	if n := s.count(); n != 0 {
		t.Fatalf("%d people were added", n)
	}
	added, err := s.AddAgreed(t.Context(), person, whole)
	if err != nil || added.State != subscriber.Active || added.Name != "Ann" || added.MailLanguage != "de" || added.Consent.Text != "I want it (letter; recorded by "+ada+")" || added.Consent.Source != "editor" {
		t.Errorf("%+v, %v", added, err)
	}
	for _, again := range []subscriber.Address{person.Address, subscriber.MustParseAddress("ANN@example.org")} {
		_, err = s.AddPending(t.Context(), subscription.NewSubscriber{Address: again, Digests: []string{"daily"}})
		refused(t, err, "this address is in the list already")
	}
	if got := s.person("ann@example.org"); len(got.Subscriptions) != 1 || got.State != subscriber.Active {
		t.Errorf("the person was changed: %+v", got)
	}
	long := whole
	long.Words = strings.Repeat("é ", 3000)
	longer, err := s.AddAgreed(t.Context(), subscription.NewSubscriber{Address: subscriber.MustParseAddress("bob@example.org"), Digests: []string{"weekly"}}, long)
	if err != nil || len([]rune(longer.Consent.Text)) > 2100 {
		t.Errorf("%d characters, %v", len([]rune(longer.Consent.Text)), err)
	}
}

func TestPendingPersonGetsNoDigest(t *testing.T) {
	t.Parallel()
	s := newSite(t, storetest.Open(t, store.SQLite, store.Options{}))
	added, err := s.AddPending(t.Context(), subscription.NewSubscriber{Address: subscriber.MustParseAddress("ann@example.org"), Digests: []string{"weekly"}, Language: "fr"})
	if err != nil || added.State != subscriber.Pending || added.MailLanguage != "fr" || !added.Consent.At.IsZero() {
		t.Errorf("%+v, %v", added, err)
	}
	if got := s.person("ann@example.org"); len(got.Subscriptions) != 0 {
		t.Errorf("%+v", got.Subscriptions)
	}
}

func TestAddedPersonIsNotBroughtBack(t *testing.T) {
	t.Parallel()
	s := newSite(t, storetest.Open(t, store.SQLite, store.Options{}))
	s.withTopic("boats")
	ann := subscription.NewSubscriber{Address: subscriber.MustParseAddress("ann@example.org"), Name: "Ann", Topics: []string{"boats"}}
	added, err := s.Add(t.Context(), ann)
	if err != nil || added.State != subscriber.Active || len(s.person("ann@example.org").Subscriptions) != 2 {
		t.Fatalf("%+v, %v", added, err)
	}
	if again, err := s.Add(t.Context(), ann); err != nil || again.ID != added.ID {
		t.Errorf("added again: %+v, %v", again, err)
	}
	ann.Topics = []string{"cars"}
	_, err = s.Add(t.Context(), ann)
	refused(t, err, `"cars" is not a topic of`)
	ann.Topics, ann.Digests = nil, []string{"monthly"}
	if _, err := s.Add(t.Context(), ann); err == nil || !strings.Contains(err.Error(), "monthly") {
		t.Errorf("%v", err)
	}
	if err := s.Store.UnsubscribeAll(t.Context(), added.ID); err != nil {
		t.Fatal(err)
	}
	ann.Digests = nil
	if _, err := s.Add(t.Context(), ann); err == nil || !strings.Contains(err.Error(), "ask them to subscribe on the site") {
		t.Errorf("a person who left was added: %v", err)
	}
	if got := s.person("ann@example.org"); len(got.Subscriptions) != 0 || got.State == subscriber.Active {
		t.Errorf("%+v", got)
	}
	if _, err := s.Find(t.Context(), subscriber.MustParseAddress("nobody@example.org")); err == nil || !strings.Contains(err.Error(), `no subscriber has the address nobody@example.org; "tidings subscriber list" shows them`) {
		t.Errorf("%v", err)
	}
	if found, err := s.Find(t.Context(), subscriber.MustParseAddress("ANN@EXAMPLE.org")); err != nil || found.ID != added.ID {
		t.Errorf("%+v, %v", found, err)
	}
}

// TestAddingWithoutDigestsBringsBackNone: "all" includes digests that the editor did not think of, so it must not undo
// what the person decided. A digest that the editor names is their decision.
func TestAddingWithoutDigestsBringsBackNone(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, st *store.Store) {
		s := newSite(t, st)
		ann := subscription.NewSubscriber{Address: subscriber.MustParseAddress("ann@example.org")}
		added, err := s.Add(t.Context(), ann)
		if err != nil {
			t.Fatal(err)
		}
		on := func() string {
			var names []string
			for _, one := range s.person("ann@example.org").Subscriptions {
				names = append(names, one.Digest)
			}
			slices.Sort(names)
			return strings.Join(names, " ")
		}
		all := on()
		if len(strings.Fields(all)) != 2 || !strings.Contains(all, "weekly") {
			t.Fatalf("added to %q", all)
		}
		if left, err := st.LeftDigests(t.Context(), added.ID); err != nil || len(left) != 0 {
			t.Errorf("left %v, %v", left, err)
		}
		if err := st.Unsubscribe(t.Context(), added.ID, "weekly"); err != nil {
			t.Fatal(err)
		}
		if left, err := st.LeftDigests(t.Context(), added.ID); err != nil || !slices.Equal(left, []string{"weekly"}) {
			t.Errorf("left %v, %v", left, err)
		}
		if _, err := s.Add(t.Context(), ann); err != nil || strings.Contains(on(), "weekly") {
			t.Errorf("added again without digests: on %q, %v", on(), err)
		}
		ann.Digests = []string{"weekly"}
		if _, err := s.Add(t.Context(), ann); err != nil || on() != all {
			t.Errorf("added to the digest that they left: on %q, %v", on(), err)
		}
		if left, err := st.LeftDigests(t.Context(), added.ID); err != nil || len(left) != 0 {
			t.Errorf("left %v, %v", left, err)
		}
	})
}

func TestExportedPeopleAreImportedAsTheyAre(t *testing.T) {
	t.Parallel()
	s := newSite(t, storetest.Open(t, store.SQLite, store.Options{}))
	s.withTopic("boats")
	for i, name := range []string{"Ann, \"A\"", "=1+1", "Bob;Ben", ""} {
		if _, err := s.Add(t.Context(), subscription.NewSubscriber{Address: subscriber.MustParseAddress(fmt.Sprintf("p%d@example.org", i)), Name: name, Language: "fr", Digests: []string{"weekly"}, Topics: []string{"boats"}}); err != nil {
			t.Fatal(err)
		}
	}
	gone := s.add("gone@example.org")
	if err := s.Store.UnsubscribeAll(t.Context(), gone.ID); err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	if err := s.Export(t.Context(), &out, store.SubscriberQuery{}); err != nil {
		t.Fatal(err)
	}
	exported := out.String()
	other := newSite(t, storetest.Open(t, store.SQLite, store.Options{}))
	other.withTopic("boats")
	list, err := subscriber.OpenList(strings.NewReader(exported), subscriber.ListOptions{})
	if err != nil {
		t.Fatal(err)
	}
	summary, err := other.ImportList(t.Context(), list, subscription.ListImport{Consent: "moved"})
	if err != nil || summary.Refused != 0 {
		t.Fatalf("%+v, %v", summary, err)
	}
	for i := range 4 {
		address := fmt.Sprintf("p%d@example.org", i)
		before, after := s.person(address), other.person(address)
		if before.Name != after.Name || before.Language != after.Language || after.State != subscriber.Active || fmt.Sprint(before.Subscriptions[0].Topics) != fmt.Sprint(after.Subscriptions[0].Topics) || len(after.Subscriptions) != 1 {
			t.Errorf("%+v\nwas %+v", after, before)
		}
	}
	if counts, err := other.Store.CountSubscribers(t.Context()); err != nil || counts[subscriber.Active] != 4 {
		t.Errorf("%v, %v", counts, err)
	}
}

func TestRowsWithUnknownDigestsAndTopicsAreNamed(t *testing.T) {
	t.Parallel()
	s := newSite(t, storetest.Open(t, store.SQLite, store.Options{}))
	s.withTopic("boats")
	check, err := s.CheckRow([]string{"weekly"})
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		row  subscriber.Row
		want string // the error, or the topics by digest
	}{
		"nothing":                    {subscriber.Row{}, "map[]"},
		"a topic for all":            {subscriber.Row{Topics: []string{"Boats"}}, "map[weekly:[Boats]]"},
		"a topic of one digest":      {subscriber.Row{Digests: []string{"weekly", "daily"}, Topics: []string{"daily: boats"}}, "map[daily:[boats]]"},
		"two digests":                {subscriber.Row{Digests: []string{"weekly", "daily"}, Topics: []string{"boats"}}, "map[daily:[boats] weekly:[boats]]"},
		"a colon of its own":         {subscriber.Row{Topics: []string{"x:boats"}}, `line 7: "x:boats" is not a topic of weekly: no article of it has this tag; expected: topics of weekly: boats`},
		"an unknown digest":          {subscriber.Row{Digests: []string{"weekly", "monthly"}}, `line 7: unknown digest "monthly"; expected: one of weekly, daily; or read the column as labels, or ignore it`},
		"an unknown topic":           {subscriber.Row{Topics: []string{"boats", "cars"}}, `line 7: "cars" is not a topic of weekly: no article of it has this tag; expected: topics of weekly: boats`},
		"the same one once more":     {subscriber.Row{Topics: []string{"cars"}}, `line 7: "cars" is not a topic of weekly: no article of it has this tag; expected: topics of weekly: boats`},
		"an unknown one of a digest": {subscriber.Row{Topics: []string{"daily:cars"}}, `line 7: "cars" is not a topic of daily: no article of it has this tag; expected: topics of daily: boats`},
	} {
		c.row.Line = 7
		got := ""
		if err := check(t.Context(), &c.row); err != nil {
			got = err.Error()
		} else {
			got = fmt.Sprint(c.row.TopicsOf)
		}
		if got != c.want {
			t.Errorf("%s: %s\nwant %s", name, got, c.want)
		}
	}
}
