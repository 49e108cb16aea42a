package app_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/tidings-press/tidings/internal/app"
	"github.com/tidings-press/tidings/internal/article"
	"github.com/tidings-press/tidings/internal/delivery"
	"github.com/tidings-press/tidings/internal/store"
	"github.com/tidings-press/tidings/internal/subscriber"
	"github.com/tidings-press/tidings/internal/subscription"
	"github.com/tidings-press/tidings/internal/testkit/feedrules"
	"github.com/tidings-press/tidings/internal/testkit/storetest"
)

const privateSettings = `
site: {url: https://press.example, title: The Press}
digests:
- {name: mixed, schedule: "@weekly", sender: news@example.org, filter: {match: NOT internal}, max_articles: 100}
- {name: english, schedule: "@weekly", sender: news@example.org, language: en, filter: {match: NOT internal}, max_articles: 100}
`

// subscribeWithFeed subscribes a person to a digest and creates their private feed.
func subscribeWithFeed(t *testing.T, p *app.Service, name, language, digest string, topics ...string) (sub subscriber.Subscriber, token string) {
	t.Helper()
	sub, err := p.Subscribers().Add(t.Context(), subscription.NewSubscriber{
		Address: subscriber.MustParseAddress(name + "@example.org"), Language: language, Digests: []string{digest}, Topics: topics,
	})
	if err != nil {
		t.Fatal(err)
	}
	if token, err = p.Store.CreateFeedToken(t.Context(), sub.ID, digest); err != nil {
		t.Fatal(err)
	}
	return sub, token
}

// manyLanguages returns articles in several languages, on several topics.
func manyLanguages() []article.Article {
	var all []article.Article
	for i, language := range []string{"en", "en-GB", "fr", "fr-CA", "zh", "zh-TW", "", "de"} {
		for j, tags := range [][]string{{"sea"}, {"Town", "sea"}, {"hills"}, {"sea", "internal"}} {
			a := feedrules.Article(i*10 + j)
			a.ID, a.Language, a.Tags = "", language, tags
			all = append(all, a)
		}
	}
	return all
}

// idsIn returns the ids of the articles in a JSON feed.
func idsIn(t *testing.T, body string) []string {
	t.Helper()
	var doc struct{ Items []struct{ ID string } }
	if err := json.Unmarshal([]byte(body), &doc); err != nil {
		t.Fatalf("%v\n%s", err, body)
	}
	var ids []string
	for _, item := range doc.Items {
		ids = append(ids, strings.TrimPrefix(item.ID, "urn:uuid:"))
	}
	slices.Sort(ids)
	return ids
}

func TestPrivateFeedHasTheArticlesOfTheDigest(t *testing.T) {
	t.Parallel()
	p := open(t, privateSettings)
	engine, err := p.Engine(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	putArticles(t, p.Store, manyLanguages()...)
	for _, name := range p.Config.DigestNames() {
		if err := engine.SetBeginning(t.Context(), name, time.Time{}); err != nil { // includes all stored articles
			t.Fatal(err)
		}
	}
	feeds, err := p.Feeds(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	type subscribed struct {
		who   subscriber.Subscriber
		token string
	}
	readers := map[string][]subscribed{} // by digest
	for i, wish := range []struct {
		language string
		topics   []string
	}{{"", nil}, {"fr", nil}, {"fr", []string{"town"}}, {"zh-HK", []string{"SEA", "hills"}}, {"zh", nil}, {"ja", nil}, {"en", []string{"town"}}} {
		for _, name := range []string{"mixed", "english"} {
			sub, token := subscribeWithFeed(t, p, fmt.Sprintf("%s%d", name, i), wish.language, name, wish.topics...)
			readers[name] = append(readers[name], subscribed{sub, token})
		}
	}
	for name, all := range readers {
		draft, err := engine.Draft(t.Context(), name, delivery.SendOptions{By: "ada"})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := engine.Approve(t.Context(), draft.ID); err != nil {
			t.Fatal(err)
		}
		for i, one := range all {
			_, mail, err := p.Store.VariantFor(t.Context(), draft.Seq, one.who.ID)
			if err != nil {
				t.Fatal(err)
			}
			status, body := fetch(t, feeds, "/private/"+one.token+"/feed.json")
			if status != http.StatusOK {
				t.Fatalf("%s, reader %d: %d %s", name, i, status, body)
			}
			slices.Sort(mail.Articles)
			if got := idsIn(t, body); !slices.Equal(got, mail.Articles) || len(got) == 0 {
				t.Errorf("%s, subscriber %d: %d articles in the feed, %d in the mail", name, i, len(got), len(mail.Articles))
			}
		}
	}
}

func TestPrivateFeedFollowsTheSubscribersPreferences(t *testing.T) {
	t.Parallel()
	w := newTestClock()
	p := openAt(t, storetest.Open(t, store.SQLite, store.Options{Clock: w.now}), privateSettings)
	putArticles(t, p.Store, manyLanguages()...)
	feeds, err := p.Feeds(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	sub, token := subscribeWithFeed(t, p, "ada", "", "mixed", "sea")
	w.advance(time.Hour)
	path := "/private/" + token + "/feed.json"
	first := since(t, feeds, path, "")
	if date := first.Header().Get("Last-Modified"); date != "" {
		t.Errorf("a private feed has a Last-Modified, %s, which would not change with the topics", date)
	}
	const date = "Fri, 01 Jan 2038 00:00:00 GMT"
	if again := since(t, feeds, path, date); again.Code != http.StatusOK {
		t.Errorf("status %d to If-Modified-Since: a private feed has no date", again.Code)
	}
	last := idsIn(t, first.Body.String())
	for what, change := range map[string]func() error{
		"other topics":     func() error { return p.Store.Subscribe(t.Context(), sub.ID, "mixed", []string{"hills"}) },
		"another language": func() error { sub.Language = "fr"; return p.Store.UpdateSubscriber(t.Context(), sub) },
	} {
		if err := change(); err != nil {
			t.Fatal(err)
		}
		next := since(t, feeds, path, date)
		if next.Code != http.StatusOK {
			t.Fatalf("%s: %d since %s, want the new document", what, next.Code, date)
		}
		ids := idsIn(t, next.Body.String())
		if len(ids) == 0 || slices.Equal(ids, last) {
			t.Errorf("%s: the feed has %d articles, as before", what, len(ids))
		}
		last = ids
	}
}

func TestPrivateFeedNeedsItsToken(t *testing.T) {
	t.Parallel()
	p := open(t, privateSettings)
	putArticles(t, p.Store, manyLanguages()...)
	feeds, err := p.Feeds(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	sub, token := subscribeWithFeed(t, p, "ada", "", "mixed")
	_, other := subscribeWithFeed(t, p, "bob", "", "mixed")
	if len(token) < 22 || token == other || token[:8] == other[:8] { // 128 bits in Base64
		t.Errorf("tokens %q and %q: one can be guessed from the other", token, other)
	}
	want := func(token string, status int) {
		t.Helper()
		for _, name := range formats {
			w := since(t, feeds, "/private/"+token+"/"+name, "")
			if w.Code != status || status == http.StatusOK && !strings.HasPrefix(w.Header().Get("Cache-Control"), "private") {
				t.Errorf("%s: %d with Cache-Control %q, want %d", name, w.Code, w.Header().Get("Cache-Control"), status)
			}
		}
	}
	want(token, http.StatusOK)
	want(token[:len(token)-1], http.StatusNotFound)
	want(strings.ToUpper(token), http.StatusNotFound)
	want("", http.StatusNotFound)
	next, err := p.Store.CreateFeedToken(t.Context(), sub.ID, "mixed")
	if err != nil {
		t.Fatal(err)
	}
	want(token, http.StatusNotFound)
	want(next, http.StatusOK)
	if err := p.Store.RevokeFeedToken(t.Context(), sub.ID, "mixed"); err != nil {
		t.Fatal(err)
	}
	want(next, http.StatusNotFound)
	want(other, http.StatusOK)
}
