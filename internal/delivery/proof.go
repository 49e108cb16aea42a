package delivery

import (
	"context"
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/tidings-press/tidings/internal/article"
	"github.com/tidings-press/tidings/internal/digest"
	"github.com/tidings-press/tidings/internal/lint"
	"github.com/tidings-press/tidings/internal/store"
	"github.com/tidings-press/tidings/internal/token"
	"github.com/tidings-press/tidings/internal/words"
)

// Proof is what editors need to decide on a draft.
type Proof struct {
	Review
	Decision
	Title    string         // of the digest
	Reasons  []words.Text   // why each of the Contents is in the draft
	Offered  []Offer        // articles that wait and are not in it, the newest first
	Backlog  Backlog        // of the digest
	Findings []lint.Finding // of the check

	at time.Time // when it was made
}

// Offer is an article that waits for a later edition than a draft.
type Offer struct {
	article.Article
	New bool // it came after the draft was made
}

// Ahead reports whether the tick of the draft is still to come.
func (p Proof) Ahead() bool { return p.Edition.SendAt.After(p.at) }

// maxOffered bounds how many articles a proof offers.
const maxOffered = 20

// Proof returns the proof of a draft as it would be sent if it were approved now. It changes
// nothing. It returns a *store.StateError for an edition that is not a draft.
func (e *Engine) Proof(ctx context.Context, id string) (Proof, error) { return e.proof(ctx, id, nil) }

// proof is Proof with a check that may ask other sites and spam filters. online limits that; nil
// asks none.
func (e *Engine) proof(ctx context.Context, id string, online context.Context) (Proof, error) {
	review, err := e.Review(ctx, id)
	if err != nil {
		return Proof{Review: review}, err
	}
	out := Proof{Review: review, at: e.Store.Now()}
	def, err := e.definition(review.Edition.Digest)
	if err != nil {
		return out, err
	}
	out.Title = def.Title.In("en")
	if out.Decision, err = e.Decision(ctx, review); err != nil {
		return out, err
	}
	if out.Findings, err = e.check(ctx, review.Edition, online); err != nil || review.Edition.IsMessage() {
		return out, err
	}
	state, err := e.Store.DigestState(ctx, def.Name)
	if err != nil {
		return out, err
	}
	for i := range review.Contents {
		out.Reasons = append(out.Reasons, e.reasonFor(def, state, review.Edition, &review.Contents[i]))
	}
	w := e.waiting(def, state, selection{})
	if out.Backlog, err = e.backlog(ctx, def, w); err != nil {
		return out, err
	}
	w.Limit = maxOffered
	found, err := e.Store.WaitingArticles(ctx, w)
	for i := range found {
		out.Offered = append(out.Offered, Offer{found[i], found[i].Ingested.After(review.Edition.Created)})
	}
	return out, err
}

// reasonFor describes for editors why an article is in a draft.
func (e *Engine) reasonFor(def *Definition, state store.DigestState, draft store.Edition, a *article.Article) words.Text {
	published := words.Date(timeIn(def, a.Published))
	switch {
	case slices.Contains(draft.Edits.Added, a.ID):
		return words.T("added by an editor")
	case !def.Filter.Match(a):
		return words.T("no longer selected by the digest, published {0}", published)
	case a.Published.Before(state.Since):
		return words.T("imported late, on {0}, published {1}", words.Date(timeIn(def, a.Ingested)), published)
	}
	return words.T("selected by the digest, published {0}", published)
}

// approvalsText describes how many approvals a draft has.
func (p Proof) approvalsText() words.Text {
	if p.Needed == 1 {
		return words.T("It needs the approval of one editor.")
	}
	if len(p.Approvals) == 0 {
		return words.T("It needs the approval of {0} different editors, of whom {1} approved this content.", p.Needed, 0)
	}
	var names []string
	for _, a := range p.Approvals {
		names = append(names, a.Name)
	}
	return words.T("It needs the approval of {0} different editors, of whom {1} approved this content: {2}.", p.Needed, len(names), strings.Join(names, ", "))
}

// proofLinkFor is how long the link of a proof works after the edition's tick, or after the mail if
// there is none.
const proofLinkFor = 7 * 24 * time.Hour

// proofPath returns the path of the page with which one editor decides on a draft without signing
// in.
func (e *Engine) proofPath(editor store.Editor, draft store.Edition) string {
	from := e.Store.Now()
	if draft.SendAt.After(from) {
		from = draft.SendAt
	}
	return "/admin/proofs/" + e.Keys.SignProof(editor.ID, boundTo(editor), draft.ID, from.Add(proofLinkFor))
}

// boundTo returns what the links in an editor's proofs depend on: with another address or password
// they stop working.
func boundTo(editor store.Editor) string { return editor.Email + "\x00" + editor.Password }

// ProofLink is the meaning of a link in a proof.
type ProofLink struct {
	Editor  store.Editor
	Edition string
}

// ReadProofLink returns what the token of a link means. It returns token.ErrInvalid, also if the
// editor was disabled, may not approve any more or has another address or password now, or
// token.ErrExpired.
func (e *Engine) ReadProofLink(ctx context.Context, text string) (ProofLink, error) {
	claim, err := e.Keys.Verify(text)
	if err == nil && (claim.Purpose != token.Proof || claim.Person.Row == 0) {
		err = token.ErrInvalid
	}
	if err != nil {
		return ProofLink{}, err
	}
	editor, err := e.Store.EditorByID(ctx, claim.Person.Row)
	if errors.Is(err, store.ErrNotFound) || err == nil && (!editor.Disabled.IsZero() || !editor.Role.MayApprove()) {
		err = token.ErrInvalid
	}
	if err != nil {
		return ProofLink{}, err
	}
	return ProofLink{Editor: editor, Edition: claim.Edition}, claim.CheckProof(boundTo(editor), e.Store.Now())
}

// NeedsSignIn reports whether the link of a proof is not enough to approve a draft. A proof may be
// forwarded; a link would then let one person approve as two.
func (e *Engine) NeedsSignIn(draft store.Edition) bool {
	def, err := e.definition(draft.Digest)
	return err != nil || e.approversOf(def, draft) > 1
}

// ApproveByLink approves a draft with the link of a proof, as ApproveAs does. signedIn reports
// whether the editor of the link is signed in too.
func (e *Engine) ApproveByLink(ctx context.Context, link ProofLink, signedIn bool, was Fingerprint) (store.Edition, error) {
	draft, err := e.Store.Edition(ctx, link.Edition)
	if err == nil && !signedIn && e.NeedsSignIn(draft) {
		err = ErrSignIn
	}
	if err != nil {
		return draft, err
	}
	return e.ApproveAs(ctx, link.Edition, Approver{Editor: link.Editor.ID, Name: link.Editor.Email, Undo: e.Policy.Undo}, was)
}

// ErrSignIn refuses an approval by a link alone.
var ErrSignIn = errors.New("sign in to approve this edition: it needs two different editors, and a link could have been forwarded")

// TakeOffered adds an offered article to a draft. by is the editor.
func (e *Engine) TakeOffered(ctx context.Context, id, articleID, by string) error {
	c, err := e.Composition(ctx, id, by, "")
	if err == nil {
		err = e.Add(ctx, c, articleID)
	}
	if err != nil {
		return err
	}
	return e.Compose(ctx, c)
}

// proofVariants returns the mails of a draft in each language, for an editor.
func (e *Engine) proofVariants(ctx context.Context, draft store.Edition, editor store.Editor) ([]digest.Variant, error) {
	input, err := e.inputOf(ctx, draft)
	if err != nil {
		return nil, err
	}
	variants, err := e.variantsWithoutTopics(input, nil)
	var out []digest.Variant
	for _, v := range variants {
		// No link in it belongs to a subscriber.
		v = v.Fill(digest.Placeholders{Name: editor.Name, Address: editor.Email, Unsubscribe: e.Site.URL, Preferences: e.Site.URL, Web: e.Site.URL})
		same := func(have digest.Variant) bool {
			return have.Subject == v.Subject && have.HTML == v.HTML && have.Text == v.Text
		}
		if !slices.ContainsFunc(out, same) { // as with articles in one language only
			out = append(out, v)
		}
	}
	return out, err
}
