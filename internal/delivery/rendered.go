package delivery

import (
	"errors"

	"github.com/tidings-press/tidings/internal/digest"
	"github.com/tidings-press/tidings/internal/lru"
)

// maxRenderedBytes bounds the variants that are kept for the pages of drafts: some 300 mails.
const maxRenderedBytes = 24 << 20

// newVariantCache returns the cache of rendered variants, by a hash of their input and their key.
func newVariantCache() *lru.Cache[string, *digest.Variant] {
	return lru.New[string](maxRenderedBytes, func(v *digest.Variant) int64 { return int64(len(v.HTML) + len(v.Text)) }, nil)
}

// renderAll renders the variants of an edition for some preferences, on all processors, and returns them
// by their keys. Preferences that no article matches have none. A page of a draft, its frames, its check
// and its fingerprint show the same mails, so variants are kept by all that they are made from.
func (e *Engine) renderAll(input digest.Input, all []digest.Preferences) (map[string]digest.Variant, error) {
	input = input.Sharing()
	made := hashOf([]any{input, e.Templates.Hash()})
	distinct := map[string]digest.Preferences{}
	var keys []string
	for _, prefs := range all {
		if _, found := distinct[prefs.Key()]; !found {
			distinct[prefs.Key()] = prefs
			keys = append(keys, prefs.Key())
		}
	}
	variants, errs := make([]digest.Variant, len(keys)), make([]error, len(keys))
	inParallel(len(keys), func(i int) { variants[i], errs[i] = e.renderCached(made, input, distinct[keys[i]]) })
	out := map[string]digest.Variant{}
	for i, key := range keys {
		if errors.Is(errs[i], digest.ErrEmpty) {
			continue
		}
		if errs[i] != nil {
			return nil, &renderError{errs[i]}
		}
		out[key] = variants[i]
	}
	return out, nil
}

// render renders one variant for a page, as renderAll does. It returns the errors of digest.Render.
func (e *Engine) render(input digest.Input, prefs digest.Preferences) (digest.Variant, error) {
	return e.renderCached(hashOf([]any{input, e.Templates.Hash()}), input, prefs)
}

// renderCached returns a variant of the input with this hash from the cache, or renders it.
func (e *Engine) renderCached(made string, input digest.Input, prefs digest.Preferences) (digest.Variant, error) {
	key := made + prefs.Key()
	if kept, ok := e.variantCache.Get(key); ok {
		return *kept, nil
	}
	v, err := digest.Render(input, prefs, e.Templates)
	if err == nil {
		e.variantCache.Put(key, &v)
	}
	return v, err
}
