package public

import (
	"context"
	"encoding/xml"
	"net/http"
	"strconv"
	"time"

	"github.com/tidings-press/tidings/feed"
	"github.com/tidings-press/tidings/internal/article"
	"github.com/tidings-press/tidings/internal/digest"
	"github.com/tidings-press/tidings/internal/store"
)

// sitemapPart is the number of consecutive article numbers in a sitemap. The protocol
// (sitemaps.org) allows 50,000 addresses and 50 MB.
const sitemapPart = 20_000

// maxListed is the maximum number each of tags, authors and editions in a sitemap.
const maxListed = 5000

// sitemap is a sitemap or an index of sitemaps. Entries have a date only if it is known.
type sitemap struct {
	XMLName xml.Name
	XMLNS   string         `xml:"xmlns,attr"`
	Entries []sitemapEntry `xml:",any"`
}

type sitemapEntry struct {
	XMLName  xml.Name
	Location string `xml:"loc"`
	Changed  string `xml:"lastmod,omitempty"`
}

func (s *sitemap) add(location string, changed time.Time) {
	name := "url"
	if s.XMLName.Local == "sitemapindex" {
		name = "sitemap"
	}
	entry := sitemapEntry{XMLName: xml.Name{Local: name}, Location: location}
	if !changed.IsZero() {
		entry.Changed = changed.UTC().Format(time.RFC3339)
	}
	s.Entries = append(s.Entries, entry)
}

// sitemap answers /sitemap.xml: all pages in one document, or for a large archive an index of
// documents, each with the articles of one part. Articles that were first published elsewhere are
// left out, because their canonical address is there.
func (p *Pages) sitemap(w http.ResponseWriter, r *http.Request) error {
	parts, err := p.store.ArticlePathParts(r.Context(), p.sitemapPart)
	if err != nil {
		return err
	}
	out := sitemap{XMLName: xml.Name{Local: "urlset"}, XMLNS: "http://www.sitemaps.org/schemas/sitemap/0.9"}
	part := r.URL.Query().Get("part")
	switch {
	case part == "" && len(parts) > 1:
		out.XMLName.Local = "sitemapindex"
		base := p.config.Site.URL + "/sitemap.xml?part="
		out.add(base+"pages", time.Time{})
		for _, one := range parts {
			out.add(base+strconv.FormatInt(one.Number, 10), one.Changed)
		}
	case part == "":
		if err = p.listPages(r.Context(), &out); err == nil && len(parts) > 0 {
			err = p.listArticles(r.Context(), &out, parts[0].Number)
		}
	case part == "pages":
		err = p.listPages(r.Context(), &out)
	default:
		number, wrong := strconv.ParseInt(part, 10, 32)
		if wrong != nil || number < 0 {
			return store.ErrNotFound
		}
		err = p.listArticles(r.Context(), &out, number)
	}
	if err != nil {
		return err
	}
	body, err := xml.Marshal(out)
	if err != nil {
		return err
	}
	limitCaching(w, time.Hour) // editions appear without a change of an article
	w.Header().Set("Content-Type", "application/xml; charset=utf-8")
	w.Header().Set("Cache-Control", "public, max-age=3600")
	_, _ = w.Write(append([]byte(xml.Header), body...)) // a client that disconnected needs no answer
	return nil
}

func (p *Pages) listArticles(ctx context.Context, out *sitemap, part int64) error {
	found, err := p.store.ArticlePaths(ctx, part, p.sitemapPart)
	for _, a := range found {
		out.add(p.config.Site.URL+article.PathFor(a.Slug), a.Changed)
	}
	return err
}

// listPages adds all pages except articles.
func (p *Pages) listPages(ctx context.Context, out *sitemap) error {
	paths := []string{"/", "/tags/", "/feeds"}
	if len(p.config.Digests) > 0 {
		paths = append(paths, "/subscribe")
	}
	tags, err := p.store.TopTags(ctx, maxListed)
	if err != nil {
		return err
	}
	for _, l := range tags {
		paths = append(paths, feed.TagPath(l.Name))
	}
	authors, err := p.store.TopAuthors(ctx, maxListed)
	if err != nil {
		return err
	}
	for _, l := range authors {
		paths = append(paths, feed.AuthorPath(l.Name))
	}
	languages, err := p.articleLanguages(ctx)
	if err != nil {
		return err
	}
	for _, l := range languages {
		if l.Name != "" {
			paths = append(paths, feed.LanguagePath(l.Name))
		}
	}
	editions, err := p.indexedEditions(ctx)
	if err != nil {
		return err
	}
	paths = append(paths, editions...)
	for _, path := range paths {
		out.add(p.config.Site.URL+path, time.Time{})
	}
	return nil
}

// indexedEditions returns the paths of the lists of editions and of the editions that search engines
// may list.
func (p *Pages) indexedEditions(ctx context.Context) ([]string, error) {
	var paths []string
	for _, d := range p.config.Digests {
		if !p.indexed(d.Name) {
			continue
		}
		paths = append(paths, digest.ListPath(d.Name))
		for before := maxNumber; len(paths) < maxListed; {
			started, err := p.store.StartedEditions(ctx, d.Name, before, maxSearched)
			if err != nil {
				return nil, err
			}
			editions, err := p.publicEditions(ctx, started)
			if err != nil {
				return nil, err
			}
			for _, e := range editions {
				if before = e.Number; e.shown() {
					paths = append(paths, e.Path)
				}
			}
			if len(started) < maxSearched {
				break
			}
		}
	}
	return paths[:min(len(paths), maxListed)], nil
}

// robots answers /robots.txt.
func (p *Pages) robots(w http.ResponseWriter, _ *http.Request) error {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.Header().Set("Cache-Control", "public, max-age=3600")
	text := "User-agent: *\n"
	for _, path := range []string{"/admin/", "/confirm/", "/unsubscribe/", "/preferences/", "/erase/", "/export/", "/editions/", "/private/", "/search?", "/filter?"} {
		if path != "/editions/" || !p.anyIndexed() {
			text += "Disallow: " + path + "\n"
		}
	}
	_, _ = w.Write([]byte(text + "\nSitemap: " + p.config.Site.URL + "/sitemap.xml\n"))
	return nil
}
