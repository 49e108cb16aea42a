package delivery_test

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/tidings-press/tidings/internal/article"
	"github.com/tidings-press/tidings/internal/delivery"
	"github.com/tidings-press/tidings/internal/digest"
	"github.com/tidings-press/tidings/internal/store"
	"github.com/tidings-press/tidings/internal/testkit/sink"
	"github.com/tidings-press/tidings/internal/testkit/storetest"
)

// ids returns the ids of articles that env.addArticle stored.
func (b *env) ids(slugs ...string) []string {
	b.t.Helper()
	out := make([]string, len(slugs))
	for i, slug := range slugs {
		a, err := b.store.ArticleBySlug(b.t.Context(), slug)
		if err != nil {
			b.t.Fatal(err)
		}
		out[i] = a.ID
	}
	return out
}

// draft makes a draft of the articles that wait.
func (b *env) draft() store.Edition {
	b.t.Helper()
	e, err := b.engine.Draft(b.t.Context(), "weekly", delivery.SendOptions{By: "ann"})
	if err != nil {
		b.t.Fatal(err)
	}
	return e
}

// compose changes a draft as Ann.
func (b *env) compose(id string, change func(c *delivery.Composition)) {
	b.t.Helper()
	c, err := b.engine.Composition(b.t.Context(), id, "ann", "")
	if err == nil {
		change(c)
		err = b.engine.Compose(b.t.Context(), c)
	}
	if err != nil {
		b.t.Fatal(err)
	}
}

// add puts an article into a composition.
func (b *env) add(c *delivery.Composition, slug string) {
	b.t.Helper()
	if err := b.engine.Add(b.t.Context(), c, slug); err != nil {
		b.t.Fatal(err)
	}
}

// articlesOf returns the slugs of the articles of an edition, in order.
func (b *env) articlesOf(id string) string {
	b.t.Helper()
	e, err := b.store.Edition(b.t.Context(), id)
	if err != nil {
		b.t.Fatal(err)
	}
	found, err := b.store.ArticlesByID(b.t.Context(), e.Articles)
	if err != nil {
		b.t.Fatal(err)
	}
	slugs := make([]string, len(found))
	for i := range found {
		slugs[i] = found[i].Slug
	}
	return strings.Join(slugs, " ")
}

// approve sends a draft to its one subscriber and returns the mail.
func (b *env) approve(id string) string {
	b.t.Helper()
	before := len(b.server.Mails())
	if _, err := b.engine.Approve(b.t.Context(), id); err != nil {
		b.t.Fatal(err)
	}
	b.eventually("the mail", func() bool { return len(b.server.Mails()) > before })
	return strings.ReplaceAll(string(b.server.Mails()[before].Data), "=\r\n", "")
}

func TestExcludedArticleReturnsToQueue(t *testing.T) {
	t.Parallel()
	each(t, sink.Options{}, nil, func(b *env) {
		b.addSubscribers(1)
		b.addArticle("ferries")
		b.addArticle("bridges")
		b.start()
		first := b.draft()
		b.compose(first.ID, func(c *delivery.Composition) { c.Exclude(b.ids("bridges")[0], "too early", false) })
		if got := b.articlesOf(first.ID); got != "ferries" {
			b.t.Fatalf("the draft has %s", got)
		}
		if mail := b.approve(first.ID); strings.Contains(mail, "About bridges") || !strings.Contains(mail, "About ferries") {
			b.t.Error("the excluded article was sent, or the other was not")
		}
		second := b.draft()
		if got := b.articlesOf(second.ID); got != "bridges" {
			b.t.Fatalf("the next draft has %s", got)
		}
		if mail := b.approve(second.ID); !strings.Contains(mail, "About bridges") {
			b.t.Error("the excluded article was not sent with the next edition")
		}
	})
}

func TestArticleExcludedForGoodIsNeverSent(t *testing.T) {
	t.Parallel()
	each(t, sink.Options{}, nil, func(b *env) {
		b.addArticle("ferries")
		b.addArticle("bridges")
		b.newDeliveryEngine()
		first := b.draft()
		b.compose(first.ID, func(c *delivery.Composition) { c.Exclude(b.ids("bridges")[0], "an advertisement", true) })
		if err := b.engine.Cancel(b.t.Context(), first.ID, "test"); err != nil {
			b.t.Fatal(err)
		}
		if n, err := b.engine.MarkUnseen(b.t.Context(), "weekly", time.Time{}); n != 0 || err != nil {
			b.t.Errorf("%d excluded articles returned to the queue with those marked as seen, %v", n, err)
		}
		second := b.draft()
		if got := b.articlesOf(second.ID); got != "ferries" {
			b.t.Errorf("after the draft was cancelled, the next one has %s", got)
		}
		// An editor who changes their mind can add it.
		b.compose(second.ID, func(c *delivery.Composition) { b.add(c, "bridges") })
		if got := b.articlesOf(second.ID); got != "bridges ferries" {
			b.t.Errorf("after it was added, the draft has %s", got)
		}
	})
}

func TestAddedArticleIsSentOnce(t *testing.T) {
	t.Parallel()
	each(t, sink.Options{}, func(o *delivery.Options) {
		o.Digests[0].Filter = article.Filter{Expr: article.Tag{Key: "harbour"}}
	}, func(b *env) {
		b.addSubscribers(1)
		b.addArticle("ferries", "harbour")
		b.addArticle("opera", "culture")
		b.start()
		first := b.draft()
		b.compose(first.ID, func(c *delivery.Composition) { b.add(c, "opera") })
		if mail := b.approve(first.ID); !strings.Contains(mail, "About opera") {
			b.t.Error("the added article was not sent")
		}
		b.addArticle("cranes", "harbour")
		second := b.draft()
		c, err := b.engine.Composition(b.t.Context(), second.ID, "ann", "")
		if err != nil {
			b.t.Fatal(err)
		}
		if err = b.engine.Add(b.t.Context(), c, "opera"); err == nil || !strings.Contains(err.Error(), "is in edition "+first.ID) {
			b.t.Errorf("adding it to a second edition: %v", err)
		}
		if err = b.engine.Add(b.t.Context(), c, "cranes"); err == nil || !strings.Contains(err.Error(), "in this draft already") {
			b.t.Errorf("adding an article twice: %v", err)
		}
		b.editArticle("secret", func(a *article.Article) { a.Status = article.Draft })
		if err = b.engine.Add(b.t.Context(), c, "secret"); err == nil || !strings.Contains(err.Error(), "is draft; publish it first") {
			b.t.Errorf("adding a draft: %v", err)
		}
		if err = b.engine.Add(b.t.Context(), c, "nothing"); err == nil || !strings.Contains(err.Error(), `unknown article "nothing"`) {
			b.t.Errorf("adding an unknown article: %v", err)
		}
	})
}

func TestArticleIsAddedByItsTitle(t *testing.T) {
	t.Parallel()
	each(t, sink.Options{}, func(o *delivery.Options) {
		o.Digests[0].Filter = article.Filter{Expr: article.Tag{Key: "harbour"}}
	}, func(b *env) {
		b.addArticle("ferries", "harbour")
		for _, slug := range []string{"opera", "opera-again", "market", "theatre"} {
			b.addArticle(slug)
		}
		b.editArticle("market", func(a *article.Article) { a.Title = "Notes" })
		b.editArticle("theatre", func(a *article.Article) { a.Title = "NOTES" })
		b.newDeliveryEngine()
		draft := b.draft()
		b.compose(draft.ID, func(c *delivery.Composition) { b.add(c, " about OPERA ") })
		if got := b.articlesOf(draft.ID); got != "opera ferries" {
			b.t.Errorf("the draft has %s", got)
		}
		c, err := b.engine.Composition(b.t.Context(), draft.ID, "ann", "")
		if err != nil {
			b.t.Fatal(err)
		}
		for title, want := range map[string]string{"Notes": "several articles have the title “Notes”", "About": `unknown article "About"`, "…": `unknown article "…"`} {
			if err := b.engine.Add(b.t.Context(), c, title); err == nil || !strings.Contains(err.Error(), want) {
				b.t.Errorf("adding %q: %v; want %q", title, err, want)
			}
		}
	})
}

// TestAddedArticleOfTwoDraftsIsInOne checks that an article that waits is not in two drafts when two
// editors add it at once.
func TestAddedArticleOfTwoDraftsIsInOne(t *testing.T) {
	t.Parallel()
	each(t, sink.Options{}, func(o *delivery.Options) { o.Digests[0].Max = 1 }, func(b *env) {
		for _, slug := range []string{"ferries", "bridges", "cranes"} {
			b.addArticle(slug)
		}
		b.newDeliveryEngine()
		var open []*delivery.Composition
		for range 2 {
			c, err := b.engine.Composition(b.t.Context(), b.draft().ID, "ann", "")
			if err != nil {
				b.t.Fatal(err)
			}
			open = append(open, c)
		}
		for _, c := range open {
			b.add(c, "ferries")
		}
		first, second := b.engine.Compose(b.t.Context(), open[0]), b.engine.Compose(b.t.Context(), open[1])
		if first != nil || second == nil || !strings.Contains(second.Error(), "another edition of this digest has taken the article") {
			b.t.Errorf("first %v, second %v", first, second)
		}
		if got := b.articlesOf(open[1].Edition.ID); strings.Contains(got, "ferries") {
			b.t.Errorf("the second draft has %s", got)
		}
	})
}

func TestEditsAreRefusedAfterApproval(t *testing.T) {
	t.Parallel()
	each(t, sink.Options{}, nil, func(b *env) {
		b.addSubscribers(1)
		b.addArticle("ferries")
		b.addArticle("bridges")
		b.newDeliveryEngine()
		draft := b.draft()
		open, err := b.engine.Composition(b.t.Context(), draft.ID, "ann", "")
		if err != nil {
			b.t.Fatal(err)
		}
		if _, err := b.engine.Approve(b.t.Context(), draft.ID); err != nil {
			b.t.Fatal(err)
		}
		open.Exclude(b.ids("ferries")[0], "", false)
		open.Subject = "Too late"
		var state *store.StateError
		if err := b.engine.Compose(b.t.Context(), open); !errors.As(err, &state) || !strings.Contains(err.Error(), "is approved; only a draft can be changed") {
			b.t.Errorf("an edit that began before the approval: %v", err)
		}
		if _, err := b.engine.Composition(b.t.Context(), draft.ID, "ann", ""); !errors.As(err, &state) {
			b.t.Errorf("an edit after the approval: %v", err)
		}
		if got := b.articlesOf(draft.ID); got != "bridges ferries" {
			b.t.Errorf("the edition has %s", got)
		}
	})
}

func TestSecondEditorIsToldThatTheDraftChanged(t *testing.T) {
	t.Parallel()
	each(t, sink.Options{}, nil, func(b *env) {
		b.addArticle("ferries")
		b.addArticle("bridges")
		b.newDeliveryEngine()
		draft := b.draft()
		ben, err := b.engine.Composition(b.t.Context(), draft.ID, "ben", "")
		if err != nil {
			b.t.Fatal(err)
		}
		b.compose(draft.ID, func(c *delivery.Composition) { c.Edits.Intro[""] = "From Ann" })
		ben.Edits.Outro[""] = "From Ben"
		ben.Exclude(b.ids("ferries")[0], "", false)
		var changed *delivery.ChangedError
		if err := b.engine.Compose(b.t.Context(), ben); !errors.As(err, &changed) || !strings.Contains(err.Error(), "ann changed it at ") {
			b.t.Errorf("the second editor's change: %v", err)
		}
		if _, err := b.engine.Composition(b.t.Context(), draft.ID, "ben", ben.Revision); !errors.As(err, &changed) {
			b.t.Errorf("a change based on an old revision: %v", err)
		}
		got, err := b.store.Edition(b.t.Context(), draft.ID)
		if err != nil || got.Edits.Intro[""] != "From Ann" || len(got.Edits.Outro) > 0 || len(got.Articles) != 2 {
			b.t.Errorf("the draft has %+v, %d articles, %v", got.Edits, len(got.Articles), err)
		}
	})
}

func TestEditsAreShownInPreviewAndSent(t *testing.T) {
	t.Parallel()
	b := setup(t, store.SQLite, sink.Options{})
	b.addSubscribers(1)
	for _, slug := range []string{"ferries", "bridges", "cranes"} {
		b.addArticle(slug)
	}
	b.start()
	draft := b.draft()
	id := b.ids("ferries", "bridges", "cranes")
	before := b.review(draft.ID)
	b.compose(draft.ID, func(c *delivery.Composition) {
		c.Edits.Lead, c.Edits.Preheader, c.Edits.Intro[""] = id[0], "All about the quay", "Good *morning* {{.Site.Title}}"
		c.SetOrder([]string{id[0], id[2], id[1]})
	})
	after := b.review(draft.ID)
	if after.Fingerprint.Short() == before.Fingerprint.Short() {
		t.Error("the fingerprint did not change")
	}
	if after.Subject != "The week: About ferries" || !strings.Contains(after.HTML, "All about the quay") {
		t.Errorf("the subject is %q", after.Subject)
	}
	if !strings.Contains(after.HTML, "morning</em> {{.Site.Title}}") || !strings.Contains(after.Text, "{{.Site.Title}}") {
		t.Error("the mail lacks the intro, or ran it as a template")
	}
	if len(after.Contents) != 3 || after.Contents[0].ID != id[0] || after.Contents[1].ID != id[2] {
		t.Error("the articles of the review are not in the order shown")
	}
	if got := after.Articles; !slices.Equal(got, []string{id[0], id[2], id[1]}) {
		t.Errorf("the order is %v, not %v", got, id)
	}
	b.compose(draft.ID, func(c *delivery.Composition) {
		if c.Subject != "" || c.AutomaticSubject != "The week: About ferries" {
			t.Errorf("the subject %q is not automatic any more", c.Subject)
		}
		c.Move(id[1], -1)
		c.Subject, c.Edits.Intro[""] = "A word from the harbour", "Good *morning*"
	})
	if got := b.review(draft.ID); got.Subject != "A word from the harbour" || !slices.Equal(got.Articles, []string{id[0], id[1], id[2]}) {
		t.Errorf("after a move: %q, %v", got.Subject, got.Articles)
	}
	if mail := b.approve(draft.ID); !strings.Contains(mail, "Subject: A word from the harbour") || !strings.Contains(mail, "All about the quay") {
		t.Error("the mail lacks the subject or the preheader")
	}
}

// TestLaterTickKeepsEdits lets a tick join a draft that an editor has composed.
func TestLaterTickKeepsEdits(t *testing.T) {
	t.Parallel()
	for _, kind := range storetest.Engines {
		t.Run(string(kind), func(t *testing.T) {
			t.Parallel()
			b := setup(t, kind, sink.Options{})
			def := &b.options.Digests[0]
			def.Automatic, def.Max, def.Filter = false, 4, article.Filter{Expr: article.Not{Of: article.Tag{Key: "culture"}}}
			for _, slug := range []string{"ferries", "bridges", "cranes"} {
				b.addArticle(slug)
			}
			b.addArticle("opera", "culture")
			def.Schedule = secondsSchedule(t)
			b.start()
			draft := b.waitingDraft(3)
			b.stop()
			id := b.ids("ferries", "bridges", "cranes", "opera")
			b.compose(draft.ID, func(c *delivery.Composition) {
				c.Exclude(id[0], "next week", false)
				c.Exclude(id[1], "never", true)
				b.add(c, "opera")
				c.Edits.Lead, c.Edits.Intro[""], c.Subject = id[3], "Hello", "Our words"
			})
			for _, slug := range []string{"locks", "mills", "weirs"} {
				b.addArticle(slug)
			}
			b.run()
			joined := b.waitingDraft(4)
			b.stop()
			if got := b.articlesOf(joined.ID); got != "weirs mills opera cranes" {
				t.Errorf("the draft has %s", got)
			}
			if got := joined.Edits; got.Lead != id[3] || got.Intro[""] != "Hello" || joined.Subject != "Our words" || len(got.Excluded) != 2 {
				t.Errorf("the draft has the subject %q and the edits %+v", joined.Subject, got)
			}
		})
	}
}

func TestEditsThatCannotBeUsedAreRefused(t *testing.T) {
	t.Parallel()
	b := setup(t, store.SQLite, sink.Options{})
	b.addArticle("ferries")
	b.newDeliveryEngine()
	draft := b.draft()
	id := b.ids("ferries")[0]
	for want, change := range map[string]func(c *delivery.Composition){
		"articles: no article is left; keep one, or cancel the edition": func(c *delivery.Composition) { c.Exclude(id, "", false) },
		`lead: no article of this draft has the id "gone"`:              func(c *delivery.Composition) { c.Edits.Lead = "gone" },
		`unknown form "tiny"; write full, summary or title`:             func(c *delivery.Composition) { c.Edits.Forms[id] = "tiny" },
		`intro.french: "french" is not a language`:                      func(c *delivery.Composition) { c.Edits.Intro["french"] = "Bonjour" },
		"outro: it has 30000 bytes; write at most 20000":                func(c *delivery.Composition) { c.Edits.Outro[""] = strings.Repeat("x", 30_000) },
		"subject: it has 400 characters; write at most 300":             func(c *delivery.Composition) { c.Subject = strings.Repeat("é", 400) },
		`sponsor.url: "javascript:alert(1)" is not a web address`: func(c *delivery.Composition) {
			c.Edits.Sponsor = &digest.Sponsor{Text: "x", URL: "javascript:alert(1)"}
		},
		"sponsor: it has neither a text nor an image": func(c *delivery.Composition) { c.Edits.Sponsor = &digest.Sponsor{Label: "Ad"} },
	} {
		c, err := b.engine.Composition(t.Context(), draft.ID, "ann", "")
		if err != nil {
			t.Fatal(err)
		}
		change(c)
		var problems delivery.EditProblems
		if err := b.engine.Compose(t.Context(), c); !errors.As(err, &problems) || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v; want %s", err, want)
		}
	}
	if got, err := b.store.Edition(t.Context(), draft.ID); err != nil || !got.Edits.IsZero() {
		t.Errorf("the draft has the edits %+v, %v", got.Edits, err)
	}
}

// TestLedgerHoldsWhateverEditorsDo makes random changes of drafts. Afterwards each article is in one
// sent edition, unless it was excluded for good.
func TestLedgerHoldsWhateverEditorsDo(t *testing.T) {
	t.Parallel()
	each(t, sink.Options{}, func(o *delivery.Options) {
		o.Digests[0].Max, o.Digests[0].Filter = 3, article.Filter{Expr: article.Not{Of: article.Tag{Key: "culture"}}}
	}, func(b *env) {
		b.newDeliveryEngine()
		ctx := b.t.Context()
		const articles = 12
		var slugs []string
		for i := range articles {
			slugs = append(slugs, fmt.Sprintf("article-%d", i))
			b.addArticle(slugs[i], []string{"harbour", "culture"}[i/9]) // the last three do not fit the filter
		}
		random := rand.New(rand.NewPCG(7, 7))
		forGood := map[string]bool{}
		var sent []string
		for range 40 {
			draft, err := b.engine.Draft(ctx, "weekly", delivery.SendOptions{By: "ann"})
			if errors.Is(err, delivery.ErrNothingNew) {
				break
			}
			if err != nil {
				b.t.Fatal(err)
			}
			c, err := b.engine.Composition(ctx, draft.ID, "ann", "")
			if err != nil {
				b.t.Fatal(err)
			}
			if one := c.Articles[random.IntN(len(c.Articles))]; random.IntN(2) == 0 && len(c.Articles) > 1 {
				good := random.IntN(3) == 0
				c.Exclude(one.ID, "", good)
				forGood[one.Slug] = good
			}
			if slug := slugs[random.IntN(articles)]; b.engine.Add(ctx, c, slug) == nil {
				forGood[slug] = false
			}
			if err := b.engine.Compose(ctx, c); err != nil {
				b.t.Fatal(err)
			}
			if random.IntN(4) == 0 { // its articles return to the queue, those excluded for good do not
				if err := b.engine.Cancel(ctx, draft.ID, "test"); err != nil {
					b.t.Fatal(err)
				}
				continue
			}
			if _, err := b.engine.Approve(ctx, draft.ID); err != nil {
				b.t.Fatal(err)
			}
			sent = append(sent, strings.Fields(b.articlesOf(draft.ID))...)
		}
		for i, slug := range slugs {
			n := 0
			for _, one := range sent {
				if one == slug {
					n++
				}
			}
			if n > 1 || n == 1 && forGood[slug] || n == 0 && !forGood[slug] && i < 9 {
				b.t.Errorf("%s is in %d editions; excluded for good: %v", slug, n, forGood[slug])
			}
		}
		if len(sent) < 8 {
			b.t.Errorf("only %d articles were sent", len(sent))
		}
	})
}
