package delivery

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/tidings-press/tidings/internal/digest"
	"github.com/tidings-press/tidings/internal/lint"
	"github.com/tidings-press/tidings/internal/store"
	"github.com/tidings-press/tidings/internal/subscriber"
)

// Look is one variant of an edition as a preview shows it.
type Look struct {
	digest.Variant                       // with its placeholders
	All            []digest.Variant      // one for each language, among which an editor chooses
	Findings       []lint.Finding        // of the check
	Subscriber     subscriber.Subscriber // whose mail it is, with LookOptions.As
}

// LookOptions choose the variant of a Look. The zero value is that for a subscriber without
// preferences.
type LookOptions struct {
	Variant string             // the key of one of Look.All
	As      subscriber.Address // shows the mail of the subscriber with this address

	Unchecked bool // leaves out Look.Findings, which cost as much as the mails
	Test      bool // the mails are sent as a test, with Message-IDs of their own
}

// LookAtNext returns a variant of the edition that a digest would make now. It changes and records
// nothing. The error is a *NothingNewError if there would be none.
func (e *Engine) LookAtNext(ctx context.Context, name string, o LookOptions) (Look, error) {
	def, err := e.definition(name)
	if err != nil {
		return Look{}, err
	}
	state, err := e.Store.DigestState(ctx, name)
	if err != nil {
		return Look{}, err
	}
	key := "preview"
	if o.Test {
		key = previewKey()
	}
	issue, err := e.input(ctx, def, state, selection{}, key)
	if err != nil {
		return Look{}, err
	}
	if !o.Test { // the page and its frames show the same mails, which are then rendered once
		issue.Date = issue.Date.Truncate(time.Minute)
	}
	out, err := e.look(ctx, def, issue, o)
	if err != nil || o.Unchecked {
		return out, err
	}
	findings, err := e.findings(ctx, issue, out.All, 0, nil)
	out.Findings = lint.Sorted(findings)
	return out, err
}

// LookAtEdition returns a variant of an edition: of a draft as it would be approved now, of another as
// it was frozen. It changes and records nothing.
func (e *Engine) LookAtEdition(ctx context.Context, id string, o LookOptions) (Look, error) {
	edition, err := e.Store.Edition(ctx, id)
	if err != nil {
		return Look{}, err
	}
	if !edition.Approved.IsZero() {
		return e.lookAtFrozen(ctx, edition, o)
	}
	def, err := e.definition(edition.Digest)
	if err != nil {
		return Look{}, err
	}
	issue, err := e.inputOf(ctx, edition)
	if err != nil {
		return Look{}, err
	}
	out, err := e.look(ctx, def, issue, o)
	if err != nil || o.Unchecked {
		return out, err
	}
	rendered := map[string]digest.Variant{}
	for _, v := range out.All {
		rendered[v.Key] = v
	}
	out.Findings, err = e.checkInput(ctx, edition, issue, rendered, nil)
	return out, err
}

// look renders the variants of an edition and chooses one.
func (e *Engine) look(ctx context.Context, def *Definition, issue digest.Input, o LookOptions) (Look, error) {
	var out Look
	var err error
	if out.All, err = e.variantsWithoutTopics(issue, nil); err != nil {
		return out, err
	}
	if o.As.IsZero() {
		out.Variant, err = chosenVariant(out.All, o.Variant)
		return out, err
	}
	var prefs digest.Preferences
	if out.Subscriber, prefs, err = e.previewAs(ctx, def, issue, o.As); err != nil {
		return out, err
	}
	out.Variant, err = e.render(issue, prefs)
	if errors.Is(err, digest.ErrEmpty) {
		err = fmt.Errorf("%s would be skipped: %s", o.As, prefs.SkipReason(issue.Articles))
	}
	return out, err
}

// chosenVariant returns the variant with a key; the first one if the key is empty.
func chosenVariant(all []digest.Variant, key string) (digest.Variant, error) {
	for _, v := range all {
		if key == "" || v.Key == key {
			return v, nil
		}
	}
	return digest.Variant{}, fmt.Errorf("the edition has no variant %q now", key)
}

// maxLooks is how many frozen variants of an edition are read to find one for each language.
const maxLooks = 20

// lookAtFrozen is LookAtEdition for an edition that was approved.
func (e *Engine) lookAtFrozen(ctx context.Context, edition store.Edition, o LookOptions) (Look, error) {
	var out Look
	full, err := e.Store.FullVariant(ctx, edition.Seq)
	if err != nil {
		return out, err
	}
	out.All = []digest.Variant{full}
	for number := range maxLooks {
		v, err := e.Store.Variant(ctx, edition.Seq, number)
		if errors.Is(err, store.ErrNotFound) {
			break
		}
		if err != nil {
			return out, err
		}
		if !slices.ContainsFunc(out.All, func(have digest.Variant) bool { return have.Language == v.Language }) {
			out.All = append(out.All, v)
		}
	}
	if o.As.IsZero() {
		out.Variant, err = chosenVariant(out.All, o.Variant)
		return out, err
	}
	out.Subscriber, err = e.Store.SubscriberByAddress(ctx, o.As)
	if errors.Is(err, store.ErrNotFound) {
		return out, fmt.Errorf("there is no subscriber %s", o.As)
	}
	if err != nil {
		return out, err
	}
	if _, out.Variant, err = e.Store.VariantFor(ctx, edition.Seq, out.Subscriber.ID); errors.Is(err, store.ErrNotFound) {
		err = fmt.Errorf("%s gets no mail of this edition", o.As)
	}
	return out, err
}
