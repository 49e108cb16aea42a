package delivery

import (
	"context"
	"errors"
	"time"

	"github.com/tidings-press/tidings/internal/digest"
	"github.com/tidings-press/tidings/internal/schedule"
	"github.com/tidings-press/tidings/internal/store"
	"github.com/tidings-press/tidings/internal/words"
)

// Deadline is what happens to a draft at its tick if too few editors have approved it.
type Deadline string

// The values of Deadline.
const (
	DeadlineSend Deadline = "send" // it is sent
	DeadlineHold Deadline = "hold" // it stays a draft that awaits approval
	DeadlineSkip Deadline = "skip" // it is cancelled, and its articles wait for the next edition
)

// deadline returns the digest's AtDeadline, or its default. Drafts of a paused digest are held.
func (d *Definition) deadline() Deadline {
	switch {
	case d.Paused:
		return DeadlineHold
	case d.AtDeadline != "":
		return d.AtDeadline
	case d.Automatic:
		return DeadlineSend
	}
	return DeadlineHold
}

// approvers returns how many different editors must approve an edition.
func (d *Definition) approvers() int { return max(d.Approvers, 1) }

// awaitsApproval reports whether an edition of the digest waits for editors, if only until its
// tick.
func (d *Definition) awaitsApproval() bool { return !d.Automatic || d.DraftBefore > 0 }

// scheduleApprover is the name under which the schedule's own approvals are recorded.
const scheduleApprover = "schedule"

// draftAhead prepares a draft that is made before its tick: it is dated with the tick, and sent
// then. A draft that comes too late for its tick, after a downtime, leaves editors no time: unless
// the digest needs none, it is held.
func (e *Engine) draftAhead(def *Definition, draft *store.Edition, tick schedule.Tick) {
	draft.Created, draft.SendAt = e.Store.Now(), tick.At
	if draft.Held == store.HeldAtDeadline {
		draft.Held = ""
	}
	if tick.At.After(draft.Created) || draft.Held != "" {
		return
	}
	if draft.Automatic = def.Automatic && def.deadline() == DeadlineSend; !draft.Automatic {
		draft.Held = store.HeldAtDeadline
	}
}

// meetDeadlines applies AtDeadline to the drafts whose tick has come, and ends approved editions
// without recipients.
func (e *Engine) meetDeadlines(ctx context.Context) error {
	due, err := e.Store.DueDrafts(ctx, e.digestNames(), draftsAtOnce)
	if err != nil {
		return err
	}
	var errs []error
	for _, draft := range due {
		err := e.meetDeadline(ctx, draft)
		var changed *store.StateError
		if errors.As(err, &changed) { // an editor or another node was faster
			continue
		}
		errs = append(errs, err)
	}
	return errors.Join(append(errs, e.Store.FinishEmptyEditions(ctx))...)
}

// digestNames returns the names of the configured digests.
func (e *Engine) digestNames() []string {
	var names []string
	for i := range e.Digests {
		names = append(names, e.Digests[i].Name)
	}
	return names
}

func (e *Engine) meetDeadline(ctx context.Context, draft store.Edition) error {
	def, err := e.definition(draft.Digest)
	if err != nil {
		return err
	}
	approvals, err := e.Store.Approvals(ctx, draft.Seq)
	if err != nil {
		return err
	}
	missing := missingApprovals(def, len(approvals))
	policy := def.deadline()
	e.Log.Info("an edition reached its send time without the approvals", "digest", draft.Digest, "edition", draft.ID, "at_deadline", policy, "reason", missing)
	if policy == DeadlineSend {
		return e.Store.SendDraft(ctx, draft, store.Approval{Name: scheduleApprover, At: e.Store.Now()})
	}
	event := EventHeld
	if policy == DeadlineSkip {
		event = EventSkipped
	}
	jobs, err := e.editorMailJobs(ctx, def.Name, def.notifies(event), deadlineMessage(def, draft, policy, missing))
	if err != nil {
		return err
	}
	if policy == DeadlineSkip {
		return e.Store.SkipDraft(ctx, draft, words.T("skipped at its send time: {0}", missing).String(), jobs...)
	}
	return e.Store.HoldDueDraft(ctx, draft, jobs...)
}

// missingApprovals describes for people which approvals an edition lacks.
func missingApprovals(def *Definition, approved int) words.Text {
	if def.approvers() == 1 || approved == 0 {
		return words.T("no editor had approved it")
	}
	return words.T("{0} of {1} editors had approved it", approved, def.approvers())
}

// openDraft is the label of the button in mails to editors about a draft.
var openDraft = words.T("Open the draft")

// deadlineMessage informs editors that an edition was not sent at its tick.
func deadlineMessage(def *Definition, draft store.Edition, policy Deadline, missing words.Text) editorMessage {
	n := editorMessage{
		heading: words.T("Held, not sent: {0}", draft.Subject),
		lines: []words.Text{
			words.T("The edition of {0} was due now, but {1}. It stays a draft and is sent as soon as it is approved.", def.Title.In("en"), missing),
		},
		button: openDraft, path: "/admin/editions/" + draft.ID,
	}
	if policy == DeadlineSkip {
		n.heading = words.T("Skipped: {0}", draft.Subject)
		n.lines[0] = words.T("The edition of {0} was due now, but {1}. It is not sent. Its articles returned to the queue and wait for the next edition.", def.Title.In("en"), missing)
		n.button = openEdition
	}
	return n
}

// DeadlineText describes for people when a draft is sent, and what happens at its tick without the
// approvals.
func (e *Engine) DeadlineText(draft store.Edition) words.Text {
	editors := 1
	def, err := e.definition(draft.Digest)
	if err == nil {
		editors = max(1, e.approversOf(def, draft))
	}
	if draft.Automatic && draft.Held != "" {
		return words.T("It is not sent yet: {0}.", firstSendReason)
	}
	if draft.Held != "" || err != nil || !draft.SendAt.After(e.Store.Now()) {
		return words.N(editors, "It is not sent until an editor approves it.", "It is not sent until {0} editors approve it.")
	}
	at := timeIn(def, draft.SendAt)
	switch def.deadline() {
	case DeadlineSend:
		return words.T("It is sent on {0}, unless an editor holds it.", at)
	case DeadlineSkip:
		return words.N(editors,
			"It is sent on {1} if an editor approves it before. Otherwise it is skipped then, and its articles wait for the next edition.",
			"It is sent on {1} if {0} editors approve it before. Otherwise it is skipped then, and its articles wait for the next edition.", at)
	}
	return words.N(editors,
		"It is sent on {1} if an editor approves it before. Otherwise it is held then, until it is approved.",
		"It is sent on {1} if {0} editors approve it before. Otherwise it is held then, until it is approved.", at)
}

// Decision is what editors have decided on a draft, and what happens if they decide nothing more.
type Decision struct {
	Deadline  words.Text       // when it is sent, and what happens then without the approvals
	AtTick    Deadline         // what happens then without the approvals; empty if it has no tick
	Approvals []store.Approval // of the present content
	Needed    int              // how many approvals it needs
}

// Missing returns how many approvals a draft lacks.
func (d Decision) Missing() int { return max(d.Needed-len(d.Approvals), 0) }

// Decision returns what editors have decided on a draft in the form that Review returned.
func (e *Engine) Decision(ctx context.Context, r Review) (Decision, error) {
	def, err := e.definition(r.Edition.Digest)
	if err != nil {
		return Decision{}, err
	}
	out := Decision{Deadline: e.DeadlineText(r.Edition), Needed: e.approversOf(def, r.Edition)}
	if !r.Edition.SendAt.IsZero() {
		out.AtTick = def.deadline()
	}
	all, err := e.Store.Approvals(ctx, r.Edition.Seq)
	out.Approvals = countingApprovals(all, r.Fingerprint)
	return out, err
}

// timeIn returns a time in the timezone of a digest.
func timeIn(def *Definition, at time.Time) time.Time {
	zone, err := time.LoadLocation(def.Timezone)
	if err != nil {
		zone = time.UTC
	}
	return at.In(zone)
}

// Hold keeps the schedule from sending a draft at its tick. by is the editor. The draft is sent
// once it is approved. The error explains why it cannot be held.
func (e *Engine) Hold(ctx context.Context, id, by string) error {
	if err := e.mayHold(ctx, id, false); err != nil {
		return err
	}
	return e.Store.HoldDraft(ctx, id, words.T("held by {0}", by).String())
}

// ReleaseHold ends the hold of a draft before its tick. The error explains why it cannot end.
func (e *Engine) ReleaseHold(ctx context.Context, id string) error {
	if err := e.mayHold(ctx, id, true); err != nil {
		return err
	}
	return e.Store.ReleaseDraft(ctx, id)
}

// HoldError refuses to hold a draft or to end its hold.
type HoldError struct {
	Edition string
	Reason  words.Text
}

func (e *HoldError) Error() string { return e.Reason.String() }

// Text returns the error for pages.
func (e *HoldError) Text() words.Text { return e.Reason }

// mayHold returns why a draft cannot be held, or, with release, why its hold cannot end. Store.HoldDraft
// and Store.ReleaseDraft check the same once more, without words.
func (e *Engine) mayHold(ctx context.Context, id string, release bool) error {
	draft, err := e.Store.Edition(ctx, id)
	switch {
	case err != nil:
		return err
	case draft.State != digest.Draft:
		return &store.StateError{Edition: id, Have: draft.State, Want: digest.Draft}
	case release && draft.Held == "":
		return &HoldError{id, words.T("edition {0} is not held", id)}
	case !release && draft.Held != "":
		return &HoldError{id, words.T("edition {0} is held already: {1}; end that hold to let the schedule send it", id, words.Stored(draft.Held))}
	case !draft.SendAt.After(e.Store.Now()):
		return &HoldError{id, words.T("edition {0} has no send time ahead; it is sent when it is approved", id)}
	}
	return nil
}

// editionDate returns the date that an edition shows: the date of its tick if it was drafted before.
func editionDate(edition store.Edition) time.Time {
	if !edition.SendAt.IsZero() {
		return edition.SendAt
	}
	return edition.Created
}

// mailDate returns the Date of an edition's mails: the time of the approval, or of its tick if it
// was approved before.
func mailDate(approved time.Time, edition store.Edition) time.Time {
	if edition.SendAt.After(approved) {
		return edition.SendAt
	}
	return approved
}

// waitsForTick reports whether an edition was frozen before its tick and waits for it.
func (e *Engine) waitsForTick(edition store.Edition) bool {
	return edition.Started.IsZero() && edition.SendAt.After(e.Store.Now()) && edition.State != digest.Draft
}
