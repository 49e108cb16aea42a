package public

import (
	"cmp"
	"net/http"
	"time"

	"github.com/tidings-press/tidings/feed"
	"github.com/tidings-press/tidings/internal/store"
)

// readersMaxAge is the maximum age of the numbers of readers, which are stored once a minute.
const readersMaxAge = time.Minute

// feedsPage is the data of the page that lists and explains all feeds.
type feedsPage struct {
	Listing   feed.Listing
	Tags      []store.LabelCount
	Authors   []store.LabelCount
	Languages []store.LabelCount
	Site      string
}

func (p *Pages) feedList(w http.ResponseWriter, r *http.Request) error {
	body := feedsPage{Site: p.config.Site.URL}
	definitions := []feed.Definition{{Kind: feed.Everything}}
	if p.feeds != nil {
		definitions = p.feeds.Definitions()
	}
	site := feed.Site{Title: p.text(r.Context(), p.config.Site.Title), Description: p.text(r.Context(), p.config.Site.Description), URL: p.config.Site.URL, Language: p.config.Site.Language}
	var readers map[string]feed.Readers
	if p.readers != nil {
		var err error
		if readers, err = p.readers(r.Context()); err != nil {
			return err
		}
	}
	body.Listing = feed.List(site, definitions, nil, readers)
	for i, group := range body.Listing.Groups {
		body.Listing.Groups[i].Title = p.layout(r.Context()).Say(group.Title)
		for j := range group.Feeds {
			group.Feeds[j].Title = cmp.Or(group.Feeds[j].Title, site.Title)
		}
	}
	var err error
	if body.Tags, err = p.store.TopTags(r.Context(), 60); err != nil {
		return err
	}
	if body.Authors, err = p.store.TopAuthors(r.Context(), 60); err != nil {
		return err
	}
	if body.Languages, err = p.articleLanguages(r.Context()); err != nil {
		return err
	}
	limitCaching(w, readersMaxAge)
	v := page{Title: p.layout(r.Context()).Say("Feeds"), Description: p.layout(r.Context()).Say("All feeds of {0}: RSS, Atom and JSON, by topic, author and language.", site.Title), Canonical: p.config.Site.URL + "/feeds", Feeds: p.allLinks(r.Context()), Script: true, Body: body}
	return p.show(w, r, http.StatusOK, "feeds", v)
}
