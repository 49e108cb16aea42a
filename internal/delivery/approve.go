package delivery

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/tidings-press/tidings/internal/article"
	"github.com/tidings-press/tidings/internal/copies"
	"github.com/tidings-press/tidings/internal/digest"
	"github.com/tidings-press/tidings/internal/lint"
	"github.com/tidings-press/tidings/internal/store"
)

// approveDrafts approves the drafts of this node's digests that need no editor. It also picks
// up drafts whose node died between planning and approving.
func (e *Engine) approveDrafts(ctx context.Context) error {
	drafts, err := e.Store.AutomaticDrafts(ctx, e.digestNames(), !e.FirstSendCheck, draftsAtOnce)
	if err != nil {
		return err
	}
	var errs []error
	for _, draft := range drafts {
		var faults *CheckError
		var first *FirstSendError
		if _, err := e.Approve(ctx, draft.ID); err != nil && !errors.As(err, &faults) && !errors.As(err, &first) {
			errs = append(errs, err)
		}
	}
	return errors.Join(errs...)
}

// draftsAtOnce bounds how many drafts are read at a time.
const draftsAtOnce = 20

// Approve freezes a draft in its current form and queues it for sending; editors use
// ApproveAs. Its variants are rendered once, and every subscriber who is active on the
// digest now gets a delivery. Approving an approved edition changes nothing. An edition that
// cannot be rendered fails with the reason, and its articles wait for the next edition.
func (e *Engine) Approve(ctx context.Context, id string) (store.Edition, error) {
	// A manual send and approveDrafts may approve the same edition: it is rendered once.
	approved, err, _ := e.approval.Do(id, func() (any, error) { return e.approveOnce(ctx, id, nil, nil, 0) })
	return approved.(store.Edition), err
}

// approveOnce freezes a draft. by is an approval to record with it; nil for none. undo is how long
// the edition waits before its first mail.
func (e *Engine) approveOnce(ctx context.Context, id string, was *Fingerprint, by *store.Approval, undo time.Duration) (store.Edition, error) {
	for attempt := 1; ; attempt++ {
		edition, err := e.approve(ctx, id, was, by, undo)
		if (errors.Is(err, store.ErrRecipientsChanged) || errors.Is(err, store.ErrDraftChanged)) && attempt < maxPlans {
			continue
		}
		var state *store.StateError
		if errors.As(err, &state) && edition.Automatic {
			return e.Store.Edition(ctx, id) // another node did it
		}
		if errors.As(err, &state) && was != nil && by == nil { // a review of the recorded approvals did it
			if stored, readErr := e.Store.Edition(ctx, id); readErr == nil && !stored.Approved.IsZero() {
				return stored, nil
			}
		}
		return edition, err
	}
}

func (e *Engine) approve(ctx context.Context, id string, was *Fingerprint, by *store.Approval, undo time.Duration) (store.Edition, error) {
	e.activity.approvals.Add(1)
	defer e.activity.approvals.Add(-1)
	edition, err := e.Store.Edition(ctx, id)
	if err == nil {
		err = e.mayPublish(ctx)
	}
	if err != nil {
		return edition, err
	}
	if edition.State != digest.Draft {
		return edition, &store.StateError{Edition: id, Have: edition.State, Want: digest.Approved}
	}
	frozen, err := e.freeze(ctx, edition, was)
	if err != nil {
		var broken *renderError
		if errors.As(err, &broken) && !edition.IsMessage() { // the text of a message can be corrected
			err = errors.Join(err, e.Store.SetEditionState(store.WithoutAudit(ctx), id, digest.Failed, err.Error()))
		}
		return edition, err
	}
	var faults []lint.Finding
	if was == nil || by != nil { // the approvals of several editors were checked before they were recorded
		if faults, err = e.checkApproval(ctx, edition, frozen.input, frozen.checked); err != nil {
			return edition, err
		}
	}
	frozen.Approval = by
	// The tick of an edition that was drafted ahead gives editors time enough, and is kept.
	if undo > 0 && !edition.SendAt.After(frozen.Approved) {
		frozen.UndoUntil = e.Store.Now().Add(undo)
	}
	edition, err = e.Store.Approve(ctx, edition, frozen.Frozen)
	if err != nil {
		return edition, err
	}
	for number, variant := range frozen.compiled {
		e.compiled.Put(keyOf(edition, number), variant)
	}
	e.Log.Info("edition approved", "digest", edition.Digest, "edition", id, "subscribers", edition.Recipients.Count, "variants", frozen.Variants())
	e.wakeDispatcher()
	return edition, e.reportErrors(ctx, edition, faults)
}

// renderError reports that an edition cannot be rendered, and that a retry would not help.
type renderError struct{ err error }

func (r *renderError) Error() string { return "the edition cannot be rendered: " + r.err.Error() }
func (r *renderError) Unwrap() error { return r.err }

// freeze renders a variant for each set of preferences among the recipients. was is the
// fingerprint that the editor approved: freeze fails if the edition has changed since; nil skips
// this check. The mails are dated with this approval.
func (e *Engine) freeze(ctx context.Context, edition store.Edition, was *Fingerprint) (*freezer, error) {
	input, err := e.inputOf(ctx, edition)
	if err == nil && was != nil {
		err = e.checkUnchanged(ctx, input, *was)
	}
	if err != nil {
		return nil, err
	}
	audience, groups, err := e.groups(ctx, edition)
	if err == nil {
		err = e.checkFirstSend(ctx, edition, groups)
	}
	if err != nil {
		return nil, err
	}
	fixed, err := e.settings(edition.Digest)
	if err != nil {
		return nil, err
	}
	f := freezer{engine: e, edition: edition.Edition, input: input.Sharing(), fixed: fixed, known: map[string]int{}, checked: map[string]digest.Variant{}}
	f.Frozen = store.Frozen{Approved: e.Store.Now(), Groups: groups, Choice: make([]int, len(groups)), Reasons: make([]string, len(groups)), ChunkSize: e.Policy.Chunk, Audience: audience}
	f.date = mailDate(f.Approved, edition)
	if f.Settings, err = fixed.encode(); err != nil {
		return nil, err
	}
	for i := range input.Articles {
		f.Articles = append(f.Articles, input.Articles[i].ID)
	}
	if err := f.add(groups); err != nil {
		return nil, err
	}
	return &f, nil
}

// preferencesOf returns the preferences of the variant that a group of subscribers gets.
func (e *Engine) preferencesOf(input digest.Input, group store.PreferenceGroup) digest.Preferences {
	if input.IsMessage() {
		return digest.MessagePreferences(input, group.MailLanguage, group.Language)
	}
	return digest.PreferencesFor(input.Definition, group.Topics, group.Language).Narrowed(input.Articles).InMailLanguage(input, group.MailLanguage, e.Templates)
}

// inputOf returns the input that a planned edition is rendered from.
func (e *Engine) inputOf(ctx context.Context, edition store.Edition) (digest.Input, error) {
	def, err := e.definition(edition.Digest)
	if err != nil {
		return digest.Input{}, err
	}
	found, err := e.Store.ArticlesByID(ctx, edition.Articles)
	if err != nil {
		return digest.Input{}, err
	}
	// An article that was withdrawn since is left out.
	var articles []article.Article
	for _, a := range found {
		if a.Listed(e.Store.Now()) {
			articles = append(articles, a)
		}
	}
	if len(articles) == 0 && !edition.IsMessage() {
		return digest.Input{}, &renderError{errors.New("all its articles have been removed")}
	}
	pictures, err := e.pictures(ctx, found, edition.Edits, def.Definition)
	if err != nil {
		return digest.Input{}, err
	}
	input := digest.Input{ID: edition.ID, Definition: def.Definition, Number: edition.Number, Site: e.Site, Articles: found, Pictures: pictures, Date: editionDate(edition), Layout: def.Layout, Edits: edition.Edits}
	if edition.IsMessage() {
		input.Articles = articles
		return e.messageInput(input, edition)
	}
	input.Next = e.nextDate(def, edition.SendAt)
	if input.Subject, err = e.editedSubject(input, edition.Subject); err != nil {
		return input, err
	}
	input.Articles = articles
	return input, nil
}

// pictures returns the stored images of articles, of what editors wrote, and of the intro of a digest.
func (e *Engine) pictures(ctx context.Context, articles []article.Article, edits digest.Edits, d digest.Definition) (article.Pictures, error) {
	return copies.ForArticles(ctx, e.Store, append(slices.Clone(articles), edits.Pictured(d)))
}

// nextDate returns the date of the edition after one that is sent now, or at the tick for which it
// is due. It is zero if the digest has no schedule.
func (e *Engine) nextDate(def *Definition, due time.Time) time.Time {
	if def.Schedule == nil {
		return time.Time{}
	}
	from := e.Store.Now()
	if due.After(from) {
		from = due
	}
	tick, _ := def.Schedule.Next(from)
	return tick.At
}

// editedSubject returns the subject that an editor wrote for a draft. It is empty when the
// subject still comes from the template; each variant then gets its own.
func (e *Engine) editedSubject(input digest.Input, subject string) (string, error) {
	made, err := digest.Compose(input, e.Templates)
	if err != nil {
		return "", &renderError{err}
	}
	if made.Subject == subject {
		return "", nil
	}
	return subject, nil
}

// PreviewEdition returns an edition as a subscriber would see it: for a frozen edition the
// variant that typicalVariant chooses, for a draft the variant without preferences.
func (e *Engine) PreviewEdition(ctx context.Context, id string) (digest.Variant, error) {
	edition, err := e.Store.Edition(ctx, id)
	if err != nil {
		return digest.Variant{}, err
	}
	if !edition.Approved.IsZero() {
		return e.typicalVariant(ctx, edition)
	}
	input, err := e.inputOf(ctx, edition)
	if err != nil {
		return digest.Variant{}, err
	}
	variant, err := e.render(input, digest.Preferences{})
	if err != nil {
		return digest.Variant{}, fmt.Errorf("edition %s: %w", id, err)
	}
	return variant, nil
}

// typicalVariant returns the variant of a frozen edition that editors are shown first: in the language of
// the site if there is one, or else the one with the most recipients.
func (e *Engine) typicalVariant(ctx context.Context, edition store.Edition) (digest.Variant, error) {
	return e.Store.TypicalVariant(ctx, edition.Seq, cmp.Or(e.Site.Language, "en"))
}
