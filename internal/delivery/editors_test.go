package delivery_test

import (
	"bytes"
	"errors"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/tidings-press/tidings/internal/delivery"
	"github.com/tidings-press/tidings/internal/digest"
	"github.com/tidings-press/tidings/internal/store"
	"github.com/tidings-press/tidings/internal/testkit"
	"github.com/tidings-press/tidings/internal/testkit/sink"
	"github.com/tidings-press/tidings/internal/testkit/storetest"
)

// editor adds an editor.
func (b *env) editor(email, role string) store.Editor {
	b.t.Helper()
	return storetest.Editor(b.t, b.store, store.Editor{Email: email, Role: store.Role(role)})
}

// waitingDraft waits for a draft that the schedule made, with the given number of articles.
func (b *env) waitingDraft(articles int) store.Edition {
	b.t.Helper()
	var e store.Edition
	b.eventually("a draft by schedule", func() bool {
		var found bool
		var err error
		e, found, err = b.store.WaitingDraft(b.t.Context(), "weekly")
		return err == nil && found && len(e.Articles) == articles
	})
	return e
}

// mailsTo returns the mails to an address.
func (b *env) mailsTo(address string) []string {
	var out []string
	for _, m := range b.server.Mails() {
		if slices.Contains(m.To, address) {
			out = append(out, strings.ReplaceAll(string(m.Data), "=\r\n", "")) // without soft line breaks
		}
	}
	return out
}

// TestDraftIsMailedToEditors checks that the editors whom the setting selects get a mail with a
// link to the draft's page.
func TestDraftIsMailedToEditors(t *testing.T) {
	t.Parallel()
	for notify, want := range map[delivery.Notify][]string{
		delivery.NotifyEditors: {"ann@gazette.example", "owner@gazette.example"},
		delivery.NotifyOwners:  {"owner@gazette.example"},
		delivery.NotifyNone:    nil,
	} {
		t.Run(string(notify), func(t *testing.T) {
			t.Parallel()
			b := setup(t, store.SQLite, sink.Options{})
			b.editor("ann@gazette.example", "editor")
			b.editor("owner@gazette.example", "owner")
			b.editor("writer@gazette.example", "writer") // may not approve, and gets no proof
			gone := b.editor("gone@gazette.example", "owner")
			gone.Disabled = time.Now()
			if err := b.store.UpdateEditor(t.Context(), gone, ""); err != nil {
				t.Fatal(err)
			}
			b.options.Digests[0].Automatic, b.options.Digests[0].Notify, b.options.Digests[0].Schedule = false, notify, secondsSchedule(t)
			b.addSubscribers(1)
			b.addArticle("ferries")
			b.start()
			draft := b.waitingDraft(1)
			b.eventually("the mails to the editors", func() bool { return len(b.server.Mails()) >= 2*len(want) })
			b.stop()
			var mailed []string
			for address := range b.server.Received() {
				mailed = append(mailed, address)
			}
			slices.Sort(mailed)
			if !slices.Equal(mailed, want) {
				t.Errorf("told %q, want %q", mailed, want)
			}
			for _, address := range want {
				if m := b.mailWith(address, "A draft needs your approval"); !strings.Contains(m, "https://gazette.example/admin/editions/"+draft.ID) {
					t.Errorf("the mail to %s:\n%s", address, m)
				}
			}
			if e, err := b.store.Edition(t.Context(), draft.ID); err != nil || e.State != digest.Draft {
				t.Errorf("the draft is %s, %v", e.State, err)
			}
		})
	}
}

// TestArticlesOfLaterTickJoinWaitingDraft checks that drafts do not pile up, that no article is
// lost or sent twice, and that an approval of the earlier content is refused.
func TestArticlesOfLaterTickJoinWaitingDraft(t *testing.T) {
	testkit.Slow(t)
	t.Parallel()
	each(t, sink.Options{}, nil, func(b *env) {
		ctx := b.t.Context()
		b.editor("ann@gazette.example", "editor")
		b.options.Digests[0].Automatic, b.options.Digests[0].Schedule, b.options.Digests[0].Max = false, secondsSchedule(b.t), 3
		b.addSubscribers(2)
		b.addArticle("ferries")
		b.addArticle("bridges")
		b.start()
		first := b.waitingDraft(2)
		if err := b.store.SetEditionSubject(ctx, first.ID, "An editor's own words"); err != nil {
			b.t.Fatal(err)
		}
		shown := b.review(first.ID).Fingerprint
		b.addArticle("harbours")
		joined := b.waitingDraft(3)
		if joined.ID != first.ID || joined.Number != first.Number || joined.Subject != "An editor's own words" || !joined.Created.After(first.Created) {
			b.t.Errorf("joined %+v to %+v", joined.Edition, first.Edition)
		}
		var changed *delivery.ChangedError
		if _, err := b.engine.ApproveUnchanged(ctx, first.ID, shown); !errors.As(err, &changed) || !strings.Contains(err.Error(), "added: “About harbours”") {
			b.t.Errorf("approved content that was not shown: %v", err)
		}
		// The draft is full: with a fourth article, the oldest returns to the queue.
		b.addArticle("lighthouses")
		b.eventually("the oldest article in the queue again", func() bool {
			backlog, err := b.engine.Backlog(ctx, "weekly", time.Time{})
			return err == nil && backlog.Waiting == 1 && backlog.Drafted == 3
		})
		b.eventually("a tick with nothing to add", func() bool {
			ticks, err := b.store.Ticks(ctx, "weekly", 1)
			return err == nil && len(ticks) == 1 && strings.Contains(ticks[0].Reason, "still awaits approval, and there is nothing to add to it")
		})
		b.eventually("the mails to the editor", func() bool { return len(b.mailsTo("ann@gazette.example")) >= 3 })
		if all, err := b.store.Editions(ctx, "weekly", 10); err != nil || len(all) != 1 {
			b.t.Errorf("%d editions, %v", len(all), err)
		}
		review := b.review(first.ID)
		if _, err := b.engine.ApproveUnchanged(ctx, first.ID, review.Fingerprint); err != nil {
			b.t.Fatal(err)
		}
		b.sent(first.ID)
		// The article that was left goes into the next draft, alone.
		second := b.waitingDraft(1)
		if slices.Contains(review.Variant.Articles, second.Articles[0]) {
			b.t.Error("an article is in two editions")
		}
	})
}

// TestWithdrawnArticleOfRunningEditionIsMailedToEditors checks that the withdrawal is reported
// once: in the log, by mail and with the progress.
func TestWithdrawnArticleOfRunningEditionIsMailedToEditors(t *testing.T) {
	t.Parallel()
	each(t, sink.Options{}, nil, func(b *env) {
		ctx := b.t.Context()
		var log lines
		b.options.Log = slog.New(slog.NewTextHandler(&log, nil))
		b.editor("ann@gazette.example", "editor")
		b.addSubscribers(2)
		b.addArticle("ferries")
		b.addArticle("bridges")
		b.newDeliveryEngine()
		e := b.send()
		if err := b.engine.Pause(ctx, e.ID, "a moment"); err != nil {
			b.t.Fatal(err)
		}
		gone := e.Articles[1]
		if err := b.store.RemoveArticle(ctx, gone); err != nil {
			b.t.Fatal(err)
		}
		b.start()
		b.eventually("the mail to the editor", func() bool { return len(b.mailsTo("ann@gazette.example")) == 1 })
		if m := b.mailsTo("ann@gazette.example")[0]; !strings.Contains(m, "Withdrawn, but in a running edition") || !strings.Contains(m, "/admin/editions/"+e.ID) {
			b.t.Errorf("the mail:\n%s", m)
		}
		p, err := b.engine.Progress(ctx, e.ID)
		if err != nil || len(p.Withdrawn) != 1 || p.Withdrawn[0].ID != gone {
			b.t.Errorf("withdrawn %+v, %v", p.Withdrawn, err)
		}
		if !strings.Contains(log.String(), "an article of an approved edition was withdrawn") {
			b.t.Errorf("the log does not mention it:\n%s", log.String())
		}
		if pending, err := b.store.PendingWithdrawalNotices(ctx); err != nil || len(pending) != 0 {
			b.t.Errorf("it would be mailed again: %+v, %v", pending, err)
		}
	})
}

// lines is a log that tests read while it is written.
type lines struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (l *lines) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.Write(p)
}

func (l *lines) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.String()
}

// TestOldDraftsAreDroppedAtStart starts with drafts that an earlier version made, one at each tick:
// the newest is kept, and it gets the articles of the others.
func TestOldDraftsAreDroppedAtStart(t *testing.T) {
	t.Parallel()
	each(t, sink.Options{}, nil, func(b *env) {
		ctx := b.t.Context()
		b.editor("ann@gazette.example", "editor")
		b.options.Digests[0].Automatic = false
		b.newDeliveryEngine()
		var drafts []store.Edition
		for _, slug := range []string{"ferries", "bridges", "harbours"} {
			b.addArticle(slug)
			found, err := b.store.ArticleBySlug(ctx, slug)
			if err != nil {
				b.t.Fatal(err)
			}
			e := store.Edition{Edition: digest.Edition{
				ID: "draft-" + slug, Digest: "weekly", Number: len(drafts) + 1, ScheduledFor: "tick " + slug, State: digest.Draft,
				Subject: "About " + slug, Articles: []string{found.ID}, Created: b.store.Now(),
			}}
			if e, err = b.store.CreateDraft(ctx, e, nil); err != nil {
				b.t.Fatal(err)
			}
			drafts = append(drafts, e)
		}
		b.options.Digests[0].Schedule = secondsSchedule(b.t)
		b.newDeliveryEngine()
		b.run()
		kept := b.waitingDraft(3)
		if kept.ID != drafts[2].ID {
			b.t.Errorf("kept %s, want the newest", kept.ID)
		}
		for _, draft := range drafts[:2] {
			if e, err := b.store.Edition(ctx, draft.ID); err != nil || e.State != digest.Cancelled || !strings.Contains(e.Reason, "returned to the queue") {
				b.t.Errorf("%s is %s (%s), %v", draft.ID, e.State, e.Reason, err)
			}
		}
		b.eventually("a mail about the dropped drafts", func() bool {
			return slices.ContainsFunc(b.mailsTo("ann@gazette.example"), func(m string) bool {
				return strings.Contains(m, "Subject: Older drafts of The week were dropped") && strings.Contains(m, "About ferries") && strings.Contains(m, "About bridges")
			})
		})
	})
}
