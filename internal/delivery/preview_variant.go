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

// VariantPreview is one variant of an edition as a preview shows it.
type VariantPreview struct {
	digest.Variant                       // with its placeholders
	All            []digest.Variant      // one for each language, among which an editor chooses
	Findings       []lint.Finding        // of the check
	Subscriber     subscriber.Subscriber // whose mail it is, with VariantPreviewOptions.As
}

// VariantPreviewOptions choose the variant of a VariantPreview. The zero value is that for a subscriber without
// preferences.
type VariantPreviewOptions struct {
	Variant string             // the key of one of VariantPreview.All
	As      subscriber.Address // shows the mail of the subscriber with this address

	Unchecked bool // leaves out VariantPreview.Findings, which cost as much as the mails
	Test      bool // the mails are sent as a test, with Message-IDs of their own
}

// PreviewNextVariant returns a variant of the edition that a digest would make now. It changes and records
// nothing. The error is a *NothingNewError if there would be none.
func (e *Engine) PreviewNextVariant(ctx context.Context, name string, o VariantPreviewOptions) (VariantPreview, error) {
	def, err := e.definition(name)
	if err != nil {
		return VariantPreview{}, err
	}
	state, err := e.Store.DigestState(ctx, name)
	if err != nil {
		return VariantPreview{}, err
	}
	key := "preview"
	if o.Test {
		key = previewKey()
	}
	input, err := e.input(ctx, def, state, selection{}, key)
	if err != nil {
		return VariantPreview{}, err
	}
	if !o.Test { // the page and its frames show the same mails, which are then rendered once
		input.Date = input.Date.Truncate(time.Minute)
	}
	out, err := e.previewVariantOf(ctx, def, input, o)
	if err != nil || o.Unchecked {
		return out, err
	}
	findings, err := e.findings(ctx, input, out.All, 0, nil)
	out.Findings = lint.Sorted(findings)
	return out, err
}

// PreviewEditionVariant returns a variant of an edition: of a draft as it would be approved now, of another as
// it was frozen. It changes and records nothing.
func (e *Engine) PreviewEditionVariant(ctx context.Context, id string, o VariantPreviewOptions) (VariantPreview, error) {
	edition, err := e.Store.Edition(ctx, id)
	if err != nil {
		return VariantPreview{}, err
	}
	if !edition.Approved.IsZero() {
		return e.previewFrozenVariant(ctx, edition, o)
	}
	def, err := e.definition(edition.Digest)
	if err != nil {
		return VariantPreview{}, err
	}
	input, err := e.inputOf(ctx, edition)
	if err != nil {
		return VariantPreview{}, err
	}
	out, err := e.previewVariantOf(ctx, def, input, o)
	if err != nil || o.Unchecked {
		return out, err
	}
	rendered := map[string]digest.Variant{}
	for _, v := range out.All {
		rendered[v.Key] = v
	}
	out.Findings, err = e.checkInput(ctx, edition, input, rendered, nil)
	return out, err
}

// previewVariantOf renders the variants of an edition and chooses one.
func (e *Engine) previewVariantOf(ctx context.Context, def *Definition, input digest.Input, o VariantPreviewOptions) (VariantPreview, error) {
	var out VariantPreview
	var err error
	if out.All, err = e.variantsWithoutTopics(input, nil); err != nil {
		return out, err
	}
	if o.As.IsZero() {
		out.Variant, err = chosenVariant(out.All, o.Variant)
		return out, err
	}
	var prefs digest.Preferences
	if out.Subscriber, prefs, err = e.previewAs(ctx, def, input, o.As); err != nil {
		return out, err
	}
	out.Variant, err = e.render(input, prefs)
	if errors.Is(err, digest.ErrEmpty) {
		err = fmt.Errorf("%s would be skipped: %s", o.As, prefs.SkipReason(input.Articles))
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

// maxPreviewedVariants is how many frozen variants of an edition are read to find one for each language.
const maxPreviewedVariants = 20

// previewFrozenVariant is PreviewEditionVariant for an edition that was approved.
func (e *Engine) previewFrozenVariant(ctx context.Context, edition store.Edition, o VariantPreviewOptions) (VariantPreview, error) {
	var out VariantPreview
	first, err := e.typicalVariant(ctx, edition)
	if err != nil {
		return out, err
	}
	out.All = []digest.Variant{first}
	for number := range maxPreviewedVariants {
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
