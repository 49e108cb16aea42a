package public

import (
	"errors"
	"net/http"

	"github.com/tidings-press/tidings/internal/article"
	"github.com/tidings-press/tidings/internal/store"
)

// articlePage is one article.
type articlePage struct {
	*article.Article
	Elsewhere string // its canonical address when that is not here
	Lead      bool   // its image is not in its text, so it goes on top
}

func (p *Pages) article(w http.ResponseWriter, r *http.Request) error {
	a, err := p.store.ArticleBySlug(r.Context(), r.PathValue("slug"))
	if errors.Is(err, store.ErrNotFound) {
		return p.elsewhere(w, r)
	}
	if err != nil {
		return err
	}
	switch {
	case a.Status == article.Removed:
		return p.gone(r)
	case !a.Readable(p.store.Now()):
		return store.ErrNotFound // a draft, or one of the future or the past
	case a.Status == article.Unlisted:
		w.Header().Set("X-Robots-Tag", "noindex")
	}
	r = p.withLanguage(r, a.Language)
	body := articlePage{Article: &a, Elsewhere: a.URL, Lead: leads(&a)}
	description := describe(&a)
	v := page{
		Title: a.Title, Description: description, Canonical: a.URLFor(p.config.Site.URL), Language: a.Language, Direction: a.Direction(),
		Body: body, Share: p.shareArticle(&a, description),
	}
	return p.show(w, r, http.StatusOK, "article", v)
}

func (p *Pages) gone(r *http.Request) error {
	return &refusal{
		status: http.StatusGone, title: p.in(r.Context()).say("This article was removed"),
		Text: p.in(r.Context()).say("It will not return to this address. The front page has the latest articles."),
		Link: "/", Label: p.in(r.Context()).say("Go to the front page"),
	}
}

// elsewhere sends readers from old addresses to the present ones, for ever.
func (p *Pages) elsewhere(w http.ResponseWriter, r *http.Request) error {
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		return &refusal{
			status: http.StatusMethodNotAllowed, title: p.in(r.Context()).say("That did not work"),
			Text: p.in(r.Context()).say("This address accepts only GET requests."), Link: "/", Label: p.in(r.Context()).say("Go to the front page"),
		}
	}
	target, err := p.store.Redirect(r.Context(), r.URL.Path)
	if err != nil {
		return err
	}
	w.Header().Set("Cache-Control", "public, max-age=3600")
	http.Redirect(w, r, target, http.StatusMovedPermanently)
	return nil
}
