package delivery

import (
	"slices"

	"github.com/tidings-press/tidings/internal/digest"
	"github.com/tidings-press/tidings/internal/lint"
	"github.com/tidings-press/tidings/internal/lru"
)

// maxChecked bounds the cache of findings, in editions.
const maxChecked = 100

// cachedFindings are the findings of a check that needed no network.
type cachedFindings struct{ findings []lint.Finding }

// newFindingsCache returns the cache of findings, by a hash of everything that they are made from.
func newFindingsCache() *lru.Cache[string, *cachedFindings] {
	return lru.New[string](maxChecked, func(*cachedFindings) int64 { return 1 }, nil)
}

// newReferenceCache returns the cache of links and images, by a hash of the mails that have them.
func newReferenceCache() *lru.Cache[string, *lint.References] {
	return lru.New[string](maxChecked, func(*lint.References) int64 { return 1 }, nil)
}

// references returns a hash of an edition's mails, and their links and images. The hash covers the
// articles and the variants, which hold nearly all of the edition's text.
func (e *Engine) references(checked *lint.Edition) (string, *lint.References) {
	mails := hashOf([]any{checked.Site, checked.Articles, checked.Variants})
	kept, found := e.referenceCache.Get(mails)
	if !found {
		kept = lint.FindReferences(*checked)
		e.referenceCache.Put(mails, kept)
	}
	return mails, kept
}

// localFindings returns the findings about an edition that need no network. A check reads each mail
// several times, and the page of a draft, its preview and its approval check the same mails: so the
// findings are cached by a hash of all that they are made from. mails is the hash of the mails. With samples, the mails
// of a sample subscriber are added to the edition in any case.
func (e *Engine) localFindings(input digest.Input, checked *lint.Edition, mails string, samples bool) ([]lint.Finding, error) {
	fixed, err := e.settings(input.Definition.Name)
	if err != nil {
		return nil, err
	}
	others := *checked
	others.Articles, others.Variants = nil, nil
	key := hashOf([]any{input.ID, input.Number, fixed, mails, others})
	kept, found := e.findingsCache.Get(key)
	if !found || samples {
		if err := e.addSamples(input, checked); err != nil {
			return nil, err
		}
	}
	if !found {
		kept = &cachedFindings{lint.Check(*checked)}
		e.findingsCache.Put(key, kept)
	}
	return slices.Clone(kept.findings), nil
}
