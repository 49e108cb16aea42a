package delivery_test

import (
	"strings"
	"testing"
	"time"

	"github.com/tidings-press/tidings/internal/article"
	"github.com/tidings-press/tidings/internal/delivery"
	"github.com/tidings-press/tidings/internal/digest"
	"github.com/tidings-press/tidings/internal/store"
	"github.com/tidings-press/tidings/internal/subscriber"
	"github.com/tidings-press/tidings/internal/testkit/sink"
)

// preview renders a preview and fills in sample values.
func (b *env) preview(options delivery.PreviewOptions) (delivery.Preview, string) {
	b.t.Helper()
	p, err := b.engine.Preview(b.t.Context(), "weekly", options)
	if err != nil {
		return p, err.Error()
	}
	return p, p.Fill(digest.Placeholders{Name: p.Subscriber.Name, Address: p.Subscriber.Address.String()}).Text
}

func TestPreviewShowsTheEditionOfAComingTime(t *testing.T) {
	t.Parallel()
	b, c := weekly(t, store.SQLite)
	const day = 24 * time.Hour
	for _, name := range []string{"one", "two", "three", "four"} {
		b.addArticle(name)
		c.advance(time.Millisecond)
	}
	b.addDatedArticle("advent", c.Now().Add(6*day))
	paris := b.engine.Zone("weekly")
	for name, test := range map[string]struct {
		at     time.Time
		want   string
		number int
	}{
		"before the tick":    {time.Date(2026, 11, 26, 12, 0, 0, 0, paris), "four three two", 1},
		"the next tick":      {time.Date(2026, 11, 27, 8, 0, 0, 0, paris), "four three two", 1},
		"the tick after it":  {time.Date(2026, 12, 4, 8, 0, 0, 0, paris), "advent one", 2},
		"between two ticks":  {time.Date(2026, 11, 30, 12, 0, 0, 0, paris), "one", 2},
		"after all articles": {time.Date(2026, 12, 11, 8, 0, 0, 0, paris), "nothing new: no further article fits yet", 0},
		"in the past":        {time.Date(2026, 11, 20, 8, 0, 0, 0, paris), "Friday, 20 November 2026 at 08:00 CET is not in the future", 0},
	} {
		if got := b.nextArticles(delivery.PreviewOptions{At: test.at}); got != test.want {
			t.Errorf("%s: %q; want %q", name, got, test.want)
		}
		if p, text := b.preview(delivery.PreviewOptions{At: test.at}); test.number > 0 && !strings.Contains(text, test.at.Format("2 January 2006")) {
			t.Errorf("%s: the mail has another date:\n%s", name, p.Text)
		}
	}
	b.wantBacklog(delivery.Backlog{Waiting: 4, Next: 3})
}

// TestPreviewAsSubscriberShowsTheirMail checks that a preview has the subscriber's articles and name, and
// none of their links.
func TestPreviewAsSubscriberShowsTheirMail(t *testing.T) {
	t.Parallel()
	b, _ := weekly(t, store.SQLite)
	b.addArticle("sails", "sea")
	b.addArticle("roads", "land")
	b.addWithPreferences("ann", "", []string{"sea"}, subscriber.Active)
	b.addWithPreferences("ben", "", []string{"air"}, subscriber.Active)
	b.addWithPreferences("cid", "", nil, subscriber.Paused)
	address := func(name string) subscriber.Address { return subscriber.MustParseAddress(name + "@example.org") }
	p, text := b.preview(delivery.PreviewOptions{As: address("ann")})
	if !strings.Contains(text, "About sails") || strings.Contains(text, "About roads") || !strings.Contains(text, "ann@example.org") {
		t.Errorf("the mail to ann is\n%s", text)
	}
	if p.Subscriber.Address != address("ann") || strings.Contains(p.HTML+p.Text, "/unsubscribe/") || strings.Contains(p.HTML+p.Text, "/preferences/") {
		t.Errorf("the preview for %s has links of a subscriber", p.Subscriber.Address)
	}
	for name, want := range map[string]string{
		"ben": "ben@example.org would be skipped: ",
		"cid": "cid@example.org would be skipped: the subscriber is paused",
		"dan": "there is no subscriber dan@example.org",
	} {
		if _, text := b.preview(delivery.PreviewOptions{As: address(name)}); !strings.HasPrefix(text, want) {
			t.Errorf("%s: %s; want %s", name, text, want)
		}
	}
}

func TestPreviewInALanguageHasItsTexts(t *testing.T) {
	t.Parallel()
	b, _ := weekly(t, store.SQLite)
	b.addArticle("sails")
	if _, text := b.preview(delivery.PreviewOptions{Language: "fr"}); !strings.Contains(text, "novembre") || !strings.Contains(text, "About sails") {
		t.Errorf("the French mail is\n%s", text)
	}
	b.options.Digests[0].Language = "en"
	b.newEngine()
	if _, text := b.preview(delivery.PreviewOptions{Language: "fr"}); text != "digest weekly is in one language, en" {
		t.Error(text)
	}
}

// TestPageOfApprovedEditionShowsTheMailInTheSiteLanguage approves an edition with an English mail for one
// subscriber and a longer Arabic one for two, on sites in three languages.
func TestPageOfApprovedEditionShowsTheMailInTheSiteLanguage(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ site, want string }{{"en", "en"}, {"ar", "ar"}, {"ja", "ar"}} {
		t.Run(c.site, func(t *testing.T) {
			each(t, sink.Options{}, func(o *delivery.Options) { o.Site.Language = c.site }, func(b *env) {
				b.importList("address,language\na@example.org,ar\nb@example.org,en\nc@example.org,ar\n", 3)
				b.addArticle("ferries")
				b.editArticle("mina", func(a *article.Article) {
					a.Language, a.HTML = "ar", "<p>"+strings.Repeat("الميناء بعد العاصفة. ", 200)+"</p>"
				})
				b.newDeliveryEngine()
				draft := b.draft()
				if _, err := b.engine.Approve(b.t.Context(), draft.ID); err != nil {
					b.t.Fatal(err)
				}
				if v, err := b.engine.PreviewEdition(b.t.Context(), draft.ID); err != nil || v.Language != c.want {
					b.t.Errorf("the page shows the mail in %q, %v; want %q", v.Language, err, c.want)
				}
				shown, err := b.engine.PreviewEditionVariant(b.t.Context(), draft.ID, delivery.VariantPreviewOptions{})
				if err != nil || shown.Language != c.want || len(shown.All) != 2 {
					b.t.Errorf("the preview shows %q of %d, %v; want %q", shown.Language, len(shown.All), err, c.want)
				}
			})
		})
	}
}
