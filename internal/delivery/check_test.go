package delivery_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/tidings-press/tidings/internal/article"
	"github.com/tidings-press/tidings/internal/delivery"
	"github.com/tidings-press/tidings/internal/lint"
	"github.com/tidings-press/tidings/internal/store"
	"github.com/tidings-press/tidings/internal/testkit/sink"
	"github.com/tidings-press/tidings/templates"
)

// findingNames returns the names of findings, each once.
func findingNames(findings []lint.Finding) []string {
	var out []string
	for _, f := range findings {
		if !slices.Contains(out, f.Name) {
			out = append(out, f.Name)
		}
	}
	slices.Sort(out)
	return out
}

// checkedDraft returns an env with a draft whose only faults come from change.
func checkedDraft(t *testing.T, articles ...string) (*env, store.Edition) {
	t.Helper()
	b := setup(t, store.SQLite, sink.Options{})
	b.options.Site.Postal = "The Gazette\n1 Quay Street"
	b.options.Digests[0].Automatic = false
	b.newDeliveryEngine()
	for _, slug := range articles {
		b.addArticle(slug)
	}
	draft, err := b.engine.Draft(t.Context(), "weekly", delivery.SendOptions{By: "ann"})
	if err != nil {
		t.Fatal(err)
	}
	return b, draft
}

func TestSoundDraftHasNoFindings(t *testing.T) {
	t.Parallel()
	b, draft := checkedDraft(t, "ferry", "harbour")
	found, err := b.engine.Check(t.Context(), draft.ID)
	if err != nil || len(found) > 0 {
		t.Errorf("%+v, %v", found, err)
	}
}

// plainMail shows whole articles and has no faults.
var plainMail = map[string]string{
	"plain.html": `<html><body><h1>{{.Digest.Title}}</h1>{{range .Articles}}<h2><a href="{{.URL}}">{{.Title}}</a></h2>{{.Body}}{{end}}
<p><a href="{{.Reader.Unsubscribe}}">Unsubscribe</a> {{range .Site.Postal}}{{.}} {{end}}</p></body></html>`,
	"plain.txt": "{{range .Articles}}{{.Title}}\n{{.URL}}\n{{end}}{{.Reader.Unsubscribe}}\n{{range .Site.Postal}}{{.}}\n{{end}}",
}

// useMail makes the digest use a mail template of these files.
func (b *env) useMail(files map[string]string) {
	b.t.Helper()
	dir := b.t.TempDir()
	if err := os.Mkdir(filepath.Join(dir, "mail"), 0o755); err != nil {
		b.t.Fatal(err)
	}
	for name, text := range files {
		if err := os.WriteFile(filepath.Join(dir, "mail", name), []byte(text), 0o644); err != nil {
			b.t.Fatal(err)
		}
	}
	set, err := templates.Load(dir)
	if err != nil {
		b.t.Fatal(err)
	}
	b.options.Templates, b.options.Digests[0].Template = set, "plain"
}

func TestCheckFindsWhatTheStoreKnows(t *testing.T) {
	t.Parallel()
	b, draft := checkedDraft(t, "ferry")
	if _, err := b.engine.Approve(t.Context(), draft.ID); err != nil {
		t.Fatal(err)
	}
	b.useMail(plainMail)
	b.newDeliveryEngine()
	b.addArticle("harbour")
	next, err := b.store.ArticleBySlug(t.Context(), "harbour")
	if err != nil {
		t.Fatal(err)
	}
	next.Title, next.Summary, next.Hash = "About ferry", "", "changed"
	next.HTML = `<p><a href="/articles/no-such">gone</a> <a href="/articles/ferry">here</a> <a href="/media/none.pdf">file</a> <a href="/about">page</a></p>`
	if _, err := b.store.PutArticle(t.Context(), &next, nil, nil); err != nil {
		t.Fatal(err)
	}
	found, err := b.engine.CheckNext(t.Context(), "weekly", true)
	if err != nil {
		t.Fatal(err)
	}
	if got := findingNames(found); !slices.Equal(got, []string{"link-absent", "subject-repeated", "summary-missing"}) {
		t.Errorf("%+v", found)
	}
	var absent []string
	for _, f := range found {
		if f.Name == "link-absent" && f.Article == "About ferry" {
			absent = append(absent, f.URL)
		}
	}
	if !slices.Equal(absent, []string{"https://gazette.example/articles/no-such", "https://gazette.example/media/none.pdf"}) {
		t.Errorf("absent: %v", absent)
	}
	if found, err = b.engine.Check(t.Context(), draft.ID); err != nil || len(found) > 0 {
		t.Errorf("the approved edition: %+v, %v", found, err)
	}
}

// TestCheckShowsAChangeAtOnce checks that findings which were kept are not shown after a change of the
// draft, or of what it links to.
func TestCheckShowsAChangeAtOnce(t *testing.T) {
	t.Parallel()
	b, draft := checkedDraft(t, "ferry")
	b.useMail(plainMail)
	b.newDeliveryEngine()
	check := func(want ...string) {
		t.Helper()
		for range 2 { // the second time they are kept ones
			found, err := b.engine.Check(t.Context(), draft.ID)
			if got := findingNames(found); err != nil || !slices.Equal(got, want) {
				t.Fatalf("%v, %v; want %v", got, err, want)
			}
			for i := range found { // what a caller does to the list changes no later one
				found[i].Name = "changed"
			}
		}
	}
	change := func(html, summary, hash string) {
		t.Helper()
		a, err := b.store.ArticleBySlug(t.Context(), "ferry")
		if err != nil {
			t.Fatal(err)
		}
		a.HTML, a.Summary, a.Hash = html, summary, hash
		if _, err := b.store.PutArticle(t.Context(), &a, nil, nil); err != nil {
			t.Fatal(err)
		}
	}
	check()
	change(`<p>It sails to the <a href="/articles/harbour">harbour</a>.</p>`, "It sails.", "a link")
	check("link-absent")
	b.addArticle("harbour") // the draft is the same, and what it links to is not
	check()
	change(`<p>It sails to the <a href="/articles/harbour">harbour</a>.</p>`, "", "without a summary")
	check("summary-missing")
}

// TestMailsAreParsedOnceForTheirLinks checks that pages of the same draft find its links and images once,
// and again after a change.
func TestMailsAreParsedOnceForTheirLinks(t *testing.T) {
	t.Parallel()
	b, draft := checkedDraft(t, "ferry")
	b.useMail(plainMail)
	b.newDeliveryEngine()
	parsed := func(want int64) {
		t.Helper()
		for range 2 {
			if _, err := b.engine.Check(t.Context(), draft.ID); err != nil {
				t.Fatal(err)
			}
			if _, err := b.engine.Proof(t.Context(), draft.ID); err != nil {
				t.Fatal(err)
			}
		}
		if got := b.engine.CachedReferences(); got != want {
			t.Errorf("mails were parsed %d times, want %d", got, want)
		}
	}
	parsed(1)
	a, err := b.store.ArticleBySlug(t.Context(), "ferry")
	if err != nil {
		t.Fatal(err)
	}
	a.HTML, a.Hash = `<p>It sails to the <a href="/articles/harbour">harbour</a>.</p>`, "a link"
	if _, err := b.store.PutArticle(t.Context(), &a, nil, nil); err != nil {
		t.Fatal(err)
	}
	parsed(2)
}

func TestCheckOfUnknownEditionOrEmptyQueueFails(t *testing.T) {
	t.Parallel()
	b, _ := checkedDraft(t, "ferry")
	if _, err := b.engine.Check(t.Context(), "no-such"); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("an unknown edition: %v", err)
	}
	if _, err := b.engine.CheckNext(t.Context(), "weekly", true); !errors.Is(err, delivery.ErrNothingNew) {
		t.Errorf("an empty queue: %v", err)
	}
	if _, err := b.engine.CheckNext(t.Context(), "yearly", true); err == nil || !strings.Contains(err.Error(), "weekly") {
		t.Errorf("an unknown digest: %v", err)
	}
}

// TestBuiltInDesignsHaveNoFindings checks each mail template for digests with an article that has
// everything.
func TestBuiltInDesignsHaveNoFindings(t *testing.T) {
	t.Parallel()
	for _, design := range []string{"digest", "brief", "letter", "magazine"} {
		t.Run(design, func(t *testing.T) {
			t.Parallel()
			b := setup(t, store.SQLite, sink.Options{})
			b.options.Site.Postal = "The Gazette\n1 Quay Street"
			b.options.Digests[0].Template = design
			b.newDeliveryEngine()
			now := b.store.Now()
			for i, language := range []string{"en", "ar", "ja"} {
				slug := fmt.Sprintf("a%d", i)
				a := &article.Article{
					Source: "test:" + slug, Slug: slug, Title: "About " + slug, Summary: "All about it.", HTML: "<h2>Part</h2><p>About <a href=\"https://example.org/\">it</a>.</p><pre><code>{{x}}</code></pre>",
					Language: language, Published: now, Updated: now, Status: article.Published, Hash: slug, Authors: []article.Author{{Name: "Ann"}}, Tags: []string{"news"},
					Image: &article.Image{URL: "https://example.org/a.jpg", Alt: "A picture", Width: 1200, Height: 600},
				}
				if _, err := b.store.PutArticle(t.Context(), a, nil, nil); err != nil {
					t.Fatal(err)
				}
			}
			found, err := b.engine.CheckNext(t.Context(), "weekly", false)
			if err != nil || len(found) > 0 {
				t.Errorf("%+v, %v", found, err)
			}
		})
	}
}
