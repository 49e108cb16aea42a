package app

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"html/template"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/tidings-press/tidings/feed"
	"github.com/tidings-press/tidings/internal/article"
	"github.com/tidings-press/tidings/internal/config"
	"github.com/tidings-press/tidings/internal/digest"
	"github.com/tidings-press/tidings/internal/feedserver"
	"github.com/tidings-press/tidings/internal/lru"
	"github.com/tidings-press/tidings/internal/store"
	"github.com/tidings-press/tidings/templates"
)

// editionFeeds reads the feeds of the editions of digests from the store.
type editionFeeds struct {
	store     *store.Store
	config    *config.Config
	templates *templates.Set
	entries   *lru.Cache[editionKey, *article.Article]
}

// editionKey identifies an edition as feeds show it: for one revision of the articles, and for a
// minute, since articles expire without a change.
type editionKey struct {
	id               string
	revision, minute int64
}

const (
	// maxFeedEditions is how many editions the feed of a digest has.
	maxFeedEditions = 500
	// maxEditionHTML is the maximum size of an edition in a feed, in bytes of HTML. A larger one has
	// the summaries of its articles.
	maxEditionHTML = 1 << 20
	// maxEditionCache is the maximum size of the cache of editions in bytes.
	maxEditionCache = 8 << 20
)

func newEditionFeeds(s *Service) *editionFeeds {
	size := func(a *article.Article) int64 { return int64(len(a.HTML) + len(a.Summary) + 1024) }
	return &editionFeeds{store: s.Store, config: s.Config, templates: s.Templates, entries: lru.New[editionKey](maxEditionCache, size, nil)}
}

// find returns the editions of a digest whose sending has started, as articles.
func (f *editionFeeds) find(ctx context.Context, q feedserver.Query) ([]feed.Item, error) {
	if f == nil || q.Removed {
		return nil, nil
	}
	all, err := f.store.StartedEditions(ctx, q.Digest, math.MaxInt32, maxFeedEditions)
	if err != nil {
		return nil, err
	}
	all = slices.DeleteFunc(all, func(e store.Edition) bool {
		place := placeOf(e)
		return !q.Before.IsZero() && place.Compare(q.Before) >= 0 || !q.After.IsZero() && place.Compare(q.After) <= 0
	})
	slices.SortFunc(all, func(a, b store.Edition) int {
		if q.After.IsZero() {
			a, b = b, a
		}
		return placeOf(a).Compare(placeOf(b))
	})
	all = all[:min(len(all), q.Limit)]
	last, err := f.store.LastChange(ctx)
	if err != nil {
		return nil, err
	}
	items := make([]feed.Item, len(all))
	for i, e := range all {
		items[i] = feed.Item{Article: article.Article{ID: e.ID}, Position: placeOf(e)}
		if q.IDs {
			continue
		}
		entry, err := f.entry(ctx, e.ID, last.Revision)
		if err != nil {
			return nil, err
		}
		items[i].Article = *entry
		if q.MaxHTML -= len(entry.HTML); q.MaxHTML < 0 {
			items[i].Article.HTML = ""
		}
	}
	return items, nil
}

func placeOf(e store.Edition) feed.Position {
	return feed.Position{Appeared: e.Started.UnixMilli(), Seq: e.Seq}
}

// entry returns an edition as an article whose page is the public one.
func (f *editionFeeds) entry(ctx context.Context, id string, revision int64) (*article.Article, error) {
	now := f.store.Now()
	key := editionKey{id, revision, now.Unix() / 60}
	if entry, ok := f.entries.Get(key); ok {
		return entry, nil
	}
	e, err := f.store.Edition(ctx, id)
	if err != nil {
		return nil, err
	}
	found, err := f.store.ArticlesByID(ctx, e.Articles)
	if err != nil {
		return nil, err
	}
	shown, current := e.Edition.Public(found, now)
	input, err := digest.PublicInput(f.config, shown, current)
	if err != nil {
		return nil, err
	}
	input.Edits, input.Audience = e.Edits, e.Audience
	entry := &article.Article{
		ID: e.ID, Source: "edition:" + e.ID, Slug: e.ID, URL: shown.PagePath(), Title: shown.Subject, Language: input.Definition.Language,
		Published: e.Started, Updated: e.Started, Ingested: e.Created, Status: article.Published, Hash: e.ID + string(e.State),
	}
	if entry.Title == "" {
		if entry.Title, err = f.title(input); err != nil {
			return nil, err
		}
	}
	if err := f.fill(ctx, entry, input); err != nil {
		return nil, fmt.Errorf("edition %s: %w", e.ID, err)
	}
	f.entries.Put(key, entry)
	return entry, nil
}

// title returns the title of an edition without a subject.
func (f *editionFeeds) title(input digest.Input) (string, error) {
	language := cmp.Or(input.Definition.Language, f.config.Site.Language)
	number, err := f.templates.Page(templates.Site{}, language).Phrase("edition", strconv.Itoa(input.Number))
	return input.Definition.Title.In(language) + ", " + number, err
}

// fill adds the summary and the text of an edition: its articles in full, except for those that it has
// by their titles alone.
func (f *editionFeeds) fill(ctx context.Context, entry *article.Article, input digest.Input) error {
	var names, titles []string
	for i := range input.Articles {
		names = append(names, input.Articles[i].MediaNames()...)
	}
	for _, a := range input.Arranged() {
		titles = append(titles, a.Title)
	}
	entry.Summary = strings.Join(titles, " · ")
	pictures, _, err := f.store.Pictures(ctx, names)
	if err != nil {
		return err
	}
	contents, err := digest.ContentsOf(input, "", f.templates)
	if err != nil {
		return err
	}
	if entry.HTML, err = editionHTML(contents, pictures, true); err == nil && len(entry.HTML) > maxEditionHTML {
		entry.HTML, err = editionHTML(contents, pictures, false)
	}
	return err
}

// editionEntry is the template of an edition in a feed. The server of feeds makes all addresses in it
// absolute, and sanitizes it like articles.
var editionEntry = template.Must(template.New("edition").Parse(`{{.Intro}}
{{- with .Sponsor}}<aside><p>{{with .Label}}{{.}}: {{end}}{{with .URL}}<a href="{{.}}">{{.}}</a>{{end}}</p>{{.HTML}}</aside>{{end}}
{{- range .Sections}}{{with .Heading}}<h2>{{.}}</h2>{{end}}
{{- range .Articles}}<section{{with .Language}} lang="{{.}}"{{end}} dir="{{.Direction}}"><h3><a href="{{.Link}}">{{.Title}}</a></h3>
{{- with .Lead}}<p><img src="{{.URL}}" alt="{{.Alt}}"></p>{{end}}{{.Body}}</section>{{end}}{{end}}{{.Outro}}`))

// entryArticle is an article of an edition in a feed.
type entryArticle struct {
	article.Article
	Link string
	Lead *article.Image // its image, unless its text has it
	Body template.HTML
}

// editionHTML returns an edition as HTML, with the articles in full or with their summaries.
func editionHTML(contents digest.Contents, pictures article.Pictures, full bool) (string, error) {
	type section struct {
		Heading  string
		Articles []entryArticle
	}
	data := struct {
		digest.Contents
		Sections []section
	}{Contents: contents}
	for _, s := range contents.Sections {
		out := section{Heading: s.Heading}
		for _, a := range s.Articles {
			out.Articles = append(out.Articles, newEntryArticle(a, pictures, full && a.Form != digest.TitleForm))
		}
		data.Sections = append(data.Sections, out)
	}
	var out bytes.Buffer
	err := editionEntry.Execute(&out, data)
	return out.String(), err
}

func newEntryArticle(a digest.ContentArticle, pictures article.Pictures, full bool) entryArticle {
	out := entryArticle{Article: a.Article, Link: cmp.Or(a.URL, a.Path())}
	switch {
	case full:
		out.Body = template.HTML(pictures.FeedHTML(a.HTML)) //nolint:gosec // sanitized at import
		if a.Image != nil && !strings.Contains(a.HTML, template.HTMLEscapeString(a.Image.URL)) {
			out.Lead = a.Image
			if picture, stored := pictures.At(a.Image.URL, ""); stored {
				out.Lead = picture.Lead(a.Image)
			}
		}
	case a.Form != digest.TitleForm && a.Summary != "":
		out.Body = template.HTML("<p>" + template.HTMLEscapeString(a.Summary) + "</p>") //nolint:gosec // escaped
	}
	return out
}
