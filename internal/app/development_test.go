package app_test

import (
	"bytes"
	"context"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/tidings-press/tidings/internal/app"
	"github.com/tidings-press/tidings/internal/config"
	"github.com/tidings-press/tidings/internal/testkit"
	"github.com/tidings-press/tidings/internal/testkit/feedrules"
)

// templateSettings are those of a site with templates of its own.
const templateSettings = "store: {dsn: sqlite:tidings.db}\nsite: {title: The Press, url: 'http://press.example'}\ntemplates: own\n" +
	"digests: [{name: weekly, schedule: '@weekly', sender: news@press.example, template: ours}]\n"

// templateEditor changes the templates of a running node and opens a preview in its admin.
type templateEditor struct {
	*running
	client *http.Client
	dir    string
	log    *lockedBuffer
}

// lockedBuffer is a log that a test reads while others write.
type lockedBuffer struct {
	mu  sync.Mutex
	out bytes.Buffer
}

func (b *lockedBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.out.Write(p)
}

func (b *lockedBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.out.String()
}

// editTemplates runs a node with the template "ours", and signs its owner in.
func editTemplates(t *testing.T, development bool, reload <-chan *config.Config) *templateEditor {
	t.Helper()
	e := &templateEditor{dir: t.TempDir(), log: &lockedBuffer{}}
	e.write(t, "mail/ours.html", `<p>First</p><a href="{{.Reader.Unsubscribe}}">{{.Phrase "unsubscribe"}}</a>`)
	e.write(t, "mail/ours.txt", "First {{.Reader.Unsubscribe}}")
	p, err := app.Open(t.Context(), e.settings(t), slog.New(slog.NewTextHandler(e.log, nil)))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = p.Close() })
	fresh := feedrules.Article(1)
	fresh.Published, fresh.Updated, fresh.Ingested = p.Store.Now(), p.Store.Now(), p.Store.Now()
	putArticles(t, p.Store, fresh)
	e.running = runNode(t, &app.Node{Service: p, Development: development, Reload: reload})
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	transport := &http.Transport{DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return (&net.Dialer{}).DialContext(ctx, "tcp", e.address)
	}}
	t.Cleanup(transport.CloseIdleConnections)
	e.client = &http.Client{Jar: jar, Timeout: testkit.Timeout, Transport: transport}
	link, err := p.FirstOwnerLink(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	response, err := e.client.PostForm(link, url.Values{"name": {"Ada"}, "email": {"ada@press.example"}, "password": {"correct horse battery staple"}})
	if err != nil {
		t.Fatal(err)
	}
	_ = response.Body.Close()
	return e
}

// settings returns the configuration, as a reload reads it.
func (e *templateEditor) settings(t *testing.T) *config.Config {
	t.Helper()
	c, err := config.Parse([]byte(templateSettings), filepath.Join(e.dir, "config.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func (e *templateEditor) write(t *testing.T, name, text string) {
	t.Helper()
	write(t, filepath.Join(e.dir, "own"), map[string]string{name: text})
}

// page returns a page of the digest in the admin.
func (e *templateEditor) page(t *testing.T, path string) string {
	t.Helper()
	response, err := e.client.Get("http://press.example/admin/digests/weekly" + path)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil || response.StatusCode != http.StatusOK {
		t.Fatalf("%s: %s %v\n%s", path, response.Status, err, body)
	}
	return string(body)
}

func TestChangedTemplatesShowAtOnceInDevelopment(t *testing.T) {
	testkit.Slow(t)
	if testkit.RaceDetector {
		t.Skip("reading all templates again and again takes minutes with the race detector, so scripts/run-tests runs it without")
	}
	t.Parallel()
	e := editTemplates(t, true, nil)
	if got := e.page(t, "/mail"); !strings.Contains(got, "<p>First</p>") {
		t.Fatalf("before the change:\n%s", got)
	}
	e.write(t, "mail/ours.html", `<p>Second</p><a href="{{.Reader.Unsubscribe}}">{{.Phrase "unsubscribe"}}</a>`)
	if got := e.page(t, "/mail"); !strings.Contains(got, "<p>Second</p>") {
		t.Errorf("after the change:\n%s", got)
	}
	english, err := os.ReadFile("../../templates/phrases/en.yaml")
	if err != nil {
		t.Fatal(err)
	}
	e.write(t, "phrases/en.yaml", strings.Replace(string(english), "unsubscribe: Unsubscribe", "unsubscribe: Leave us", 1))
	if got := e.page(t, "/mail"); !strings.Contains(got, "Leave us") {
		t.Errorf("after a change of the phrases:\n%s", got)
	}
	e.write(t, "mail/ours.html", "\n{{.Titel}}")
	const problem = "ours.html:2: "
	if got := e.page(t, "/mail"); !strings.Contains(got, "<p>Second</p>") {
		t.Errorf("with an error:\n%s", got)
	}
	if got := e.page(t, ""); !strings.Contains(got, "The templates have an error.") || !strings.Contains(got, problem) {
		t.Errorf("the page of the preview does not show the error:\n%s", got)
	}
	if log := e.log.String(); strings.Count(log, "the templates have errors; the old ones stay in use") != 1 || !strings.Contains(log, problem) {
		t.Errorf("the log:\n%s", log)
	}
	e.write(t, "mail/ours.html", `<p>Third</p><a href="{{.Reader.Unsubscribe}}">x</a>`)
	if got := e.page(t, "/mail"); !strings.Contains(got, "<p>Third</p>") {
		t.Errorf("after the correction:\n%s", got)
	}
	if got := e.page(t, ""); strings.Contains(got, "The templates have an error.") {
		t.Errorf("the error is still shown:\n%s", got)
	}
}

func TestTemplatesAreReadAgainOnReload(t *testing.T) {
	testkit.Slow(t)
	if testkit.RaceDetector {
		t.Skip("reading all templates again and again takes minutes with the race detector, so scripts/run-tests runs it without")
	}
	t.Parallel()
	reload := make(chan *config.Config)
	e := editTemplates(t, false, reload)
	// The node takes the second settings once it has finished with the first.
	reloaded := func() { reload <- e.settings(t); reload <- e.settings(t) }
	e.write(t, "mail/ours.html", `<p>Second</p><a href="{{.Reader.Unsubscribe}}">x</a>`)
	if got := e.page(t, "/mail"); !strings.Contains(got, "<p>First</p>") {
		t.Errorf("before the reload:\n%s", got)
	}
	reloaded()
	if got := e.page(t, "/mail"); !strings.Contains(got, "<p>Second</p>") {
		t.Errorf("after the reload:\n%s", got)
	}
	e.write(t, "mail/ours.html", "\n{{.Titel}}")
	reloaded()
	if got := e.page(t, "/mail"); !strings.Contains(got, "<p>Second</p>") {
		t.Errorf("with an error:\n%s", got)
	}
	if log := e.log.String(); !strings.Contains(log, "the old ones stay in use") || !strings.Contains(log, "ours.html:2: ") {
		t.Errorf("the log:\n%s", log)
	}
}
