package delivery_test

import (
	"fmt"
	"testing"

	"github.com/tidings-press/tidings/internal/article"
	"github.com/tidings-press/tidings/internal/delivery"
	"github.com/tidings-press/tidings/internal/digest"
	"github.com/tidings-press/tidings/internal/store"
	"github.com/tidings-press/tidings/internal/subscriber"
	"github.com/tidings-press/tidings/internal/testkit/sink"
)

// addWithPreferences adds a subscriber with preferences to the digest and then sets the state.
func (b *env) addWithPreferences(name, lang string, topics []string, state subscriber.State) int64 {
	b.t.Helper()
	ctx := b.t.Context()
	p, err := b.store.AddSubscriber(ctx, subscriber.Subscriber{
		Address: subscriber.MustParseAddress(name + "@example.org"), Language: lang, State: subscriber.Active,
	})
	if err == nil {
		err = b.store.Subscribe(ctx, p.ID, "weekly", topics)
	}
	if err == nil {
		err = b.store.SetState(ctx, p.ID, state, "")
	}
	if err != nil {
		b.t.Fatal(err)
	}
	return p.ID
}

func TestSkippedSubscribersAreCountedByReason(t *testing.T) {
	t.Parallel()
	each(t, sink.Options{}, nil, func(b *env) {
		ctx := b.t.Context()
		b.addWithPreferences("all", "", nil, subscriber.Active)
		b.addWithPreferences("topic1", "", []string{"VIP Customers"}, subscriber.Active)
		b.addWithPreferences("topic2", "", []string{"VIP Customers", "Fair"}, subscriber.Active)
		b.addWithPreferences("french", "fr", nil, subscriber.Active)
		b.addWithPreferences("paused", "", nil, subscriber.Paused)
		b.addWithPreferences("bounced", "", nil, subscriber.Bounced)
		b.addWithPreferences("pending", "", nil, subscriber.Active)
		left := b.addWithPreferences("left", "", nil, subscriber.Active)
		if err := b.store.Subscribe(ctx, left, "daily", nil); err != nil {
			b.t.Fatal(err)
		}
		if err := b.store.Unsubscribe(ctx, left, "weekly"); err != nil {
			b.t.Fatal(err)
		}
		b.addArticle("ferries")
		b.start()
		before, err := b.engine.NextRecipients(ctx, "weekly")
		if err != nil {
			b.t.Fatal(err)
		}
		const want = "2 [{no article in their topics 2} {bounced 1} {left this digest 1} {no article in their language 1} {paused 1}]"
		if got := fmt.Sprint(before.Count, " ", before.Skipped); got != want {
			b.t.Errorf("before: %s\nwant    %s", got, want)
		}
		draft, err := b.engine.Draft(ctx, "weekly", delivery.SendOptions{By: "ann"})
		if err != nil {
			b.t.Fatal(err)
		}
		if drafted, err := b.engine.EditionRecipients(ctx, draft); err != nil || fmt.Sprint(drafted) != fmt.Sprint(before) {
			b.t.Errorf("of the draft: %v, %v", drafted, err)
		}
		e, err := b.engine.Approve(ctx, draft.ID)
		if err != nil {
			b.t.Fatal(err)
		}
		p := b.sent(e.ID)
		if p.Counts != (store.DeliveryCounts{Total: 5, Sent: 2, Skipped: 3}) || p.Edition.State != digest.Sent {
			b.t.Errorf("sent: %+v", p.Counts)
		}
		after, err := b.engine.EditionRecipients(ctx, p.Edition)
		if err != nil {
			b.t.Fatal(err)
		}
		const frozen = "2 [{no article in their topics 2} {no article in their language 1}]"
		if got := fmt.Sprint(after.Count, " ", after.Skipped); got != frozen {
			b.t.Errorf("after: %s\nwant   %s", got, frozen)
		}
	})
}

func TestDigestIsInTheMailLanguageOfTheSubscriber(t *testing.T) {
	t.Parallel()
	each(t, sink.Options{}, nil, func(b *env) {
		b.addWithPreferences("plain", "", nil, subscriber.Active)
		french := b.addWithPreferences("french", "", nil, subscriber.Active)
		sub, err := b.store.Subscriber(b.t.Context(), french)
		if err != nil {
			b.t.Fatal(err)
		}
		sub.MailLanguage = "fr"
		if err := b.store.UpdateSubscriber(b.t.Context(), sub); err != nil {
			b.t.Fatal(err)
		}
		b.addArticle("ferries")
		if _, err := b.store.PutArticle(b.t.Context(), &article.Article{
			Source: "test:grues", Slug: "grues", Title: "Grues", HTML: "<p>Grues</p>", Language: "fr", Published: b.store.Now(), Status: article.Published,
		}, nil, nil); err != nil {
			b.t.Fatal(err)
		}
		b.start()
		e := b.send()
		b.sent(e.ID)
		for id, want := range map[int64]string{french: "fr", french - 1: "en"} {
			if _, v, err := b.store.VariantFor(b.t.Context(), e.Seq, id); err != nil || v.Language != want || len(v.Articles) != 2 {
				b.t.Errorf("subscriber %d gets %d articles in a mail in %q, want %q; %v", id, len(v.Articles), v.Language, want, err)
			}
		}
	})
}
