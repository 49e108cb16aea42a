package public

import (
	"context"
	"math"
	"net/http"
	"net/url"
	"strings"

	"github.com/tidings-press/tidings/feed"
	"github.com/tidings-press/tidings/internal/article"
	"github.com/tidings-press/tidings/internal/store"
	"github.com/tidings-press/tidings/internal/words"
)

// listPage is the data of the page of a tag, author or language.
type listPage struct {
	Kind     string
	Name     string
	Articles []card
	Older    string
	First    bool
	Lead     bool // always false; the shared template uses it
	Feeds    []feedLink
}

// selection describes the list of a tag, author or language.
type selection struct {
	kind     feed.Kind
	title    string
	about    string // one sentence
	name     string
	path     string
	language string // of the name
	filter   article.Node
}

func (p *Pages) tag(w http.ResponseWriter, r *http.Request) error {
	name, err := p.requestedName(r, p.store.TagSpelling)
	if err != nil {
		return err
	}
	c := p.layout(r.Context())
	return p.showList(w, r, selection{
		kind: feed.ByTag, title: c.Say("Tag"), about: c.Say("Articles on {0}, the newest first.", name), name: name,
		path: feed.TagPath(name), filter: article.Tag{Key: article.TagKey(name)},
	})
}

func (p *Pages) author(w http.ResponseWriter, r *http.Request) error {
	name, err := p.requestedName(r, p.store.AuthorSpelling)
	if err != nil {
		return err
	}
	c := p.layout(r.Context())
	return p.showList(w, r, selection{
		kind: feed.ByAuthor, title: c.Say("Author"), about: c.Say("Articles by {0}, the newest first.", name), name: name,
		path: feed.AuthorPath(name), filter: article.By{Key: article.AuthorKey(name)},
	})
}

func (p *Pages) language(w http.ResponseWriter, r *http.Request) error {
	tag, err := p.requestedName(r, p.store.LanguageSpelling)
	if err != nil {
		return err
	}
	r = p.withLanguage(r, tag)
	c := p.layout(r.Context())
	return p.showList(w, r, selection{
		kind: feed.ByLanguage, title: c.Say("Language"), about: c.Say("Articles in this language, the newest first: {0}.", words.NameOf(tag)), name: tag,
		path: feed.LanguagePath(tag), language: tag, filter: article.Language{Tag: tag},
	})
}

// requestedName returns the name in a request's path in the spelling of the articles.
func (p *Pages) requestedName(r *http.Request, spelling func(context.Context, string) (string, error)) (string, error) {
	name, err := feed.ParseSegment(segment(r.URL.EscapedPath()))
	if err != nil {
		return "", store.ErrNotFound
	}
	return spelling(r.Context(), name)
}

// segment returns the second element of a path, still percent-encoded, since names may contain
// slashes.
func segment(escaped string) string {
	parts := strings.SplitN(strings.TrimPrefix(escaped, "/"), "/", 3)
	if len(parts) < 2 {
		return ""
	}
	return parts[1]
}

func (p *Pages) showList(w http.ResponseWriter, r *http.Request, s selection) error {
	if r.URL.EscapedPath() != s.path { // another spelling of the same name
		target := s.path
		if r.URL.RawQuery != "" {
			target += "?" + r.URL.RawQuery
		}
		http.Redirect(w, r, target, http.StatusMovedPermanently)
		return nil
	}
	name := s.name
	if s.kind == feed.ByLanguage {
		name = words.NameOf(s.name)
	}
	links := p.links(name, feed.Definition{Kind: s.kind, Name: s.name})
	body := listPage{Kind: s.title, Name: name, First: r.URL.Query().Get("before") == "", Feeds: links}
	var err error
	if body.Articles, body.Older, err = p.list(r.Context(), article.Filter{Expr: s.filter}, r.URL); err != nil {
		return err
	}
	if body.First && len(body.Articles) == 0 { // only articles that are not public yet have the name
		return store.ErrNotFound
	}
	v := page{Title: name, Description: s.about, Canonical: p.config.Site.URL + canonicalPath(r, s.path), Feeds: links, NoIndex: !body.First, Body: body}
	return p.show(w, r, http.StatusOK, "list", v)
}

// canonicalPath returns a path with the position of an older page, which is a page of its own.
func canonicalPath(r *http.Request, path string) string {
	if before := r.URL.Query().Get("before"); before != "" {
		return path + "?" + url.Values{"before": {before}}.Encode()
	}
	return path
}

// indexPage is the data of the page of all tags, authors and languages.
type indexPage struct {
	Find                     string // what the names have to contain
	Tags, Authors, Languages []labelView
}

// labelView is a tag, author or language with its page. Its weight is 1 to 5: the more articles it
// has, the larger it is shown.
type labelView struct {
	store.LabelCount
	Path     string
	Language string // of the name
	Weight   int
}

// mostLabels is how many tags and authors are shown.
const mostLabels = 1000

func (p *Pages) tags(w http.ResponseWriter, r *http.Request) error {
	find := r.URL.Query().Get("find")
	if len(find) > maxFind {
		return store.ErrNotFound
	}
	body := indexPage{Find: find}
	tags, err := p.store.TopTags(r.Context(), mostLabels)
	if err != nil {
		return err
	}
	authors, err := p.store.TopAuthors(r.Context(), mostLabels)
	if err != nil {
		return err
	}
	languages, err := p.articleLanguages(r.Context())
	if err != nil {
		return err
	}
	key := article.TagKey(find)
	body.Tags, body.Authors = viewLabels(tags, feed.TagPath, key), viewLabels(authors, feed.AuthorPath, key)
	for _, l := range viewLabels(languages, feed.LanguagePath, "") {
		l.Name, l.Language = words.NameOf(l.Name), l.Name
		if strings.Contains(article.TagKey(l.Name), key) { // the name is what the page shows
			body.Languages = append(body.Languages, l)
		}
	}
	c := p.layout(r.Context())
	v := page{
		Title: c.Say("Topics"), Description: c.Say("All topics, authors and languages of {0}.", p.text(r.Context(), p.config.Site.Title)), Canonical: p.config.Site.URL + "/tags/",
		NoIndex: find != "", Script: true, Body: body,
	}
	return p.show(w, r, http.StatusOK, "tags", v)
}

// maxFind bounds what names are filtered by, in bytes.
const maxFind = 400

// viewLabels returns the labels whose key contains a text.
func viewLabels(all []store.LabelCount, path func(string) string, contains string) []labelView {
	most := int64(1)
	for _, l := range all {
		most = max(most, l.Articles)
	}
	var out []labelView
	for _, l := range all {
		if l.Name != "" && strings.Contains(l.Key, contains) {
			weight := 1 + int(4*math.Log(float64(l.Articles))/math.Log(float64(most)+1)+0.5)
			out = append(out, labelView{LabelCount: l, Path: path(l.Name), Weight: min(max(weight, 1), 5)})
		}
	}
	return out
}

// articleLanguages returns the languages of the articles, or nil if there is only one.
func (p *Pages) articleLanguages(ctx context.Context) ([]store.LabelCount, error) {
	all, err := p.store.Languages(ctx)
	if len(all) < 2 {
		return nil, err
	}
	return all, err
}
