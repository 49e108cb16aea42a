package delivery_test

import (
	"net/mail"
	"strings"
	"testing"
	"time"

	"github.com/tidings-press/tidings/internal/delivery"
	"github.com/tidings-press/tidings/internal/digest"
	"github.com/tidings-press/tidings/internal/store"
	"github.com/tidings-press/tidings/internal/testkit/sink"
	"github.com/tidings-press/tidings/mailer"
)

// TestReloadDuringEditionDoesNotChangeItsMails covers a change of the sender, the links and the
// return path, and the removal of the digest from the configuration.
func TestReloadDuringEditionDoesNotChangeItsMails(t *testing.T) {
	t.Parallel()
	for name, reload := range map[string]func(o *delivery.Options){
		"other settings": func(o *delivery.Options) {
			d := &o.Digests[0]
			d.From, d.ReplyTo, d.Owner = mailer.Address{Name: "Other", Email: "other@elsewhere.example"}, mailer.Address{Email: "reply@elsewhere.example"}, "owner@elsewhere.example"
			d.Title, d.Subject, d.Template = "Another title", "Another subject", "brief"
			o.Site.URL, o.ReturnPath = "https://elsewhere.example", "bounces.elsewhere.example"
		},
		"no digest": func(o *delivery.Options) { o.Digests = nil },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := setupFaulty(t, sink.Options{Faults: []sink.Fault{{At: sink.AtRcpt, Match: "reader1@", Reply: "450 4.2.1 later", Times: 1}}})
			f.addSubscribers(2)
			f.addArticle("ferries")
			f.start()
			e := f.send()
			f.untilProgress(e.ID, "sent to one subscriber", func(p progress) bool { return p.Retrying() })
			f.stop()
			reload(&f.options)
			f.ahead.Add(int64(time.Hour))
			f.newEngine()
			f.run()
			f.sent(e.ID)
			first, second := f.server.Mails()[0], f.server.Mails()[1]
			if a, b := impersonal(t, first.Data), impersonal(t, second.Data); a != b {
				t.Errorf("before the reload:\n%s\nafter it:\n%s", a, b)
			}
			if strings.Contains(string(second.Data)+second.From, "elsewhere") {
				t.Errorf("the later mail has new settings:\nfrom %s\n%s", second.From, second.Data)
			}
		})
	}
}

// impersonal returns the headers that are the same for all subscribers.
func impersonal(t *testing.T, data []byte) string {
	t.Helper()
	m, err := mail.ReadMessage(strings.NewReader(string(data)))
	if err != nil {
		t.Fatal(err)
	}
	var out strings.Builder
	for _, name := range []string{"From", "Reply-To", "Subject", "Date", "List-Id", "List-Help", "List-Archive", "List-Owner", "Feedback-Id"} {
		out.WriteString(name + ": " + m.Header.Get(name) + "\n")
	}
	return out.String()
}

// TestLateApprovalSetsDateOfMail: a mail is dated at the approval, not at the tick, since a mail
// that is four days old when it arrives looks like spam.
func TestLateApprovalSetsDateOfMail(t *testing.T) {
	t.Parallel()
	f := setupFaulty(t, sink.Options{})
	f.addSubscribers(1)
	f.addArticle("ferries")
	f.start()
	draft, err := f.engine.Draft(t.Context(), "weekly", delivery.SendOptions{By: "ann"})
	if err != nil {
		t.Fatal(err)
	}
	f.forward(98 * time.Hour)
	before := f.store.Now().Truncate(time.Second)
	if _, err := f.engine.Approve(t.Context(), draft.ID); err != nil {
		t.Fatal(err)
	}
	f.sent(draft.ID)
	m, err := mail.ReadMessage(strings.NewReader(string(f.server.Mails()[0].Data)))
	if err != nil {
		t.Fatal(err)
	}
	if date, err := m.Header.Date(); err != nil || date.Before(before) || date.After(f.store.Now()) {
		t.Errorf("the mail is dated %v, %v; approved at %v", date, err, before)
	}
}

// TestArticleWithdrawnBeforeApprovalReturnsToQueue checks that the article is in a later edition
// once it is published again.
func TestArticleWithdrawnBeforeApprovalReturnsToQueue(t *testing.T) {
	t.Parallel()
	each(t, sink.Options{}, nil, func(b *env) {
		ctx := b.t.Context()
		b.addSubscribers(1)
		b.addArticle("ferries")
		b.addArticle("bridges")
		b.newDeliveryEngine()
		draft, err := b.engine.Draft(ctx, "weekly", delivery.SendOptions{By: "ann"})
		if err != nil {
			b.t.Fatal(err)
		}
		gone := draft.Articles[0]
		if err := b.store.RemoveArticle(ctx, gone); err != nil {
			b.t.Fatal(err)
		}
		e, err := b.engine.Approve(ctx, draft.ID)
		if err != nil {
			b.t.Fatal(err)
		}
		if e, err = b.store.Edition(ctx, e.ID); err != nil || len(e.Articles) != 1 || e.Articles[0] == gone {
			b.t.Errorf("the edition has %v, %v", e.Articles, err)
		}
		if err := b.store.RestoreArticle(ctx, gone); err != nil {
			b.t.Fatal(err)
		}
		next, err := b.engine.Draft(ctx, "weekly", delivery.SendOptions{By: "ann"})
		if err != nil || len(next.Articles) != 1 || next.Articles[0] != gone {
			b.t.Errorf("the next edition has %v, %v", next.Articles, err)
		}
	})
}

// TestDraftChangedDuringRenderingIsNotApproved: otherwise the frozen edition would differ from the
// stored one.
func TestDraftChangedDuringRenderingIsNotApproved(t *testing.T) {
	t.Parallel()
	each(t, sink.Options{}, nil, func(b *env) {
		ctx := b.t.Context()
		b.addSubscribers(1)
		b.addArticle("ferries")
		b.newDeliveryEngine()
		draft, err := b.engine.Draft(ctx, "weekly", delivery.SendOptions{By: "ann"})
		if err != nil {
			b.t.Fatal(err)
		}
		groups, err := b.store.PreferenceGroups(ctx, "weekly")
		if err != nil {
			b.t.Fatal(err)
		}
		frozen := store.Frozen{Groups: groups, Choice: []int{0}, Reasons: []string{""}, ChunkSize: 10}
		if _, err := frozen.Add(digest.Variant{Subject: draft.Subject}); err != nil {
			b.t.Fatal(err)
		}
		if err := b.store.SetEditionSubject(ctx, draft.ID, "Another subject"); err != nil {
			b.t.Fatal(err)
		}
		if _, err := b.store.Approve(ctx, draft, frozen); err == nil || !strings.Contains(err.Error(), store.ErrDraftChanged.Error()) {
			b.t.Errorf("approved with another subject: %v", err)
		}
	})
}
