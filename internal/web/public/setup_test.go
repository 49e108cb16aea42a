package public_test

import (
	"context"
	"io/fs"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"path"
	"strings"
	"sync"
	"testing"

	"github.com/tidings-press/tidings/internal/article"
	"github.com/tidings-press/tidings/internal/article/ingest"
	"github.com/tidings-press/tidings/internal/config"
	"github.com/tidings-press/tidings/internal/samples"
	"github.com/tidings-press/tidings/internal/store"
	"github.com/tidings-press/tidings/internal/subscriber"
	"github.com/tidings-press/tidings/internal/testkit/storetest"
	"github.com/tidings-press/tidings/internal/web/middleware"
	"github.com/tidings-press/tidings/internal/web/public"
	"github.com/tidings-press/tidings/templates"
)

const siteURL = "https://news.example.org"

// env is the public pages with a real store, and the mails that they sent.
type env struct {
	t       testing.TB
	store   *store.Store
	keys    subscriber.Keys
	config  *config.Config
	handler http.Handler
	pages   *public.Pages

	mu    sync.Mutex
	mails []mail
}

type mail struct {
	To          string
	Unsubscribe string
	templates.Rendered
}

// SendToSubscriber implements public.Sender. It records the mail; sending is tested in delivery.
func (b *env) SendToSubscriber(_ context.Context, sub subscriber.Subscriber, unsubscribe string, m templates.Rendered) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.mails = append(b.mails, mail{sub.Address.String(), unsubscribe, m})
	return nil
}

func (b *env) sent() []mail {
	b.mu.Lock()
	defer b.mu.Unlock()
	return append([]mail(nil), b.mails...)
}

// mailTemplates loads the templates once, since checking them takes longer than a test.
var mailTemplates = sync.OnceValues(func() (*templates.Set, error) { return templates.Load("") })

// setup returns the pages of a site with two digests.
func setup(t testing.TB, s *store.Store) *env {
	t.Helper()
	return setupWith(t, s, func(*config.Config) {})
}

// setupWith is setup with other settings.
func setupWith(t testing.TB, s *store.Store, change func(*config.Config)) *env {
	t.Helper()
	c := config.Default()
	c.Site.Title, c.Site.Description, c.Site.URL = "The Example Press", "News from the example town.", siteURL
	c.Digests = []config.Digest{
		{Name: "weekly", Title: "The Week", Description: "Every Friday.", Schedule: "0 8 * * 5", Timezone: "Europe/Paris"},
		{Name: "daily", Title: "The Day", Schedule: "0 7 * * *"},
	}
	change(c)
	set, err := mailTemplates()
	if err != nil {
		t.Fatal(err)
	}
	keys, err := s.Keys(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	b := &env{t: t, store: s, keys: keys, config: c}
	log := slog.New(slog.NewTextHandler(t.Output(), nil))
	pages, err := public.New(public.Deps{Store: s, Config: c, Templates: set, Sender: b, Log: log})
	if err != nil {
		t.Fatal(err)
	}
	b.pages = pages
	mux := http.NewServeMux()
	pages.Routes(mux)
	b.handler, err = middleware.Wrap(mux, middleware.Options{Site: siteURL, Log: log, Failed: pages.Failed})
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// onSQLite is setup on a fresh SQLite store.
func onSQLite(t *testing.T) *env {
	t.Helper()
	return setup(t, storetest.Open(t, store.SQLite, store.Options{}))
}

func (b *env) do(r *http.Request) *httptest.ResponseRecorder {
	w := httptest.NewRecorder()
	b.handler.ServeHTTP(w, r)
	return w
}

func (b *env) get(target string) *httptest.ResponseRecorder {
	return b.do(httptest.NewRequest(http.MethodGet, target, nil))
}

func (b *env) post(target string, form url.Values) *httptest.ResponseRecorder {
	r := httptest.NewRequest(http.MethodPost, target, strings.NewReader(form.Encode()))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	w := b.do(r)
	if err := b.pages.HandleRequests(b.t.Context()); err != nil {
		b.t.Fatal(err)
	}
	return w
}

// want fails the test unless the page has this status and contains these texts.
func (b *env) want(w *httptest.ResponseRecorder, status int, words ...string) {
	b.t.Helper()
	if w.Code != status {
		b.t.Fatalf("status %d, want %d\n%s", w.Code, status, w.Body)
	}
	for _, word := range words {
		if !strings.Contains(w.Body.String(), word) {
			b.t.Errorf("the page lacks %q\n%s", word, w.Body)
		}
	}
}

// put stores an article.
func (b *env) put(a article.Article) article.Article {
	b.t.Helper()
	if a.Source == "" {
		a.Source = "test/" + a.Slug
	}
	if a.Hash == "" {
		a.Hash = a.Title + a.HTML + a.Slug
	}
	if a.Published.IsZero() {
		a.Published = b.store.Now().Add(-1e9)
	}
	if a.Status == "" {
		a.Status = article.Published
	}
	a.Updated = a.Published
	change, err := b.store.PutArticle(b.t.Context(), &a, nil, nil)
	if err != nil {
		b.t.Fatal(err)
	}
	a.ID, a.Slug = change.ID, change.Slug
	return a
}

// person adds a subscriber of both digests.
func (b *env) person(address string, state subscriber.State) subscriber.Subscriber {
	b.t.Helper()
	sub, err := b.store.AddSubscriber(b.t.Context(), subscriber.Subscriber{Address: subscriber.MustParseAddress(address), State: state})
	if err != nil {
		b.t.Fatal(err)
	}
	for _, d := range b.config.Digests {
		if err := b.store.Subscribe(b.t.Context(), sub.ID, d.Name, nil); err != nil {
			b.t.Fatal(err)
		}
	}
	return sub
}

// subscribed returns a person's digests and state.
func (b *env) subscribed(id int64) (string, subscriber.State) {
	b.t.Helper()
	sub, err := b.store.Subscriber(b.t.Context(), id)
	if err != nil {
		b.t.Fatal(err)
	}
	all, err := b.store.Subscriptions(b.t.Context(), id)
	if err != nil {
		b.t.Fatal(err)
	}
	var names []string
	for _, s := range all {
		names = append(names, s.Digest)
	}
	return strings.Join(names, " "), sub.State
}

// importSamples imports the sample articles.
func importSamples(t testing.TB, s *store.Store) {
	t.Helper()
	files := samples.Articles()
	names, err := fs.Glob(files, "*.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range names {
		data, err := fs.ReadFile(files, name)
		if err != nil {
			t.Fatal(err)
		}
		options := ingest.Options{Media: func(file string) ([]byte, error) { return fs.ReadFile(files, path.Clean(file)) }}
		imported, problems := ingest.Import(ingest.File{Name: name, Data: data}, options)
		for _, problem := range problems {
			t.Error(problem)
		}
		for _, one := range imported {
			if _, err := s.PutArticle(t.Context(), one.Article, one.Redirects, one.Media); err != nil {
				t.Fatal(err)
			}
		}
	}
}
