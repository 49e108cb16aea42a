package delivery

import (
	"context"

	"github.com/tidings-press/tidings/internal/article"
	"github.com/tidings-press/tidings/internal/digest"
)

// PreviewArticle renders an edition that contains only one article, which may not be stored yet: of the
// first digest whose filter selects it, or else of the first digest. It returns the digest's name, which
// is empty if there are no digests.
func (e *Engine) PreviewArticle(ctx context.Context, a article.Article) (digest.Variant, string, error) {
	var def *Definition
	for i := range e.Digests {
		one := &e.Digests[i]
		if def == nil || one.Filter.Match(&a) && !def.Filter.Match(&a) {
			def = one
		}
	}
	if def == nil {
		return digest.Variant{}, "", nil
	}
	articles := []article.Article{a}
	pictures, err := e.pictures(ctx, articles, digest.Edits{}, def.Definition)
	if err != nil {
		return digest.Variant{}, def.Name, err
	}
	in := digest.Input{
		ID: e.names.EditionID(def.Name, previewKey()), Definition: def.Definition, Number: 1, Site: e.Site, Articles: articles,
		Pictures: pictures, Date: e.Store.Now(), Layout: def.Layout,
	}
	v, err := digest.Render(in, digest.Preferences{}, e.Templates)
	return v, def.Name, err
}
