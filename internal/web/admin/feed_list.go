package admin

import (
	"cmp"
	"context"
	"net/http"
	"slices"
	"strings"

	"github.com/tidings-press/tidings/feed"
	"github.com/tidings-press/tidings/internal/article"
	"github.com/tidings-press/tidings/internal/config"
	"github.com/tidings-press/tidings/internal/settings"
	"github.com/tidings-press/tidings/internal/store"
	"github.com/tidings-press/tidings/internal/words"
)

// listedFeed is a feed with its addresses and readers.
type listedFeed struct {
	config.Feed
	Shown   string // title for people
	Formats []feedFormat
	Readers feed.Readers
	Items   []store.StoredArticle // the newest ones
}

// feedDefinition returns what the paths of a feed depend on, and its filter.
func feedDefinition(f config.Feed) (feed.Definition, article.Filter, error) {
	filter, err := f.Filter.Compile()
	d := feed.Definition{Kind: feed.Named, Name: f.Name}
	if f.Name == "all" && filter.String() == "" {
		d.Kind = feed.Everything
	}
	return d, filter, err
}

type feedFormat struct{ Name, ID, URL string }

// listedFeed returns a feed with at most limit of its newest articles.
func (h *Handler) listedFeed(ctx context.Context, f config.Feed, readers map[string]feed.Readers, limit int) (listedFeed, error) {
	d, filter, err := feedDefinition(f)
	if err != nil {
		return listedFeed{}, err
	}
	out := listedFeed{Feed: f, Shown: cmp.Or(f.Title, h.config.Site.Title.String()), Readers: readers[d.Base()]}
	site := strings.TrimRight(h.config.Site.URL, "/")
	for _, format := range []struct {
		name string
		is   feed.Format
	}{{"RSS", feed.FormatRSS}, {"Atom", feed.FormatAtom}, {"JSON", feed.FormatJSON}} {
		id := f.Name + "-" + strings.ToLower(format.name)
		out.Formats = append(out.Formats, feedFormat{format.name, id, site + d.Path(format.is, "")})
	}
	found, err := h.store.Search(ctx, store.Query{Filter: filter, Statuses: []article.Status{article.Published}, Order: store.ByAppearance, Limit: limit, AsOf: h.store.Now(), HTMLBudget: store.WithoutHTML})
	out.Items = found.Articles
	return out, err
}

func (h *Handler) feedReaders(ctx context.Context) (map[string]feed.Readers, error) {
	if h.readers == nil {
		return nil, nil
	}
	return h.readers(ctx)
}

// feeds shows the configured feeds.
func (h *Handler) feeds(w http.ResponseWriter, r *http.Request, session store.Session) error {
	readers, err := h.feedReaders(r.Context())
	if err != nil {
		return err
	}
	var body []listedFeed
	for _, f := range h.config.Feeds {
		one, err := h.listedFeed(r.Context(), f, readers, 1)
		if err != nil {
			return err
		}
		body = append(body, one)
	}
	return h.show(w, http.StatusOK, "feed_list", page{Title: "Feeds", Nav: "feeds", Editor: &session.Editor, Flash: flash(r), Body: body})
}

// feedPage is the data of the page of a feed.
type feedPage struct {
	listedFeed
	Form *settingForm
}

// itemsShown is how many of a feed's newest articles are shown.
const itemsShown = 10

func (h *Handler) feedPage(r *http.Request) (feedPage, error) {
	now, err := h.settings.Load(r.Context())
	if err != nil {
		return feedPage{}, err
	}
	name := r.PathValue("name")
	i := slices.IndexFunc(now.Config.Feeds, func(f config.Feed) bool { return f.Name == name })
	if i < 0 {
		return feedPage{}, store.ErrNotFound
	}
	readers, err := h.feedReaders(r.Context())
	if err != nil {
		return feedPage{}, err
	}
	listed, err := h.listedFeed(r.Context(), now.Config.Feeds[i], readers, itemsShown)
	return feedPage{listed, newSettingForm(now, feedSections, "feeds["+name+"]", "/admin/feeds/"+name)}, err
}

// feed shows a feed: its newest items, and its settings.
func (h *Handler) feed(w http.ResponseWriter, r *http.Request, session store.Session) error {
	body, err := h.feedPage(r)
	if err != nil {
		return err
	}
	return h.showFeed(w, r, session, http.StatusOK, body)
}

func (h *Handler) showFeed(w http.ResponseWriter, r *http.Request, session store.Session, status int, body feedPage) error {
	return h.show(w, status, "feed_show", page{Title: words.Verbatim(body.Shown), Nav: "feeds", Editor: &session.Editor, Flash: flash(r), Body: body})
}

// changeFeed stores the settings of a feed.
func (h *Handler) changeFeed(w http.ResponseWriter, r *http.Request, session store.Session) error {
	body, err := h.feedPage(r)
	if err != nil {
		return err
	}
	if err := r.ParseForm(); err != nil {
		return err
	}
	stored, err := h.changeSettings(r, session, body.Form)
	if err != nil {
		return err
	}
	if !stored {
		return h.showFeed(w, r, session, http.StatusUnprocessableEntity, body)
	}
	return redirectWithFlash(w, r, "/admin/feeds/"+r.PathValue("name"), "settings")
}

// addFeed adds a feed with a title and a tag.
func (h *Handler) addFeed(w http.ResponseWriter, r *http.Request, session store.Session) error {
	title, tag := strings.TrimSpace(r.PostFormValue("title")), strings.TrimSpace(r.PostFormValue("tag"))
	name := strings.Trim(truncate(article.Slugify(title), 50), "-")
	now, err := h.settings.Load(r.Context())
	if err != nil {
		return err
	}
	taken := slices.ContainsFunc(now.Config.Feeds, func(f config.Feed) bool { return f.Name == name })
	if !digestName.MatchString(name) || taken {
		return invalid("The feed was not added", "Write a title with letters or digits that no other feed has.", "/admin/feeds")
	}
	entry := "feeds[" + name + "]"
	form := &settingForm{Revision: now.Revision}
	changes := []settings.Change{{Key: entry, Value: config.AddedEntry}, textChange(entry+".title", title)}
	if tag != "" {
		changes = append(changes, listChange(entry+".filter.tags", tag))
	}
	stored, err := h.changeSettings(r, session, form, changes...)
	if err != nil {
		return err
	}
	if !stored {
		return &userError{Status: http.StatusUnprocessableEntity, Title: "The feed was not added", Text: words.Joined("\n", form.Problems...), Link: "/admin/feeds"}
	}
	return redirectWithFlash(w, r, "/admin/feeds/"+name, "settings")
}
