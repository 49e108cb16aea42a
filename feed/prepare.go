package feed

import (
	"cmp"
	"slices"
	"strings"
	"time"
)

// BodyFunc is the type of Body, for a function that caches its results.
type BodyFunc func(source, site, page string) string

// Prepare prepares a selection for all formats. Items are sorted by date, newest first, then
// by position; duplicates are dropped.
func Prepare(s Selection) *Prepared { return PrepareWith(s, Body) }

// PrepareWith is like Prepare, with body in place of Body.
func PrepareWith(s Selection, body BodyFunc) *Prepared {
	s.Site = cleanSite(s.Site)
	s.Definition = cleanDefinition(s.Definition, &s.Site)
	items := slices.Clone(s.Items)
	slices.SortStableFunc(items, func(a, b Item) int {
		return cmp.Or(b.Article.Published.Compare(a.Article.Published), b.Position.Compare(a.Position))
	})
	p := &Prepared{selection: s}
	seen := map[string]bool{}
	for i := range items {
		e := newEntry(&items[i].Article, &s.Definition, &s.Site, body)
		if seen[e.id] {
			continue
		}
		seen[e.id] = true
		p.entries = append(p.entries, e)
		p.noteChange(e.updated)
		p.noteChange(items[i].Article.Ingested)
	}
	for i := range s.Removed {
		stone := tombstone{id: EntryID(clean(s.Removed[i].Article.ID)), when: s.Removed[i].Article.Removed.UTC()}
		if seen[stone.id] {
			continue
		}
		seen[stone.id] = true
		p.tombstones = append(p.tombstones, stone)
		p.noteChange(stone.when)
	}
	p.rate = updateRateOf(p.entries)
	return p
}

func (p *Prepared) noteChange(t time.Time) {
	if t.After(p.updated) {
		p.updated = t.UTC().Truncate(time.Second)
	}
}

// Normalized returns the site with its address, without a last slash, and the addresses of
// its hubs as URIs in ASCII (RFC 3986). Other values stay as they are.
func (s Site) Normalized() Site {
	s.URL = strings.TrimRight(cmp.Or(base{}.webURL(s.URL), s.URL), "/")
	hubs := make([]string, len(s.Hubs))
	for i, hub := range s.Hubs {
		hubs[i] = cmp.Or(base{}.webURL(hub), hub)
	}
	s.Hubs = hubs
	return s
}

func cleanSite(s Site) Site {
	s = s.Normalized()
	s.Title, s.Description, s.Copyright = cmp.Or(singleLine(s.Title), s.URL), singleLine(s.Description), singleLine(s.Copyright)
	s.Language = languageTag(s.Language)
	siteBase := base{site: s.URL}
	s.Icon, s.Image = siteBase.elementURL(s.Icon), siteBase.elementURL(s.Image)
	s.Editor, s.Webmaster = person(s.Editor, s.Title), person(s.Webmaster, s.Title)
	return s
}

func cleanDefinition(d Definition, site *Site) Definition {
	d.Title = cmp.Or(singleLine(d.Title), titleOf(&d, site))
	d.Description = cmp.Or(singleLine(d.Description), site.Description, d.Title)
	d.Language = cmp.Or(languageTag(d.Language), site.Language)
	d.Home = cmp.Or(base{site: site.URL}.elementURL(d.Home), site.URL+"/")
	return d
}

// titleOf returns the title for a feed without one.
func titleOf(d *Definition, site *Site) string {
	name := singleLine(d.Name)
	switch {
	case d.Kind == Everything || name == "":
		return site.Title
	case d.Kind == Private:
		return site.Title
	}
	return site.Title + ": " + name
}

// address returns the address of a document of the feed.
func (p *Prepared) address(f Format, cursor string) string {
	return p.selection.Site.URL + p.selection.Definition.Path(f, cursor)
}

// self returns the document's own address.
func (p *Prepared) self(f Format) string { return p.address(f, p.selection.Page.Cursor) }

// link is an atom:link element of an RSS or Atom document.
type link struct {
	rel, address, kind, title string
	bytes                     int64
}

// links returns the document's links that RSS and Atom have in common.
func (p *Prepared) links(f Format) []link {
	page := p.selection.Page
	links := []link{{rel: "self", address: p.self(f), kind: f.MediaType()}}
	if page.Archive() {
		links = append(links, link{rel: "current", address: p.address(f, ""), kind: f.MediaType()})
	} else if p.selection.Definition.Announced() {
		for _, hub := range p.selection.Site.Hubs {
			links = append(links, link{rel: "hub", address: hub})
		}
	}
	if page.Archive() && page.Older == "" {
		links = append(links, link{rel: "next-archive", address: p.address(f, page.Newer), kind: f.MediaType()})
	}
	if page.Older != "" {
		links = append(links, link{rel: "prev-archive", address: p.address(f, page.Older), kind: f.MediaType()})
	}
	return links
}

// generator is the program's name in every document. It has no version, so that an upgrade
// does not change the bytes of every feed.
const generator = "Tidings"

// Bytes returns about how much memory the prepared content takes.
func (p *Prepared) Bytes() int {
	total := 0
	for i := range p.entries {
		total += 1024 + len(p.entries[i].html) + len(p.entries[i].summary)
	}
	return total
}
