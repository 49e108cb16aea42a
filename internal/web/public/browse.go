package public

import (
	"cmp"
	"net/http"

	"github.com/tidings-press/tidings/feed"
)

// browsePage is the data of the page that explains a feed.
type browsePage struct {
	Name    string
	Address string
	Feeds   []feedLink
	Home    string
	Private bool
}

// Browse answers browsers that open a feed with a page: browsers show feeds as raw text, and
// their support for XSLT is being removed.
func (p *Pages) Browse(w http.ResponseWriter, r *http.Request, d feed.Definition) {
	header := w.Header()
	header.Set("Content-Security-Policy", policy)
	header.Set("Referrer-Policy", "no-referrer")
	header.Set("Vary", "Sec-Fetch-Mode, Accept-Encoding")
	r = p.withChrome(r)
	body := browsePage{
		Name: cmp.Or(d.Title, d.Name, p.config.Site.Title), Address: p.config.Site.URL + r.URL.RequestURI(),
		Home: cmp.Or(d.Home, "/"), Private: d.Kind == feed.Private,
	}
	if body.Private {
		body.Name = p.config.Site.Title // the name of a private feed is its token
	} else {
		body.Feeds = p.links(body.Name, d)
	}
	// Not to be cached in place of the feed.
	v := page{Title: p.in(r.Context()).say("Feeds"), NoIndex: true, Narrow: true, Body: body, Feeds: body.Feeds}
	if err := p.show(w, r, http.StatusOK, "browse", v); err != nil {
		p.fail(w, r, err)
	}
}
