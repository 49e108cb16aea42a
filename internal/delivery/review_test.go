package delivery_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/tidings-press/tidings/internal/article"
	"github.com/tidings-press/tidings/internal/delivery"
	"github.com/tidings-press/tidings/internal/digest"
	"github.com/tidings-press/tidings/internal/store"
	"github.com/tidings-press/tidings/internal/subscriber"
	"github.com/tidings-press/tidings/internal/testkit/sink"
	"github.com/tidings-press/tidings/templates"
)

// editArticle changes an article that env.article stored.
func (b *env) editArticle(slug string, change func(a *article.Article)) {
	b.t.Helper()
	now := b.store.Now()
	a := &article.Article{
		Source: "test:" + slug, Slug: slug, Title: "About " + slug, Summary: "All about " + slug + ".", HTML: "<p>About " + slug + ".</p>",
		Language: "en", Published: now, Updated: now, Status: article.Published, Hash: slug + " edited",
	}
	change(a)
	if _, err := b.store.PutArticle(b.t.Context(), a, nil, nil); err != nil {
		b.t.Fatal(err)
	}
}

// TestApprovalIsRefusedWhenEditionChangedSinceReview checks that the error names the difference,
// and that the edition can be approved once it was shown again.
func TestApprovalIsRefusedWhenEditionChangedSinceReview(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		change func(b *env, draft store.Edition)
		want   string
	}{
		"an edited text": {func(b *env, _ store.Edition) {
			b.editArticle("ferries", func(a *article.Article) { a.HTML = "<p>Something else.</p>" })
		}, "edited: “About ferries”"},
		"an edited title": {func(b *env, _ store.Edition) {
			b.editArticle("ferries", func(a *article.Article) { a.Title = "Never mind" })
		}, "edited: “Never mind”"},
		"a withdrawn article": {func(b *env, draft store.Edition) {
			found, err := b.store.ArticlesByID(b.t.Context(), draft.Articles)
			if err != nil {
				b.t.Fatal(err)
			}
			for _, a := range found {
				if a.Slug == "bridges" {
					err = b.store.RemoveArticle(b.t.Context(), a.ID)
				}
			}
			if err != nil {
				b.t.Fatal(err)
			}
		}, "withdrawn or left out: “About bridges”"},
		"a subject": {func(b *env, draft store.Edition) {
			if err := b.store.SetEditionSubject(b.t.Context(), draft.ID, "Another subject"); err != nil {
				b.t.Fatal(err)
			}
		}, "the subject is “Another subject”, it was “The week: About "},
		"the sender": {func(b *env, _ store.Edition) {
			b.options.Digests[0].From.Email = "other@gazette.example"
			b.newEngine()
		}, "the sender, the links or other settings of the digest or the site changed"},
		"the site's address": {func(b *env, _ store.Edition) {
			b.options.Site.URL = "https://elsewhere.example"
			b.newEngine()
		}, "the sender, the links or other settings"},
		"a template": {func(b *env, _ store.Edition) {
			b.options.Templates = changedTemplates(b.t)
			b.newEngine()
		}, "the templates, or the number or date of the edition, changed"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := setup(t, store.SQLite, sink.Options{})
			b.addSubscribers(2)
			b.addArticle("ferries")
			b.addArticle("bridges")
			b.newDeliveryEngine()
			ctx := t.Context()
			draft, err := b.engine.Draft(ctx, "weekly", delivery.SendOptions{By: "ann"})
			if err != nil {
				t.Fatal(err)
			}
			shown := b.review(draft.ID).Fingerprint
			c.change(b, draft)
			_, err = b.engine.ApproveUnchanged(ctx, draft.ID, shown)
			var changed *delivery.ChangedError
			if !errors.As(err, &changed) || !strings.Contains(err.Error(), "the edition changed since it was shown: ") || !strings.Contains(err.Error(), c.want) {
				t.Fatalf("approved a change that was not shown: %v; want %q", err, c.want)
			}
			if _, err := b.engine.ApproveShort(ctx, draft.ID, delivery.CommandLine, shown.Short()); !errors.As(err, &changed) {
				t.Errorf("approved a change that was not shown, by its fingerprint: %v", err)
			}
			if e, err := b.store.Edition(ctx, draft.ID); err != nil || e.State != digest.Draft {
				t.Errorf("the edition is %s, %v", e.State, err)
			}
			again := b.review(draft.ID)
			if e, err := b.engine.ApproveShort(ctx, draft.ID, delivery.CommandLine, again.Fingerprint.Short()); err != nil || e.State != digest.Approved {
				t.Fatalf("approved after another review, the edition is %s, %v", e.State, err)
			}
			// The frozen variant is the one that was shown.
			frozen, err := b.engine.PreviewEdition(ctx, draft.ID)
			if err != nil || frozen.HTML != again.HTML || frozen.Text != again.Text || frozen.Subject != again.Subject {
				t.Errorf("the frozen bytes are not those that were shown, %v", err)
			}
		})
	}
}

// review returns a draft as it is shown to an editor.
func (b *env) review(id string) delivery.Review {
	b.t.Helper()
	r, err := b.engine.Review(b.t.Context(), id)
	if err != nil {
		b.t.Fatal(err)
	}
	// A form returns the token that it was given.
	read, err := delivery.ParseFingerprint(r.Fingerprint.Token())
	if err != nil || read.Short() != r.Fingerprint.Short() {
		b.t.Fatalf("the token reads as %+v, %v", read, err)
	}
	r.Fingerprint = read
	return r
}

// changedTemplates returns the built-in templates with a changed phrase file of another language.
func changedTemplates(t *testing.T) *templates.Set {
	t.Helper()
	dir := t.TempDir()
	text, err := os.ReadFile(filepath.Join("..", "..", "templates", "phrases", "fr.yaml"))
	if err == nil {
		err = os.Mkdir(filepath.Join(dir, "phrases"), 0o755)
	}
	if err == nil {
		err = os.WriteFile(filepath.Join(dir, "phrases", "fr.yaml"), append(text, "\n# another file\n"...), 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
	set, err := templates.Load(dir)
	if err != nil {
		t.Fatal(err)
	}
	return set
}

// TestSubscriberAddedAfterReviewDoesNotBlockApproval: the edition has one more variant but is
// otherwise the same.
func TestSubscriberAddedAfterReviewDoesNotBlockApproval(t *testing.T) {
	t.Parallel()
	b := setup(t, store.SQLite, sink.Options{})
	b.addSubscribers(1)
	b.editArticle("ferries", func(a *article.Article) { a.Tags = []string{"sea"} })
	b.addArticle("bridges")
	b.newDeliveryEngine()
	draft, err := b.engine.Draft(t.Context(), "weekly", delivery.SendOptions{By: "ann"})
	if err != nil {
		t.Fatal(err)
	}
	shown := b.review(draft.ID).Fingerprint
	b.addWithPreferences("sailor", "", []string{"sea"}, subscriber.Active)
	if e, err := b.engine.ApproveUnchanged(t.Context(), draft.ID, shown); err != nil || e.Recipients.Count != 2 {
		t.Errorf("%d readers, %v", e.Recipients.Count, err)
	}
}

// TestSendByHandIsRefusedWhenEditionChanged also checks that no edition is left behind.
func TestSendByHandIsRefusedWhenEditionChanged(t *testing.T) {
	t.Parallel()
	each(t, sink.Options{}, nil, func(b *env) {
		ctx := b.t.Context()
		b.addSubscribers(1)
		b.addArticle("ferries")
		b.newDeliveryEngine()
		shown, err := b.engine.Preview(ctx, "weekly", delivery.PreviewOptions{})
		if err != nil {
			b.t.Fatal(err)
		}
		b.addArticle("bridges")
		var changed *delivery.ChangedError
		if _, err := b.engine.Send(ctx, "weekly", delivery.SendOptions{By: "ann", Expect: &shown.Fingerprint}); !errors.As(err, &changed) || !strings.Contains(err.Error(), "added: “About bridges”") {
			b.t.Fatalf("sent a change that was not shown: %v", err)
		}
		if all, err := b.store.Editions(ctx, "weekly", 5); err != nil || len(all) != 0 {
			b.t.Errorf("editions %+v, %v", all, err)
		}
		if shown, err = b.engine.Preview(ctx, "weekly", delivery.PreviewOptions{}); err != nil {
			b.t.Fatal(err)
		}
		e, err := b.engine.Send(ctx, "weekly", delivery.SendOptions{By: "ann", Expect: &shown.Fingerprint})
		if err != nil || e.State != digest.Approved {
			b.t.Errorf("sent after another preview, the edition is %s, %v", e.State, err)
		}
	})
}
