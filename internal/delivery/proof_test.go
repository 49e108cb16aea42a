package delivery_test

import (
	"errors"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/tidings-press/tidings/internal/article"
	"github.com/tidings-press/tidings/internal/delivery"
	"github.com/tidings-press/tidings/internal/digest"
	"github.com/tidings-press/tidings/internal/store"
	"github.com/tidings-press/tidings/internal/testkit/sink"
	"github.com/tidings-press/tidings/internal/token"
	"github.com/tidings-press/tidings/internal/words"
)

var proofLink = regexp.MustCompile(`https://gazette\.example/admin/proofs/([A-Za-z0-9_-]+)`)

// mailWith returns the mail to an address whose subject begins with a text.
func (b *env) mailWith(address, subject string) string {
	b.t.Helper()
	var found string
	b.eventually("a mail “"+subject+"” to "+address, func() bool {
		for _, m := range b.mailsTo(address) {
			if strings.Contains(m, "\r\nSubject: "+subject) {
				found = m
			}
		}
		return found != ""
	})
	return found
}

// link returns the token of the link in the proof that an editor got.
func (b *drafting) link(address string) string {
	b.t.Helper()
	found := proofLink.FindStringSubmatch(b.mailWith(address, "A draft needs your approval"))
	if found == nil {
		b.t.Fatal("the proof has no link")
	}
	return found[1]
}

// TestProofIsMailedToEditorsOnly checks what a proof says, that the mail itself comes in each
// language, and that subscribers get nothing.
func TestProofIsMailedToEditorsOnly(t *testing.T) {
	t.Parallel()
	eachDrafting(t, time.Date(2026, 6, 1, 12, 0, 0, 0, time.UTC), func(d *delivery.Definition) { d.Max = 2 }, func(b *drafting) {
		b.editor("owner@gazette.example", "owner")
		b.addArticle("ferries")
		b.clock.advance(time.Minute)
		b.addArticle("bridges")
		b.clock.advance(time.Minute)
		b.editArticle("quais", func(a *article.Article) { a.Language, a.Title = "fr", "Les quais" })
		b.run()
		for _, address := range []string{"ann@gazette.example", "owner@gazette.example"} {
			summary := b.mailWith(address, "A draft needs your approval")
			for _, want := range []string{
				"is sent on Tuesday, 2 June 2026 at 02:30 CEST if an editor approves it before", "1. =E2=80=9CLes quais=E2=80=9D: selected by the digest, published 1 June 2026",
				"goes to 2 subscribers", "1 article waits for a later edition: =E2=80=9CAbout ferries=E2=80=9D", "Check", "/admin/editions/", "#hold",
			} {
				if !strings.Contains(strings.ReplaceAll(summary, "\r\n", " "), want) {
					b.t.Errorf("the proof lacks %q:\n%s", want, summary)
				}
			}
			all := b.mailWith(address, "[Proof, all articles, en] The week")
			if !strings.Contains(all, "About bridges") || !strings.Contains(all, "Les quais") {
				b.t.Errorf("the mail itself:\n%s", all)
			}
			b.mailWith(address, "[Proof, fr] The week")
		}
		b.stop()
		for address := range b.server.Received() {
			if strings.HasPrefix(address, "reader") {
				b.t.Errorf("a subscriber got a proof: %s", address)
			}
		}
		if e := b.editions(1)[0]; e.State != digest.Draft {
			b.t.Errorf("it is %s", e.State)
		}
	})
}

// TestDecidedDraftNeedsNoProof approves a draft before its proof is made.
func TestDecidedDraftNeedsNoProof(t *testing.T) {
	t.Parallel()
	b := newDrafting(setup(t, store.SQLite, sink.Options{}), time.Date(2026, 6, 1, 12, 0, 0, 0, time.UTC), func(d *delivery.Definition) {})
	b.addArticle("ferries")
	b.tickOver()
	draft := b.editions(1)[0]
	b.approveAs(draft.ID, delivery.CommandLine, digest.Approved)
	b.run()
	b.eventually("the end of the job", func() bool {
		n, err := b.store.OpenJobs(t.Context(), "proof", "", 5)
		return err == nil && n == 0
	})
	if n := b.mailsQueued("A draft needs your approval"); n != 0 {
		t.Errorf("%d proofs of an approved edition", n)
	}
}

// TestProofLinkIsBoundToEditorAndDraft checks what a link still opens after changes of the editor.
func TestProofLinkIsBoundToEditorAndDraft(t *testing.T) {
	t.Parallel()
	b := newDrafting(setup(t, store.SQLite, sink.Options{}), time.Date(2026, 6, 1, 12, 0, 0, 0, time.UTC), func(d *delivery.Definition) {})
	ctx := t.Context()
	b.addArticle("ferries")
	b.run()
	link := b.link("ann@gazette.example")
	b.stop()
	draft := b.editions(1)[0]
	read, err := b.engine.ReadProofLink(ctx, link)
	if err != nil || read.Edition != draft.ID || read.Editor.Email != "ann@gazette.example" {
		t.Fatalf("the link reads as %+v, %v", read, err)
	}
	ann := read.Editor
	for name, change := range map[string]func(e *store.Editor){
		"a disabled editor":    func(e *store.Editor) { e.Disabled = b.clock.Now() },
		"another password":     func(e *store.Editor) { e.Password = "another" },
		"the role of a writer": func(e *store.Editor) { e.Role = store.WriterRole },
		"another address":      func(e *store.Editor) { e.Email = "ann@elsewhere.example" },
	} {
		changed := ann
		change(&changed)
		if err := b.store.UpdateEditor(ctx, changed, ""); err != nil {
			t.Fatal(err)
		}
		if _, err := b.engine.ReadProofLink(ctx, link); !errors.Is(err, token.ErrInvalid) {
			t.Errorf("after %s: %v", name, err)
		}
	}
	if err := b.store.UpdateEditor(ctx, ann, ""); err != nil {
		t.Fatal(err)
	}
	for _, wrong := range []string{"", "x", link[:len(link)-1] + "A", b.options.Keys.Sign(token.Unsubscribe, [16]byte{1}, "weekly", draft.ID)} {
		if wrong == link {
			continue
		}
		if _, err := b.engine.ReadProofLink(ctx, wrong); !errors.Is(err, token.ErrInvalid) {
			t.Errorf("%q: %v", wrong, err)
		}
	}
	b.clock.now.Store(draft.SendAt.Add(7*24*time.Hour + time.Second).UnixMilli())
	if _, err := b.engine.ReadProofLink(ctx, link); !errors.Is(err, token.ErrExpired) {
		t.Errorf("a week after its tick: %v", err)
	}
}

// TestLinkAloneDoesNotApproveForTwo: a forwarded proof must not make two editors of one person.
func TestLinkAloneDoesNotApproveForTwo(t *testing.T) {
	t.Parallel()
	twoEditors(t, func(b *drafting, draft store.Edition, ann, bob delivery.Approver) {
		ctx, shown := b.t.Context(), b.review(draft.ID).Fingerprint
		b.run()
		for i, address := range []string{ann.Name, bob.Name} {
			link, err := b.engine.ReadProofLink(ctx, b.link(address))
			if err != nil {
				b.t.Fatal(err)
			}
			if _, err := b.engine.ApproveByLink(ctx, link, false, shown); !errors.Is(err, delivery.ErrSignIn) {
				b.t.Errorf("approved by a link alone: %v", err)
			}
			e, err := b.engine.ApproveByLink(ctx, link, true, shown)
			if want := []digest.State{digest.Draft, digest.Approved}[i]; err != nil || e.State != want {
				b.t.Errorf("approved by %s, it is %s, %v", address, e.State, err)
			}
		}
	})
}

// TestOfferedArticleIsTakenByEditor also checks that the proof says which articles came after the
// draft.
func TestOfferedArticleIsTakenByEditor(t *testing.T) {
	t.Parallel()
	b := newDrafting(setup(t, store.SQLite, sink.Options{}), time.Date(2026, 6, 1, 12, 0, 0, 0, time.UTC), func(d *delivery.Definition) {})
	ctx := t.Context()
	b.addArticle("ferries")
	b.tickOver()
	draft := b.editions(1)[0]
	b.clock.advance(time.Hour)
	b.addArticle("bridges")
	proof, err := b.engine.Proof(ctx, draft.ID)
	if err != nil || len(proof.Offered) != 1 || !proof.Offered[0].New || len(proof.Contents) != 1 {
		t.Fatalf("offered %+v, %v", proof.Offered, err)
	}
	if err := b.engine.TakeOffered(ctx, draft.ID, proof.Offered[0].ID, "ann@gazette.example"); err != nil {
		t.Fatal(err)
	}
	proof, err = b.engine.Proof(ctx, draft.ID)
	if err != nil || len(proof.Offered) != 0 || len(proof.Contents) != 2 || !strings.Contains(words.List(proof.Reasons...).String(), "added by an editor") {
		t.Errorf("after that %d in it, %q, offered %d, %v", len(proof.Contents), proof.Reasons, len(proof.Offered), err)
	}
}
