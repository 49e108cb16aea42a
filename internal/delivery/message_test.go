package delivery_test

import (
	"bytes"
	"errors"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"net/mail"
	"path"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/tidings-press/tidings/internal/article"
	"github.com/tidings-press/tidings/internal/delivery"
	"github.com/tidings-press/tidings/internal/digest"
	"github.com/tidings-press/tidings/internal/store"
	"github.com/tidings-press/tidings/internal/subscriber"
	"github.com/tidings-press/tidings/internal/testkit"
	"github.com/tidings-press/tidings/internal/testkit/sink"
	"github.com/tidings-press/tidings/internal/testkit/storetest"
	"github.com/tidings-press/tidings/mailer"
)

// withDaily adds a second digest.
func withDaily(o *delivery.Options) {
	o.Digests = append(o.Digests, delivery.Definition{
		Definition: digest.Definition{Name: "daily", Title: "The day"}, From: mailer.Address{Email: "daily@gazette.example"}, Max: 20, Automatic: true,
	})
}

// addPerson adds a subscriber of some digests and returns their id.
func (b *env) addPerson(name, mailLanguage string, digests ...string) int64 {
	b.t.Helper()
	p, err := b.store.AddSubscriber(b.t.Context(), subscriber.Subscriber{
		Address: subscriber.MustParseAddress(name + "@example.org"), State: subscriber.Active, MailLanguage: mailLanguage,
	})
	if err != nil {
		b.t.Fatal(err)
	}
	for _, name := range digests {
		if err := b.store.Subscribe(b.t.Context(), p.ID, name, nil); err != nil {
			b.t.Fatal(err)
		}
	}
	return p.ID
}

// letter is a message to the subscribers of digests.
func letter(digests ...string) delivery.Message {
	return delivery.Message{
		Audience: digest.Audience{Digests: digests}, Subject: "We are moving",
		Text: map[string]string{"": "Our office **moves** to the quay."},
	}
}

func (b *env) newMessage(m delivery.Message) store.Edition {
	b.t.Helper()
	e, err := b.engine.NewMessage(b.t.Context(), "ann", m)
	if err != nil {
		b.t.Fatal(err)
	}
	return e
}

func (b *env) sendMessage(m delivery.Message) store.Edition {
	b.t.Helper()
	e, err := b.engine.Approve(b.t.Context(), b.newMessage(m).ID)
	if err != nil {
		b.t.Fatal(err)
	}
	return e
}

// mailTo returns the header of the only mail to a subscriber.
func (b *env) mailTo(name string) mail.Header {
	b.t.Helper()
	for _, m := range b.server.Mails() {
		if m.To[0] != name+"@example.org" {
			continue
		}
		parsed, err := mail.ReadMessage(strings.NewReader(string(m.Data)))
		if err != nil {
			b.t.Fatal(err)
		}
		return parsed.Header
	}
	b.t.Fatalf("%s has no mail", name)
	return nil
}

// unsubscribesFrom returns the digest that the link in List-Unsubscribe names.
func (b *env) unsubscribesFrom(header mail.Header) string {
	b.t.Helper()
	link, _, _ := strings.Cut(strings.TrimPrefix(header.Get("List-Unsubscribe"), "<"), ">")
	claim, err := b.options.Keys.Verify(path.Base(link))
	if err != nil {
		b.t.Fatal(err)
	}
	return claim.Digest
}

func TestMessageGoesOnceToSubscribersOfSeveralDigests(t *testing.T) {
	t.Parallel()
	each(t, sink.Options{}, withDaily, func(b *env) {
		b.addPerson("both", "", "daily", "weekly")
		b.addPerson("weekly", "", "weekly")
		moved := b.addPerson("moved", "", "weekly", "daily")
		b.addPerson("other", "")
		if err := b.store.Unsubscribe(b.t.Context(), moved, "weekly"); err != nil {
			b.t.Fatal(err)
		}
		b.start()
		draft := b.newMessage(letter("weekly", "daily"))
		review, err := b.engine.Review(b.t.Context(), draft.ID)
		if err != nil || review.Recipients.Count != 3 || review.From != "The Gazette <editor@gazette.example>" {
			b.t.Fatalf("%+v from %s, %v", review.Recipients, review.From, err)
		}
		approved, err := b.engine.ApproveUnchanged(b.t.Context(), draft.ID, review.Fingerprint)
		if err != nil || approved.Number != 1 || approved.Recipients.Count != 3 {
			b.t.Fatalf("%+v, %v", approved, err)
		}
		b.sent(draft.ID)
		b.wantOneMailEach(3)
		for name, want := range map[string]string{"both": "weekly", "weekly": "weekly", "moved": "daily"} {
			header := b.mailTo(name)
			if got := b.unsubscribesFrom(header); got != want {
				b.t.Errorf("the mail to %s unsubscribes from %s, want %s", name, got, want)
			}
			if header.Get("Subject") != "We are moving" || !strings.Contains(header.Get("List-Id"), "weekly.") {
				b.t.Errorf("headers %v", header)
			}
		}
	})
}

func TestMessageSkipsSubscribersWhoLeft(t *testing.T) {
	t.Parallel()
	each(t, sink.Options{}, withDaily, func(b *env) {
		b.addPerson("stays", "", "weekly")
		leaves := b.addPerson("leaves", "", "weekly", "daily")
		pauses := b.addPerson("pauses", "", "daily")
		second := b.addPerson("second", "", "daily")
		b.newDeliveryEngine()
		e := b.sendMessage(letter("weekly", "daily"))
		// They leave after the approval and before the mails are sent.
		err := errors.Join(b.store.Unsubscribe(b.t.Context(), leaves, "weekly"), b.store.SetState(b.t.Context(), pauses, subscriber.Paused, ""),
			b.store.Unsubscribe(b.t.Context(), second, "daily"))
		if err != nil {
			b.t.Fatal(err)
		}
		b.run()
		b.sent(e.ID)
		b.wantOneMailEach(1)
		skipped, err := b.store.SkipCounts(b.t.Context(), e.Seq)
		if want := "[{unsubscribed 2} {paused 1}]"; err != nil || fmt.Sprint(skipped) != want {
			b.t.Errorf("skipped: %v, %v; want %s", skipped, err, want)
		}
		if p, err := b.engine.Progress(b.t.Context(), e.ID); err != nil || p.Counts.Skipped != 3 || p.Counts.Sent != 1 {
			b.t.Errorf("%+v, %v", p.Counts, err)
		}
	})
}

func TestMailToUnsubscribeEndsSubscriptionOfMessage(t *testing.T) {
	t.Parallel()
	each(t, sink.Options{}, withDaily, func(b *env) {
		id := b.addPerson("ann", "", "daily")
		b.start()
		e := b.sendMessage(letter("weekly", "daily"))
		b.sent(e.ID)
		feedback := store.Feedback{Key: "k", Subscriber: id, Edition: e.ID, Kind: store.FeedbackUnsubscribed, Source: "smtp", At: b.store.Now()}
		if _, err := b.store.RecordFeedback(b.t.Context(), feedback, store.SoftRule{}); err != nil {
			b.t.Fatal(err)
		}
		if left, err := b.store.Subscriptions(b.t.Context(), id); err != nil || len(left) > 0 {
			b.t.Errorf("still subscribed: %v, %v", left, err)
		}
	})
}

func TestMessageTakesNoArticleFromQueue(t *testing.T) {
	t.Parallel()
	each(t, sink.Options{}, nil, func(b *env) {
		b.addPerson("ann", "", "weekly")
		b.addArticle("ferries")
		b.start()
		preview, err := b.engine.Preview(b.t.Context(), "weekly", delivery.PreviewOptions{})
		if err != nil {
			b.t.Fatal(err)
		}
		m := letter("weekly")
		m.Articles = preview.Articles
		message := b.sendMessage(m)
		b.sent(message.ID)
		edition := b.send()
		b.sent(edition.ID)
		if len(message.Articles) != 1 || len(edition.Articles) != 1 || edition.Articles[0] != message.Articles[0] || edition.Number != 2 {
			b.t.Errorf("the message has %v, the edition %d has %v", message.Articles, edition.Number, edition.Articles)
		}
		cancelled := b.newMessage(m)
		if err := b.engine.Cancel(b.t.Context(), cancelled.ID, ""); err != nil {
			b.t.Fatal(err)
		}
		if _, err := b.engine.SendNow(b.t.Context(), "weekly", "ann"); !errors.Is(err, delivery.ErrNothingNew) {
			b.t.Errorf("a cancelled message gave an article to the queue: %v", err)
		}
	})
}

func TestMessageIsSentInLanguageOfSubscriber(t *testing.T) {
	t.Parallel()
	b := setup(t, store.SQLite, sink.Options{})
	b.addPerson("ann", "en", "weekly")
	b.addPerson("bob", "fr", "weekly")
	b.addPerson("cem", "tr", "weekly")
	b.start()
	m := letter("weekly")
	m.Text["fr"] = "Notre bureau déménage."
	e := b.sendMessage(m)
	b.sent(e.ID)
	b.wantOneMailEach(3)
	if n := e.Recipients.Count; n != 3 {
		t.Errorf("%d recipients", n)
	}
	var keys []string
	for number := range 2 {
		v, err := b.store.Variant(t.Context(), e.Seq, number)
		if err != nil {
			t.Fatal(err)
		}
		keys = append(keys, v.Key+" "+v.Language)
	}
	if got := fmt.Sprint(keys); got != "[ en m=fr fr]" {
		t.Errorf("variants %s", got)
	}
}

func TestInvalidMessageGivesReason(t *testing.T) {
	t.Parallel()
	b := setup(t, store.SQLite, sink.Options{})
	b.newDeliveryEngine()
	for want, change := range map[string]func(m *delivery.Message){
		"at least one digest":                        func(m *delivery.Message) { m.Audience.Digests = nil },
		`unknown digest "monthly"`:                   func(m *delivery.Message) { m.Audience.Digests = []string{"weekly", "monthly"} },
		"named twice":                                func(m *delivery.Message) { m.Audience.Digests = []string{"weekly", "weekly"} },
		"unknown condition":                          func(m *delivery.Message) { m.Audience.Segment = "everyone" },
		`no active subscriber has the label "doner"`: func(m *delivery.Message) { m.Audience.Segment = "label:doner" },
		"has no subject":                             func(m *delivery.Message) { m.Subject = " \n " },
		"has no text":                                func(m *delivery.Message) { m.Text = map[string]string{"": " \n"} },
		`has no text in "en"`:                        func(m *delivery.Message) { m.Text = map[string]string{"fr": "Bonjour"} },
		"no article with the id":                     func(m *delivery.Message) { m.Articles = []string{"a1"} },
		`no mail template "none"`:                    func(m *delivery.Message) { m.Audience.Template = "none" },
		"at most 500":                                func(m *delivery.Message) { m.Subject = strings.Repeat("a", 501) },
	} {
		m := letter("weekly")
		change(&m)
		if _, err := b.engine.NewMessage(t.Context(), "ann", m); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %s", err, want)
		}
	}
	if all, err := b.store.Messages(t.Context(), 10); err != nil || len(all) > 0 {
		t.Errorf("stored %v, %v", all, err)
	}
	e := b.newMessage(letter("weekly"))
	if _, err := b.engine.Approve(t.Context(), e.ID); !errors.Is(err, delivery.ErrNoRecipients) {
		t.Errorf("a message without recipients was approved: %v", err)
	}
	if e, err := b.store.Edition(t.Context(), e.ID); err != nil || e.State != digest.Draft {
		t.Errorf("%s, %v", e.State, err)
	}
}

func TestEditedMessageMustBeShownAgain(t *testing.T) {
	t.Parallel()
	each(t, sink.Options{}, withDaily, func(b *env) {
		b.addPerson("ann", "", "weekly")
		b.addPerson("bob", "", "daily")
		b.newDeliveryEngine()
		draft := b.newMessage(letter("weekly"))
		for name, change := range map[string]func(m *delivery.Message){
			"subject":   func(m *delivery.Message) { m.Subject += "!" },
			"text":      func(m *delivery.Message) { m.Text = map[string]string{"": m.Text[""] + "!"} },
			"preheader": func(m *delivery.Message) { m.Preheader += "!" },
			"digests":   func(m *delivery.Message) { m.Audience.Digests = append([]string{"daily"}, m.Audience.Digests...)[:2] },
			"segment":   func(m *delivery.Message) { m.Audience.Segment = "lang:en" },
		} {
			m, err := delivery.MessageOf(draft)
			if err != nil {
				b.t.Fatal(err)
			}
			shown, err := b.engine.Review(b.t.Context(), draft.ID)
			if err != nil {
				b.t.Fatal(err)
			}
			change(&m)
			edited, err := b.engine.EditMessage(b.t.Context(), draft, m)
			if err != nil {
				b.t.Fatalf("%s: %v", name, err)
			}
			var changed *delivery.ChangedError
			if _, err := b.engine.ApproveUnchanged(b.t.Context(), draft.ID, shown.Fingerprint); !errors.As(err, &changed) {
				b.t.Errorf("%s: approved though it changed: %v", name, err)
			}
			if _, err := b.engine.EditMessage(b.t.Context(), draft, m); !errors.Is(err, store.ErrDraftChanged) {
				b.t.Errorf("%s: a second edit of the old draft: %v", name, err)
			}
			if draft, err = b.store.Edition(b.t.Context(), draft.ID); err != nil || draft.Subject != edited.Subject || draft.Audience != edited.Audience {
				b.t.Fatalf("%s: stored %+v, %v", name, draft, err)
			}
		}
		if draft.Digest != "daily" || draft.Number != 1 {
			b.t.Errorf("number %d of %s", draft.Number, draft.Digest)
		}
	})
}

func TestMessageNeedsTheApprovalsOfItsStrictestDigest(t *testing.T) {
	t.Parallel()
	b := setup(t, store.SQLite, sink.Options{})
	withDaily(&b.options)
	b.options.Digests[1].Automatic, b.options.Digests[1].Approvers = false, 2
	b.addPerson("ann", "", "weekly")
	b.newDeliveryEngine()
	draft := b.newMessage(letter("weekly", "daily"))
	shown := b.review(draft.ID).Fingerprint
	var needs *delivery.NeedsEditorError
	if _, err := b.engine.ApproveAs(t.Context(), draft.ID, delivery.CommandLine, shown); !errors.As(err, &needs) || needs.Count != 2 {
		t.Errorf("approved by the command line: %v", err)
	}
	for i, want := range []digest.State{digest.Draft, digest.Approved} {
		editor := b.editor(fmt.Sprintf("editor%d@gazette.example", i), "owner")
		if e, err := b.engine.ApproveAs(t.Context(), draft.ID, delivery.Approver{Editor: editor.ID, Name: editor.Email}, shown); err != nil || e.State != want {
			t.Errorf("approval %d: %s, %v; want %s", i+1, e.State, err, want)
		}
	}
}

func TestCrashDuringMessageLosesNoRecipient(t *testing.T) {
	testkit.Slow(t)
	t.Parallel()
	b := setup(t, storetest.Engines[0], sink.Options{Delay: 2 * time.Millisecond})
	withDaily(&b.options)
	b.crash(true, func() store.Edition { return b.sendMessage(letter("daily", "weekly")) })
}

func TestMessageShowsItsTextInBothParts(t *testing.T) {
	t.Parallel()
	b := setup(t, store.SQLite, sink.Options{})
	var drawing bytes.Buffer
	if err := png.Encode(&drawing, image.NewPaletted(image.Rect(0, 0, 90, 30), color.Palette{color.White})); err != nil {
		t.Fatal(err)
	}
	medium := article.Medium{Name: strings.Repeat("b", 64) + ".png", Type: "image/png", Data: drawing.Bytes()}
	about := article.Article{Source: "about", Slug: "about", Title: "About us", HTML: "<p>x</p>", Status: article.Published, Published: b.store.Now(), Hash: "x"}
	if _, err := b.store.PutArticle(t.Context(), &about, nil, []article.Medium{medium}); err != nil {
		t.Fatal(err)
	}
	b.newDeliveryEngine()
	m := letter("weekly")
	m.Text[""] = "Our office **moves** to [the quay](/quay), {{.Secret}}.<script>alert(1)</script>\n\n![The quay](/media/" + medium.Name + ")"
	for _, public := range []bool{true, false} {
		m.Audience.Public = public
		shown, err := b.engine.PreviewEdition(t.Context(), b.newMessage(m).ID)
		if err != nil {
			t.Fatal(err)
		}
		for _, want := range []string{
			"<strong>moves</strong>", `href="https://gazette.example/quay"`, `src="https://gazette.example/media/`, "{{.Secret}}",
			shown.Placeholders.Name, shown.Placeholders.Unsubscribe,
		} {
			if !strings.Contains(shown.HTML, want) {
				t.Errorf("the HTML part has no %s\n%s", want, shown.HTML)
			}
		}
		if strings.Contains(shown.HTML, "alert(1)") {
			t.Error("the HTML part has a script")
		}
		if !strings.Contains(shown.Text, "https://gazette.example/quay") || !strings.Contains(shown.Text, "office") {
			t.Errorf("the text part lacks the text\n%s", shown.Text)
		}
		if !regexp.MustCompile(`>\s*Our office moves to the quay, {{.Secret}}\.`).MatchString(shown.HTML) {
			t.Errorf("the line beside the subject is not the beginning of the text\n%s", shown.HTML)
		}
		for name, part := range map[string]string{"HTML": shown.HTML, "text": shown.Text} {
			if got := strings.Contains(part, shown.Placeholders.Web); got != public {
				t.Errorf("public %v: the %s part links to the page: %v", public, name, got)
			}
		}
	}
}
