package delivery

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/tidings-press/tidings/internal/digest"
	"github.com/tidings-press/tidings/internal/store"
	"github.com/tidings-press/tidings/internal/words"
)

// Approver is who approves a draft: an editor, or the command line.
type Approver struct {
	Editor int64         // id; 0 for the command line
	Name   string        // address
	Undo   time.Duration // how long the edition waits before its first mail; 0 for no wait
}

// CommandLine approves drafts without the identity of an editor.
var CommandLine = Approver{Name: "command line"}

// NeedsEditorError refuses an approval without the identity of an editor, for a digest whose
// editions need several different editors.
type NeedsEditorError struct {
	Digest string
	Count  int // of editors
}

func (e *NeedsEditorError) Error() string {
	return fmt.Sprintf("an edition of %s needs the approval of %d different editors; draft it, and name each with: tidings digest approve EDITION --as ADDRESS", e.Digest, e.Count)
}

// ApproveAs approves a draft in the form that the approver was shown. It freezes the edition if
// enough different editors have approved this content now; otherwise it records the approval, and
// the edition stays a draft. It returns a *ChangedError when the draft has changed since, and a
// *NeedsEditorError if the approver must be an editor.
func (e *Engine) ApproveAs(ctx context.Context, id string, by Approver, was Fingerprint) (store.Edition, error) {
	edition, err := e.Store.Edition(ctx, id)
	if err != nil {
		return edition, err
	}
	if edition.State != digest.Draft {
		return edition, &store.StateError{Edition: id, Have: edition.State, Want: digest.Approved}
	}
	def, err := e.definition(edition.Digest)
	if err == nil {
		err = e.checkApprover(ctx, by)
	}
	if err != nil {
		return edition, err
	}
	approval := &store.Approval{Editor: by.Editor, Name: by.Name, Fingerprint: was.hash(), At: e.Store.Now()}
	if needed := e.approversOf(def, edition); needed > 1 {
		approvals, err := e.recordApproval(ctx, def, needed, edition, *approval, was)
		if err != nil || len(approvals) < needed {
			return edition, err
		}
		approval = nil // it is recorded
	}
	approved, err, _ := e.approval.Do(id+" "+was.hash(), func() (any, error) { return e.approveOnce(ctx, id, &was, approval, by.Undo) })
	return approved.(store.Edition), err
}

// ApproverError refuses an approval by an editor who may not approve.
type ApproverError struct {
	Name     string // address
	Role     store.Role
	Disabled bool
}

func (e *ApproverError) Error() string {
	if e.Disabled {
		return fmt.Sprintf("the account %s is disabled and may not approve editions", e.Name)
	}
	return fmt.Sprintf("%s may not approve editions (role %s); an owner can change that with: tidings editor role %s editor", e.Name, e.Role, e.Name)
}

// checkApprover returns an *ApproverError if the role of an editor permits no approval, or the
// editor may not sign in any more. The command line may approve.
func (e *Engine) checkApprover(ctx context.Context, by Approver) error {
	if by.Editor == 0 {
		return nil
	}
	editor, err := e.Store.EditorByID(ctx, by.Editor)
	if err == nil && (!editor.Role.MayApprove() || !editor.Disabled.IsZero()) {
		err = &ApproverError{Name: editor.Email, Role: editor.Role, Disabled: !editor.Disabled.IsZero()}
	}
	return err
}

// approversOf returns how many different editors must approve an edition. For a message it is the
// highest number among its digests.
func (e *Engine) approversOf(def *Definition, edition store.Edition) int {
	needed := def.approvers()
	if m, err := MessageOf(edition); err == nil {
		for _, name := range m.Audience.Digests {
			if other, err := e.definition(name); err == nil {
				needed = max(needed, other.approvers())
			}
		}
	}
	return needed
}

// recordApproval records one of several approvals of the present content of a draft, unless the
// check refuses it. It returns the approvals of that content.
func (e *Engine) recordApproval(ctx context.Context, def *Definition, needed int, edition store.Edition, approval store.Approval, was Fingerprint) ([]store.Approval, error) {
	if err := e.mayPublish(ctx); err != nil {
		return nil, err
	}
	if approval.Editor == 0 {
		return nil, &NeedsEditorError{Digest: def.Name, Count: needed}
	}
	input, err := e.inputOf(ctx, edition)
	if err == nil {
		err = e.checkUnchanged(ctx, input, was)
	}
	if err != nil {
		return nil, err
	}
	// An edition with errors gets no approval, so that it is not sent as soon as they are waived. One
	// that cannot be rendered fails when it is frozen.
	var broken *renderError
	if _, err := e.checkApproval(ctx, edition, input, nil); err != nil && !errors.As(err, &broken) {
		return nil, err
	}
	_, groups, err := e.groups(ctx, edition)
	if err == nil {
		err = e.checkFirstSend(ctx, edition, groups)
	}
	if err != nil {
		return nil, err
	}
	jobs, err := e.askAgain(ctx, def, edition, was, approval.Editor)
	if err != nil {
		return nil, err
	}
	approvals, err := e.Store.RecordApproval(ctx, edition, approval, jobs...)
	if err == nil {
		e.Log.Info("an editor approved a draft", "digest", edition.Digest, "edition", edition.ID, "editor", approval.Name, "approvals", len(approvals), "needed", needed)
	}
	return approvals, err
}

// askAgain returns the mails that ask editors to approve a draft again: it was changed after
// others than the approver had approved it. Without such approvals there are none.
func (e *Engine) askAgain(ctx context.Context, def *Definition, edition store.Edition, is Fingerprint, approver int64) ([]store.Job, error) {
	approvals, err := e.Store.Approvals(ctx, edition.Seq)
	if err != nil {
		return nil, err
	}
	var names []string
	for _, a := range approvals {
		if a.Fingerprint != is.hash() && a.Editor != 0 && a.Editor != approver {
			names = append(names, a.Name)
		}
	}
	if len(names) == 0 {
		return nil, nil
	}
	return e.editorMailJobs(ctx, def.Name, def.notifies(EventProof), editorMessage{
		heading: words.T("Changed, please approve again: {0}", edition.Subject),
		lines: []words.Text{
			words.T("The edition of {0} was changed after {1} had approved it. The approval does not count any more.", def.Title.In("en"), words.List(names...)),
			e.DeadlineText(edition),
		},
		button: openDraft, path: "/admin/editions/" + edition.ID,
	})
}

// countingApprovals returns the approvals of the present content.
func countingApprovals(all []store.Approval, is Fingerprint) []store.Approval {
	return slices.DeleteFunc(slices.Clone(all), func(a store.Approval) bool { return a.Fingerprint != is.hash() })
}

// reviewApprovals discards approvals of drafts whose content has changed since, for instance by an
// edited article, and asks the editors again. It also freezes a draft whose last approver's node
// ended before it did.
func (e *Engine) reviewApprovals(ctx context.Context) error {
	drafts, err := e.Store.DraftsWithApprovals(ctx, e.digestNames(), draftsAtOnce)
	if err != nil {
		return err
	}
	var errs []error
	for _, draft := range drafts {
		errs = append(errs, e.reviewApprovalsOf(ctx, draft.ID))
	}
	return errors.Join(errs...)
}

func (e *Engine) reviewApprovalsOf(ctx context.Context, id string) error {
	review, err := e.Review(ctx, id)
	var changed *store.StateError
	var broken *renderError
	if errors.As(err, &changed) || errors.As(err, &broken) { // approved meanwhile; or an approval would report the error
		return nil
	}
	if err != nil {
		return err
	}
	is := review.Fingerprint
	def, err := e.definition(review.Edition.Digest)
	if err != nil {
		return err
	}
	all, err := e.Store.Approvals(ctx, review.Edition.Seq)
	if err != nil {
		return err
	}
	counting := countingApprovals(all, is)
	if len(counting) >= e.approversOf(def, review.Edition) {
		_, err = e.approveOnce(ctx, id, &is, nil, e.Policy.Undo)
		var faults *CheckError
		var first *FirstSendError
		if errors.As(err, &faults) || errors.As(err, &first) { // the editor who approved last was shown them
			return nil
		}
		return err
	}
	if len(counting) == len(all) {
		return nil
	}
	jobs, err := e.askAgain(ctx, def, review.Edition, is, 0)
	if err != nil {
		return err
	}
	n, err := e.Store.DiscardApprovals(ctx, review.Edition.Seq, is.hash(), jobs...)
	if n > 0 {
		e.Log.Info("a draft was changed after an approval, which does not count any more", "digest", def.Name, "edition", id, "approvals", n)
	}
	return err
}

// reviewEvery is the number of polls for each review of approvals.
const reviewEvery = 50

// ApproveShort is ApproveAs for callers who know only the short form of the fingerprint.
func (e *Engine) ApproveShort(ctx context.Context, id string, by Approver, fingerprint string) (store.Edition, error) {
	review, err := e.Review(ctx, id)
	if err != nil {
		return review.Edition, err
	}
	if fingerprint == review.Fingerprint.Short() {
		return e.ApproveAs(ctx, id, by, review.Fingerprint)
	}
	var since []string
	for i := range review.Contents {
		if a := &review.Contents[i]; a.Updated.After(review.Edition.Created) {
			since = append(since, "edited since the draft was made: “"+a.Title+"”")
		}
	}
	for i := range review.Withdrawn {
		since = append(since, "withdrawn since the draft was made: “"+review.Withdrawn[i].Title+"”")
	}
	if len(since) == 0 {
		since = []string{"its articles, its subject, the sender, the settings or the templates changed"}
	}
	return review.Edition, &ChangedError{Differences: since}
}
