package app_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/tidings-press/tidings/internal/app"
	"github.com/tidings-press/tidings/internal/article"
	"github.com/tidings-press/tidings/internal/article/ingest"
	"github.com/tidings-press/tidings/internal/config"
	"github.com/tidings-press/tidings/internal/delivery"
	"github.com/tidings-press/tidings/internal/store"
	"github.com/tidings-press/tidings/internal/subscriber"
	"github.com/tidings-press/tidings/internal/subscription"
	"github.com/tidings-press/tidings/internal/testkit/storetest"
)

// open opens a service with settings in YAML on a new store.
func open(t *testing.T, settings string) *app.Service {
	t.Helper()
	if !strings.Contains(settings, "store:") {
		settings = fmt.Sprintf("store: {dsn: %q}\n", storetest.DSN(t, store.SQLite)) + settings
	}
	c, err := config.Parse([]byte(settings), filepath.Join(t.TempDir(), "config.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	p, err := app.Open(t.Context(), c, slog.New(slog.NewTextHandler(io.Discard, nil)))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = p.Close() })
	return p
}

// write writes files below a folder.
func write(t *testing.T, dir string, files map[string]string) {
	t.Helper()
	for name, text := range files {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

const twoDigests = `
digests:
- {name: weekly, schedule: "0 8 * * 5", sender: The Press <news@example.org>}
- {name: daily, schedule: "@daily", sender: news@example.org, timezone: Asia/Tokyo}
`

func TestAddSubscriberUsesAllOrTheNamedDigests(t *testing.T) {
	t.Parallel()
	p := open(t, twoDigests)
	ada := subscription.NewSubscriber{Address: subscriber.MustParseAddress("Ada@example.org"), Name: "Ada", Digests: []string{"daily"}}
	first, err := p.Subscribers().Add(t.Context(), ada)
	if err != nil {
		t.Fatal(err)
	}
	ada.Address, ada.Digests = subscriber.MustParseAddress("ada@example.org"), nil
	again, err := p.Subscribers().Add(t.Context(), ada)
	if err != nil || again.ID != first.ID {
		t.Fatalf("%+v %v", again, err)
	}
	places, err := p.Store.Subscriptions(t.Context(), first.ID)
	if err != nil || len(places) != 2 {
		t.Errorf("%v %v", places, err)
	}
	if err := p.Store.UnsubscribeAll(t.Context(), first.ID); err != nil {
		t.Fatal(err)
	}
	if _, err := p.Subscribers().Add(t.Context(), ada); err == nil || !strings.Contains(err.Error(), "ask them to subscribe") {
		t.Errorf("a person who unsubscribed was subscribed again: %v", err)
	}
	ada.Digests = []string{"monthly"}
	if _, err := p.Subscribers().Add(t.Context(), ada); err == nil || !strings.Contains(err.Error(), "configured digests: weekly, daily") {
		t.Errorf("%v", err)
	}
}

func TestDigestsListTheirNextTimes(t *testing.T) {
	t.Parallel()
	list, err := open(t, twoDigests).Digests(t.Context())
	if err != nil || len(list) != 2 || len(list[0].Next) != 3 || list[1].Schedule != "every day at 00:00 (Asia/Tokyo)" {
		t.Errorf("%+v %v", list, err)
	}
}

func TestExportedListImportsAgain(t *testing.T) {
	t.Parallel()
	p, other := open(t, twoDigests), open(t, twoDigests)
	putTagged(t, p, "go", "web")
	putTagged(t, other, "go", "web")
	for _, address := range []string{"ada@example.org", "=cmd@example.org", "info@bücher.example"} {
		person := subscription.NewSubscriber{Address: subscriber.MustParseAddress(address), Name: "=A1", Topics: []string{"go", "web"}}
		if _, err := p.Subscribers().Add(t.Context(), person); err != nil {
			t.Fatal(err)
		}
	}
	ada, err := p.Subscribers().Find(t.Context(), subscriber.MustParseAddress("ada@example.org"))
	if err == nil { // different topics for each digest
		err = p.Store.Subscribe(t.Context(), ada.ID, "daily", []string{"web"})
	}
	if err != nil {
		t.Fatal(err)
	}
	var first bytes.Buffer
	if err := p.Subscribers().Export(t.Context(), &first, store.SubscriberQuery{}); err != nil {
		t.Fatal(err)
	}
	list, err := subscriber.OpenList(bytes.NewReader(first.Bytes()), subscriber.ListOptions{})
	if err != nil {
		t.Fatal(err)
	}
	result, err := other.Subscribers().ImportList(t.Context(), list, subscription.ListImport{})
	if err != nil || result.Added != 3 {
		t.Fatalf("%+v %v", result, err)
	}
	var second bytes.Buffer
	if err := other.Subscribers().Export(t.Context(), &second, store.SubscriberQuery{}); err != nil {
		t.Fatal(err)
	}
	if sorted(first.String()) != sorted(second.String()) {
		t.Errorf("%s\nis exported again as\n%s", first.String(), second.String())
	}
}

// putTagged stores an article with tags, which are topics from then on.
func putTagged(t *testing.T, p *app.Service, tags ...string) {
	t.Helper()
	a := article.Article{
		Source: "test:" + strings.Join(tags, "-"), Slug: strings.Join(tags, "-"), Title: "About " + strings.Join(tags, " and "), HTML: "<p>Words.</p>", Tags: tags,
		Status: article.Published, Published: p.Store.Now(), Updated: p.Store.Now(),
	}
	if _, err := p.Store.PutArticle(t.Context(), &a, nil, nil); err != nil {
		t.Fatal(err)
	}
}

func TestTopicsAreTagsOfTheDigestsArticles(t *testing.T) {
	t.Parallel()
	p := open(t, strings.Replace(twoDigests, "{name: weekly,", "{name: weekly, filter: {match: council},", 1))
	putTagged(t, p, "Council", "harbour")
	putTagged(t, p, "jobs")
	check, err := p.Subscribers().CheckRow([]string{"weekly"})
	if err != nil {
		t.Fatal(err)
	}
	for topics, want := range map[string]string{
		"harbour|COUNCIL": "", "jobs": `"jobs" is not a topic of weekly`, "daily:jobs": "", "weekly:harbour|daily:jobs": "", "daily:boats": `"boats" is not a topic of daily`, "weekly:jobs": `"jobs" is not`,
		"harbour|VIP: gold": `"VIP: gold" is not a topic of weekly: no article of it has this tag; expected: topics of weekly: `,
	} {
		row := subscriber.Row{Line: 7, Topics: strings.Split(topics, "|")}
		if err := check(t.Context(), &row); (err == nil) != (want == "") || err != nil && !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", topics, err)
		}
	}
	_, err = p.Subscribers().Add(t.Context(), subscription.NewSubscriber{Address: subscriber.MustParseAddress("ada@example.org"), Digests: []string{"weekly"}, Topics: []string{"jobs"}})
	var unknown *subscription.TopicError
	if !errors.As(err, &unknown) || len(unknown.Topics) != 2 {
		t.Errorf("added with a topic of another digest: %v", err)
	}
	if _, err := p.Store.SubscriberByAddress(t.Context(), subscriber.MustParseAddress("ada@example.org")); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("the subscriber was added although the topic is unknown: %v", err)
	}
}

func sorted(lines string) string {
	all := strings.Split(lines, "\n")
	slices.Sort(all)
	return strings.Join(all, "\n")
}

func TestTemplatesAreCheckedWithTheirLines(t *testing.T) {
	t.Parallel()
	c, err := config.Parse([]byte("digests:\n- name: weekly\n  schedule: '@weekly'\n  sender: news@example.org\n  template: brieff\n  subject: '{{.Nothing}}'\n"), "c.yaml")
	if err != nil {
		t.Fatal(err)
	}
	_, err = app.CheckTemplates(c)
	if err == nil || !strings.Contains(err.Error(), "c.yaml:5: digests[0].template: ") || !strings.Contains(err.Error(), "c.yaml:6: digests[0].subject: ") {
		t.Errorf("%v", err)
	}
}

func TestLogFormatIsTextOrJSON(t *testing.T) {
	for format, want := range map[string]string{"text": "level=WARN msg=hello", "json": `"level":"WARN","msg":"hello"`, "auto": `"level":"WARN"`} {
		var out bytes.Buffer
		log := app.NewLogger(&out, config.Log{Level: "warn", Format: format}, false)
		log.Info("quiet")
		log.Warn("hello", "password", config.Secret("hunter2"))
		if !strings.Contains(out.String(), want) || strings.Contains(out.String(), "quiet") || strings.Contains(out.String(), "hunter2") {
			t.Errorf("%s: %s", format, out.String())
		}
	}
}

func TestEditionsAreFoundByTheBeginningOfTheirID(t *testing.T) {
	t.Parallel()
	p := open(t, twoDigests)
	engine, err := p.Engine(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	write(t, dir, map[string]string{"one.md": "---\ntitle: One\ndate: " + time.Now().Format(time.RFC3339) + "\n---\nText.\n"})
	im := ingest.Importer{Store: p.Store, Config: p.Config}
	if _, err := im.Import(t.Context(), dir); err != nil {
		t.Fatal(err)
	}
	draft, err := engine.Draft(t.Context(), "weekly", delivery.SendOptions{By: "ada"})
	if err != nil {
		t.Fatal(err)
	}
	found, err := p.FindEdition(t.Context(), draft.ID[:8])
	if err != nil || found.ID != draft.ID || len(found.Articles) != 1 {
		t.Errorf("%+v %v", found, err)
	}
	if _, err := p.FindEdition(t.Context(), draft.ID[:3]); err == nil {
		t.Error("an id of three letters was accepted")
	}
}
