package admin

import (
	"net/http"

	"github.com/tidings-press/tidings/internal/article"
	"github.com/tidings-press/tidings/internal/delivery"
	"github.com/tidings-press/tidings/internal/store"
)

// articleWherePage is the data of the page about the feeds and editions that an article is in.
type articleWherePage struct {
	*article.Article
	Badge   string
	Listed  bool // readers see it in feeds and lists now
	Feeds   []feedOfArticle
	Digests []digestOfArticle
}

// feedOfArticle is a feed, and whether its filter selects the article.
type feedOfArticle struct {
	Title    string // the name if it has none; empty for the feed of all articles
	Path     string
	Filter   string
	Selected bool
}

// digestOfArticle explains whether an article is in the next edition of a digest.
type digestOfArticle struct {
	Name, Title string
	Plan        delivery.ArticlePlan
	Problem     error // why there is no plan
}

// articleWhere shows the feeds and editions that an article is in, and why it is not in others.
func (h *Handler) articleWhere(w http.ResponseWriter, r *http.Request, session store.Session) error {
	a, err := h.store.Article(r.Context(), r.PathValue("id"))
	if err != nil {
		return err
	}
	now := h.store.Now()
	body := articleWherePage{Article: &a, Badge: articleBadge(&a, now), Listed: a.Listed(now), Feeds: []feedOfArticle{{Path: "/feed.xml", Selected: true}}}
	for _, f := range h.config.Feeds {
		filter, err := f.Filter.Compile()
		if err != nil {
			return err
		}
		one := feedOfArticle{Title: f.Title, Path: "/feeds/" + f.Name + ".xml", Filter: filter.String(), Selected: filter.Match(&a)}
		if one.Title == "" {
			one.Title = f.Name
		}
		body.Feeds = append(body.Feeds, one)
	}
	for _, d := range h.config.Digests {
		one := digestOfArticle{Name: d.Name, Title: h.digestTitle(d.Name)}
		one.Plan, one.Problem = h.engine.PlanArticle(r.Context(), d.Name, a)
		body.Digests = append(body.Digests, one)
	}
	return h.show(w, http.StatusOK, "article_where", page{Title: "Where it appears", Nav: "articles", Editor: &session.Editor, Body: body})
}
