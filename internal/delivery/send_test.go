package delivery_test

import (
	"bytes"
	"io"
	"strings"
	"testing"

	"github.com/emersion/go-message/mail"

	"github.com/tidings-press/tidings/internal/delivery"
	"github.com/tidings-press/tidings/internal/digest"
	"github.com/tidings-press/tidings/internal/store"
	"github.com/tidings-press/tidings/internal/testkit/sink"
)

func TestEditionReachesEverySubscriberOnce(t *testing.T) {
	t.Parallel()
	each(t, sink.Options{}, nil, func(b *env) {
		b.addSubscribers(300)
		b.addArticle("ferries")
		b.start()
		e := b.send()
		p := b.sent(e.ID)
		if p.Counts != (store.DeliveryCounts{Total: 300, Sent: 300}) {
			b.t.Errorf("counts %+v", p.Counts)
		}
		b.wantOneMailEach(300)
		b.checkMails(e)
	})
}

// checkMails parses every mail and checks its headers and parts.
func (b *env) checkMails(e store.Edition) {
	b.t.Helper()
	ids := map[string]bool{}
	for _, m := range b.server.Mails() {
		r, err := mail.CreateReader(bytes.NewReader(m.Data))
		if err != nil {
			b.t.Fatalf("%v in:\n%s", err, m.Data)
		}
		h := r.Header
		to, _ := h.AddressList("To")
		if len(to) != 1 || len(m.To) != 1 || to[0].Address != m.To[0] {
			b.t.Errorf("header To %v, envelope %v", to, m.To)
		}
		id, _ := h.MessageID()
		if id == "" || ids[id] {
			b.t.Errorf("Message-ID %q is empty or used twice", id)
		}
		ids[id] = true
		for name, want := range map[string]string{
			"List-Unsubscribe": "<https://gazette.example/unsubscribe/", "List-Unsubscribe-Post": "List-Unsubscribe=One-Click", "List-Id": "weekly.gazette.example",
			"Precedence": "bulk", "Auto-Submitted": "auto-generated", "Subject": e.Subject,
		} {
			if got := h.Get(name); !strings.Contains(got, want) {
				b.t.Errorf("header %s is %q, want it to contain %q", name, got, want)
			}
		}
		b.checkParts(r, strings.TrimSuffix(strings.TrimPrefix(m.To[0], "reader"), "@example.org"))
	}
}

func (b *env) checkParts(r *mail.Reader, number string) {
	b.t.Helper()
	for parts := 0; ; parts++ {
		part, err := r.NextPart()
		if err == io.EOF {
			if parts != 2 {
				b.t.Errorf("%d parts, want text and HTML", parts)
			}
			return
		}
		if err != nil {
			b.t.Fatal(err)
		}
		body, err := io.ReadAll(part.Body)
		if err != nil {
			b.t.Fatal(err)
		}
		for _, want := range []string{"About ferries", "https://gazette.example/unsubscribe/"} {
			if !strings.Contains(string(body), want) {
				b.t.Errorf("subscriber %s: %q is missing in:\n%s", number, want, body)
			}
		}
	}
}

func TestPauseResumeAndCancelTakeEffectWithinOneMailPerConnection(t *testing.T) {
	t.Parallel()
	each(t, sink.Options{Delay: 5e6}, nil, func(b *env) {
		b.addSubscribers(300)
		b.addArticle("ferries")
		b.start()
		e := b.send()
		b.untilProgress(e.ID, "under way", func(p delivery.Progress) bool { return p.Counts.Sent > 20 })
		if err := b.engine.Pause(b.t.Context(), e.ID, "a wrong headline"); err != nil {
			b.t.Fatal(err)
		}
		atPause := len(b.server.Mails())
		p := b.untilProgress(e.ID, "at rest", func(p delivery.Progress) bool { return p.Counts.Sent == int64(len(b.server.Mails())) })
		if more := int(p.Counts.Sent) - atPause; more > 4 || p.Edition.State != digest.Paused {
			b.t.Errorf("%d mails were sent after the pause, over 4 connections; the edition is %s", more, p.Edition.State)
		}
		if err := b.engine.Resume(b.t.Context(), e.ID); err != nil {
			b.t.Fatal(err)
		}
		b.untilProgress(e.ID, "sending again", func(q delivery.Progress) bool { return q.Counts.Sent > p.Counts.Sent+20 })
		if err := b.engine.Cancel(b.t.Context(), e.ID, "a wrong article"); err != nil {
			b.t.Fatal(err)
		}
		p = b.untilProgress(e.ID, "settled", func(p delivery.Progress) bool { return p.Counts.Open() == 0 })
		if p.Counts.Sent+p.Counts.Skipped != 300 || p.Counts.Skipped == 0 || p.Counts.Sent != int64(len(b.server.Mails())) {
			b.t.Errorf("counts %+v, received %d", p.Counts, len(b.server.Mails()))
		}
	})
}

func TestStoppedNodeReleasesItsChunks(t *testing.T) {
	t.Parallel()
	each(t, sink.Options{Delay: 2e6}, nil, func(b *env) {
		b.addSubscribers(300)
		b.addArticle("ferries")
		b.start()
		e := b.send()
		b.untilProgress(e.ID, "under way", func(p delivery.Progress) bool { return p.Counts.Sent > 50 })
		b.stop()
		p := b.untilProgress(e.ID, "settled", func(p delivery.Progress) bool { return true })
		if p.Counts.Sent != int64(len(b.server.Mails())) || p.Counts.Uncertain != 0 {
			b.t.Errorf("after a stop: %+v, received %d", p.Counts, len(b.server.Mails()))
		}
		b.start()
		b.sent(e.ID)
		b.wantOneMailEach(300)
	})
}

func TestSubjectShowsEditionNumber(t *testing.T) {
	t.Parallel()
	b := setup(t, store.SQLite, sink.Options{})
	b.options.Digests[0].Subject = "No {{.Edition.Number}}: {{.First.Title}}"
	b.addSubscribers(1)
	b.addArticle("ferries")
	b.start()
	first := b.send()
	b.sent(first.ID)
	b.addArticle("swifts")
	second := b.send()
	b.sent(second.ID)
	for e, want := range map[string]string{first.Subject: "No 1: About ferries", second.Subject: "No 2: About swifts"} {
		if e != want {
			t.Errorf("subject %q, want %q", e, want)
		}
	}
	mails := b.server.Mails()
	if len(mails) != 2 || !bytes.Contains(mails[1].Data, []byte("Subject: No 2: About swifts\r\n")) {
		t.Errorf("%d mails, the last:\n%.600s", len(mails), mails[len(mails)-1].Data)
	}
}
