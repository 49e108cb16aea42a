package public

import (
	"cmp"
	"context"
	"errors"
	"net/http"
	"strings"

	"github.com/tidings-press/tidings/internal/article"
	"github.com/tidings-press/tidings/internal/store"
)

// articlePage is the data of an article's page.
type articlePage struct {
	*article.Article
	Elsewhere string // its canonical address if it is on another site
	Lead      bool   // show its image above the text, which does not contain it
	Srcset    string // copies of that image for the browser to choose from; may be empty
	Sizes     string // how wide images are shown, for the attribute of that name

	Previous, Next *article.Article // by date; nil at the ends
	Related        []article.Article
	Form           subscribeForm
}

// mostRelated is how many articles on the same topics are shown below an article.
const mostRelated = 4

func (p *Pages) article(w http.ResponseWriter, r *http.Request) error {
	a, err := p.store.ArticleBySlug(r.Context(), r.PathValue("slug"))
	if errors.Is(err, store.ErrNotFound) {
		return p.redirectFormer(w, r)
	}
	if err != nil {
		return err
	}
	switch {
	case a.Status == article.Removed:
		return p.removedArticle(r)
	case !a.Readable(p.store.Now()):
		return store.ErrNotFound // a draft, not published yet, or expired
	case a.Status == article.Unlisted:
		w.Header().Set("X-Robots-Tag", "noindex")
	}
	if err := p.store.AddTranslations(r.Context(), []*article.Article{&a}); err != nil {
		return err
	}
	for i := range a.Translations {
		a.Translations[i].Language = cmp.Or(a.Translations[i].Language, p.config.Site.Language)
	}
	r = p.withLanguage(r, a.Language)
	body := p.articlePage(r.Context(), &a)
	if a.Status == article.Published {
		if body.Previous, body.Next, err = p.store.Neighbours(r.Context(), a.ID); err != nil {
			return err
		}
	}
	if body.Related, err = p.store.Related(r.Context(), &a, mostRelated); err != nil {
		return err
	}
	if err := p.choosePictures(r.Context(), &body); err != nil {
		return err
	}
	return p.show(w, r, http.StatusOK, "article", p.pageOf(&body))
}

// articlePage returns the data of an article's page, without what stands beside the article.
func (p *Pages) articlePage(ctx context.Context, a *article.Article) articlePage {
	return articlePage{Article: a, Elsewhere: a.URL, Lead: hasLeadImage(a), Sizes: imageSizes, Form: p.emptyForm(ctx)}
}

// pageOf returns the page of an article, whose pictures were chosen.
func (p *Pages) pageOf(body *articlePage) page {
	a, description := body.Article, describe(body.Article)
	return page{
		Title: a.Title, Description: description, Canonical: a.URLFor(p.config.Site.URL), Language: a.Language, Direction: a.Direction(),
		Metadata: p.articleMetadata(a, description), Translations: p.translations(a), Body: *body,
	}
}

// PreviewArticle returns the page of an article that may not be stored yet, for editors.
func (p *Pages) PreviewArticle(r *http.Request, a article.Article) ([]byte, error) {
	r = p.withLanguage(r, a.Language)
	body := p.articlePage(r.Context(), &a)
	if err := p.choosePictures(r.Context(), &body); err != nil {
		return nil, err
	}
	v := p.pageOf(&body)
	v.NoIndex = true
	return p.fill(r.Context(), "article", v)
}

// translations returns the absolute addresses of an article in all languages, its own included,
// for search engines. It returns none for an article without translations.
func (p *Pages) translations(a *article.Article) []article.Translation {
	if len(a.Translations) == 0 {
		return nil
	}
	out := []article.Translation{{Language: cmp.Or(a.Language, p.config.Site.Language), URL: a.URLFor(p.config.Site.URL)}}
	for _, t := range a.Translations {
		out = append(out, article.Translation{Language: t.Language, URL: article.Absolute(t.URL, p.config.Site.URL)})
	}
	return out
}

func (p *Pages) removedArticle(r *http.Request) error {
	return &refusal{
		status: http.StatusGone, title: p.layout(r.Context()).Say("This article was removed"),
		Text: p.layout(r.Context()).Say("It will not return to this address. The front page has the latest articles."),
		Link: "/", Label: p.layout(r.Context()).Say("Go to the front page"),
	}
}

// redirectFormer redirects former paths of articles permanently to the current ones.
func (p *Pages) redirectFormer(w http.ResponseWriter, r *http.Request) error {
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		w.Header().Set("Allow", allowedMethods(r.URL.Path)) // RFC 9110, section 15.5.6
		return &refusal{
			status: http.StatusMethodNotAllowed, title: p.layout(r.Context()).Say("This page accepts no form"),
			Text: p.layout(r.Context()).Say("This address accepts only GET requests."), Link: "/", Label: p.layout(r.Context()).Say("Go to the front page"),
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

// allowedMethods returns the methods that a path takes, for the header Allow.
func allowedMethods(path string) string {
	first, rest, _ := strings.Cut(strings.TrimPrefix(path, "/"), "/")
	switch first {
	case "subscribe", "confirm", "unsubscribe", "preferences", "erase", "export":
		return "GET, HEAD, POST"
	case "editions":
		if strings.Contains(rest, "/feedback/") {
			return "GET, HEAD, POST"
		}
	}
	return "GET, HEAD"
}
