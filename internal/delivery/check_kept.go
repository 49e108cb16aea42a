package delivery

import (
	"slices"

	"github.com/tidings-press/tidings/internal/digest"
	"github.com/tidings-press/tidings/internal/lint"
	"github.com/tidings-press/tidings/internal/lru"
)

// maxChecked is of how many editions the findings are kept.
const maxChecked = 100

// keptFindings are the findings of a check that needed no network.
type keptFindings struct{ findings []lint.Finding }

// newChecked returns the cache of findings, by a hash of everything that they are made from.
func newChecked() *lru.Cache[string, *keptFindings] {
	return lru.New[string](maxChecked, func(*keptFindings) int64 { return 1 }, nil)
}

// newReferences returns the cache of links and images, by a hash of the mails that have them.
func newReferences() *lru.Cache[string, *lint.References] {
	return lru.New[string](maxChecked, func(*lint.References) int64 { return 1 }, nil)
}

// references returns a hash of an edition's mails, and their links and images. The hash covers the
// articles and the variants, which hold nearly all of the edition's text.
func (e *Engine) references(checked *lint.Edition) (string, *lint.References) {
	mails := hashOf([]any{checked.Site, checked.Articles, checked.Variants})
	kept, found := e.linked.Get(mails)
	if !found {
		kept = lint.FindReferences(*checked)
		e.linked.Put(mails, kept)
	}
	return mails, kept
}

// localFindings returns the findings about an edition that need no network. A check reads each mail
// several times, and the page of a draft, its preview and its approval check the same mails: so the
// findings are kept by all that they are made from. mails is the hash of the mails. With samples, the mails
// of a sample subscriber are added to the edition in any case.
func (e *Engine) localFindings(issue digest.Input, checked *lint.Edition, mails string, samples bool) ([]lint.Finding, error) {
	fixed, err := e.settings(issue.Definition.Name)
	if err != nil {
		return nil, err
	}
	others := *checked
	others.Articles, others.Variants = nil, nil
	key := hashOf([]any{issue.ID, issue.Number, fixed, mails, others})
	kept, found := e.checked.Get(key)
	if !found || samples {
		if err := e.addSamples(issue, checked); err != nil {
			return nil, err
		}
	}
	if !found {
		kept = &keptFindings{lint.Check(*checked)}
		e.checked.Put(key, kept)
	}
	return slices.Clone(kept.findings), nil
}
