package delivery

import (
	"context"
	"errors"
	"time"

	"github.com/google/uuid"

	"github.com/tidings-press/tidings/internal/digest"
	"github.com/tidings-press/tidings/internal/store"
)

// SendOptions controls an edition that is made by hand.
type SendOptions struct {
	By     string // the editor's address, or "command line"
	Editor int64  // the editor's id; 0 for the command line
	// Since moves the digest's beginning: of the stored articles, those dated from then on
	// belong to it. Zero keeps the beginning.
	Since time.Time
	// Expect is the fingerprint of what the editor was shown; nil sends without a check.
	Expect *Fingerprint
	// Request identifies the request to send. A second request with it makes no second edition, but
	// finishes the first if a node ended meanwhile. If it is empty, each call is a separate request.
	Request string
	Undo    time.Duration // how long the edition waits before its first mail
}

// SendNow makes an edition of the new articles and sends it without waiting for the schedule. by
// is the editor. It returns ErrNothingNew when there are too few new articles, for instance
// because a tick has just made an edition of them.
func (e *Engine) SendNow(ctx context.Context, name, by string) (store.Edition, error) {
	return e.Send(ctx, name, SendOptions{By: by})
}

// Send is SendNow with options. It returns a *ChangedError and makes no edition when the content
// differs from what was shown. If other editors must approve too, the edition stays a draft; without
// the identity of an editor, Send then returns a *NeedsEditorError.
func (e *Engine) Send(ctx context.Context, name string, o SendOptions) (store.Edition, error) {
	// An automatic draft is approved by another node if this one dies first. A draft with an
	// expected content is left to an editor instead.
	def, err := e.definition(name)
	if err == nil && def.approvers() > 1 && (o.Expect == nil || o.Editor == 0) {
		err = &NeedsEditorError{Digest: name, Count: def.approvers()}
	}
	if err != nil {
		return store.Edition{}, err
	}
	if edition, found, err := e.requested(ctx, name, o); found || err != nil {
		return edition, err
	}
	edition, err := e.draft(ctx, name, o, o.Expect == nil && o.Undo == 0)
	if err != nil {
		// The same request may have made the edition meanwhile.
		if made, found, findErr := e.requested(ctx, name, o); found || findErr != nil {
			return made, findErr
		}
		return edition, err
	}
	return e.approveSent(ctx, edition.ID, o)
}

// approveSent approves the draft that a request to send has made. If the same request was repeated, and
// the other one has approved it meanwhile, it returns that edition.
func (e *Engine) approveSent(ctx context.Context, id string, o SendOptions) (store.Edition, error) {
	edition, err := e.approveMade(ctx, id, o)
	var state *store.StateError
	if errors.As(err, &state) && o.Request != "" {
		return e.Store.Edition(ctx, id)
	}
	return edition, err
}

func (e *Engine) approveMade(ctx context.Context, id string, o SendOptions) (store.Edition, error) {
	if o.Expect == nil {
		approved, err, _ := e.approval.Do(id, func() (any, error) { return e.approveOnce(ctx, id, nil, nil, o.Undo) })
		return approved.(store.Edition), err
	}
	approved, err := e.ApproveAs(ctx, id, Approver{Editor: o.Editor, Name: o.By, Undo: o.Undo}, *o.Expect)
	var changed *ChangedError
	if errors.As(err, &changed) { // its articles changed after the draft was checked
		err = errors.Join(err, e.Cancel(ctx, id, "it changed since it was shown"))
	}
	return approved, err
}

// requested returns the edition that an earlier request with the same name has made. A draft of a
// node that ended before its approval is approved now; one whose approval was undone stays a draft.
func (e *Engine) requested(ctx context.Context, name string, o SendOptions) (store.Edition, bool, error) {
	if o.Request == "" {
		return store.Edition{}, false, nil
	}
	edition, err := e.Store.Edition(ctx, e.names.EditionID(name, manualKey(o.Request)))
	if errors.Is(err, store.ErrNotFound) {
		return edition, false, nil
	}
	if err != nil || edition.State != digest.Draft || edition.Reason != "" {
		return edition, err == nil, err
	}
	edition, err = e.approveSent(ctx, edition.ID, o)
	return edition, true, err
}

// manualKey returns the key of an edition that is made by hand. It replaces the key of a tick. Without
// the name of a request it is a new one.
func manualKey(request string) string {
	if request == "" {
		request = uuid.NewString()
	}
	return "manual:" + request
}

// Draft makes an edition of the new articles and leaves it for approval.
func (e *Engine) Draft(ctx context.Context, name string, o SendOptions) (store.Edition, error) {
	return e.draft(ctx, name, o, false)
}

func (e *Engine) draft(ctx context.Context, name string, o SendOptions, automatic bool) (store.Edition, error) {
	def, err := e.definition(name)
	if err == nil {
		err = e.mayPublish(ctx)
	}
	if err != nil {
		return store.Edition{}, err
	}
	for attempt := 1; ; attempt++ {
		state, err := e.Store.DigestState(ctx, name)
		if err != nil {
			return store.Edition{}, err
		}
		key := manualKey(o.Request)
		input, err := e.input(ctx, def, state, selection{since: o.Since, keep: o.Since.IsZero()}, key)
		if err == nil && o.Expect != nil {
			err = e.checkUnchanged(ctx, input, *o.Expect)
		}
		if err != nil {
			return store.Edition{}, err
		}
		edition, err := e.newDraft(input, key)
		if err != nil {
			return store.Edition{}, err
		}
		edition.Author = o.By
		edition.Automatic = automatic
		if o.Since.IsZero() {
			edition, err = e.Store.CreateDraft(ctx, edition, nil)
		} else {
			edition, err = e.Store.CreateDraftSince(ctx, edition, o.Since)
		}
		if !errors.Is(err, store.ErrTaken) || attempt == maxPlans {
			return edition, err
		}
	}
}
