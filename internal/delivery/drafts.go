package delivery

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/tidings-press/tidings/internal/article"
	"github.com/tidings-press/tidings/internal/digest"
	"github.com/tidings-press/tidings/internal/schedule"
	"github.com/tidings-press/tidings/internal/store"
	"github.com/tidings-press/tidings/internal/words"
)

// maxDropped bounds how many old drafts of a digest are dropped when a node starts.
const maxDropped = 1000

// dropOldDrafts keeps only the newest draft of each digest that needs an editor's approval.
// Earlier versions made a draft at each tick, so several may wait when a node starts. The
// articles of the dropped drafts return to the queue and join the newest one at the next tick.
func (e *Engine) dropOldDrafts(ctx context.Context) error {
	var errs []error
	for i := range e.Digests {
		if def := &e.Digests[i]; def.awaitsApproval() {
			errs = append(errs, e.dropOldDraftsOf(ctx, def))
		}
	}
	return errors.Join(errs...)
}

func (e *Engine) dropOldDraftsOf(ctx context.Context, def *Definition) error {
	drafts, err := e.Store.WaitingDrafts(ctx, def.Name, maxDropped)
	if err != nil || len(drafts) < 2 {
		return err
	}
	newest, dropped := drafts[0], []words.Text{}
	for _, draft := range drafts[1:] {
		reason := words.T("a newer draft, number {0}, took its place; its articles returned to the queue", newest.Number).String()
		err := e.Store.SetEditionState(ctx, draft.ID, digest.Cancelled, reason)
		var state *store.StateError
		if errors.As(err, &state) { // another node was faster, or an editor has decided
			continue
		}
		if err != nil {
			return err
		}
		dropped = append(dropped, words.T("“{0}” of {1}", draft.Subject, draft.Created.Format(time.DateOnly)))
	}
	if len(dropped) == 0 {
		return nil
	}
	e.Log.Warn("older drafts were dropped; their articles returned to the queue", "digest", def.Name, "kept", newest.ID, "dropped", len(dropped))
	jobs, err := e.editorMailJobs(ctx, def.Name, def.notifies(EventProof), droppedDraftsMessage(def, newest, dropped))
	if err != nil {
		return err
	}
	for _, job := range jobs {
		if _, err := e.Store.Enqueue(ctx, job); err != nil {
			return err
		}
	}
	return nil
}

// droppedDraftsMessage lists the drafts that were dropped, for editors.
func droppedDraftsMessage(def *Definition, kept store.Edition, dropped []words.Text) editorMessage {
	const listed = 10
	lines := []words.Text{
		words.T("Several drafts of {0} waited for approval. Only the newest is kept: “{1}”.", def.Title.In("en"), kept.Subject),
		words.T("The articles of the others returned to the queue and join it at the next tick. No article is lost. Dropped:"),
	}
	lines = append(lines, dropped[:min(len(dropped), listed)]...)
	if more := len(dropped) - listed; more > 0 {
		lines = append(lines, words.T("and {0} more", more))
	}
	return editorMessage{heading: words.T("Older drafts of {0} were dropped", def.Title.In("en")), lines: lines, button: words.T("Look at the draft"), path: "/admin/editions/" + kept.ID}
}

// joinDraft adds the articles of a tick to the draft that still waits for approval, so that
// drafts do not pile up. The draft keeps its number, and a subject that an editor wrote.
// joinDraft returns false when no draft waits.
func (e *Engine) joinDraft(ctx context.Context, def *Definition, state store.DigestState, tick schedule.Tick, update store.ScheduleUpdate) (bool, error) {
	draft, found, err := e.Store.WaitingDraft(ctx, def.Name)
	if err != nil || !found || !def.awaitsApproval() {
		return false, err
	}
	input, err := e.joinInput(ctx, def, state, draft, tick.Key)
	if err != nil {
		return true, err
	}
	input.ID, input.Number = draft.ID, draft.Number
	joined := 0
	for i := range input.Articles {
		if !slices.Contains(draft.Articles, input.Articles[i].ID) {
			joined++
		}
	}
	if joined == 0 {
		return true, &NothingNewError{reason: words.T("the draft of {0} still awaits approval, and there is nothing to add to it", draft.Created.Format(time.DateOnly))}
	}
	if def.DraftBefore > 0 {
		input.Date, input.Next = tick.At, e.nextDate(def, tick.At)
	}
	next, err := e.rebuildDraft(ctx, draft, input)
	if err != nil {
		return true, err
	}
	if def.DraftBefore > 0 {
		e.draftAhead(def, &next, tick)
	}
	jobs, err := e.proofJobs(def, next, joined)
	if err != nil {
		return true, err
	}
	if err := e.Store.ReplaceDraft(ctx, draft, next, tick.Key, update, jobs...); err != nil {
		return true, err
	}
	e.Log.Info("a draft was not approved in time: the new articles joined it", "digest", def.Name, "edition", draft.ID, "tick", tick.Key, "new", joined, "articles", len(next.Articles))
	return true, nil
}

// joinInput returns the input for a draft to which a tick adds articles. A draft that an editor
// has composed keeps its articles and does not take those that were excluded; new ones fill what is
// left up to the maximum.
func (e *Engine) joinInput(ctx context.Context, def *Definition, state store.DigestState, draft store.Edition, tick string) (digest.Input, error) {
	if draft.Edits.IsZero() {
		return e.input(ctx, def, state, selection{draft: draft.ID, keep: true}, tick)
	}
	input, err := e.inputOf(ctx, draft)
	var broken *renderError
	if errors.As(err, &broken) { // all its articles were withdrawn
		return e.input(ctx, def, state, selection{draft: draft.ID, keep: true}, tick)
	}
	if err != nil {
		return input, err
	}
	input.Subject, input.Date = "", e.Store.Now()
	if def.Max > 0 && len(input.Articles) >= def.Max {
		return input, nil
	}
	w := e.waiting(def, state, selection{keep: true})
	found, err := e.Store.WaitingArticles(ctx, w)
	if err != nil {
		return input, err
	}
	found = slices.DeleteFunc(found, func(a article.Article) bool {
		return slices.ContainsFunc(draft.Edits.Excluded, func(x digest.Exclusion) bool { return x.Article == a.ID })
	})
	rule := def.rule()
	rule.Min, rule.Max = 0, max(0, def.Max-len(input.Articles))
	added := digest.Choose(found, rule, w.Now)
	input.Articles = digest.Choose(append(input.Articles, added...), digest.Rule{}, w.Now)
	input.Pictures, err = e.pictures(ctx, input.Articles, input.Edits, input.Definition)
	return input, err
}

// rebuildDraft returns a draft with the articles of the input. It keeps a subject that an editor
// wrote.
func (e *Engine) rebuildDraft(ctx context.Context, draft store.Edition, input digest.Input) (store.Edition, error) {
	composed, err := e.newDraft(input, draft.ScheduledFor)
	if err != nil {
		return store.Edition{}, err
	}
	next := draft
	next.Articles, next.Subject, next.Created = composed.Articles, composed.Subject, composed.Created
	if old, err := e.inputOf(ctx, draft); err == nil && old.Subject != "" {
		next.Subject = draft.Subject // an editor wrote it
	}
	return next, nil
}
