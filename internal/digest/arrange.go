package digest

import (
	"cmp"
	"net/url"
	"slices"
	"strings"

	"github.com/tidings-press/tidings/internal/article"
	"github.com/tidings-press/tidings/internal/config"
)

// Layout is how a digest arranges the articles of its editions. The zero value shows them newest
// first, without sections.
type Layout struct {
	Order          string         // newest, oldest or weight; empty for the order in which Choose returns them
	Lead           article.Filter // of the article shown first; without an expression, no article is preferred
	Sections       []SectionRule  // in the order shown
	Form           Form           // of the articles that are in no section
	GroupBySource  bool           // articles of other publications have a section for each publication
	LinkParameters string         // added to the links to articles; see config.ParseLinkParameters
	LinkHosts      []string       // further hosts whose links get them
}

// LayoutOf returns the layout for a digest in the configuration.
func LayoutOf(d *config.Digest) (Layout, error) {
	out := Layout{Order: d.Order, Form: Form(d.Form), GroupBySource: d.GroupBy == "source", LinkParameters: d.LinkParameters, LinkHosts: d.LinkHosts}
	if out.Order == NewestFirst { // as Choose returns them
		out.Order = ""
	}
	if d.Lead != "" {
		out.Lead.Expr = article.Tag{Key: article.TagKey(d.Lead)}
	}
	for i := range d.Sections {
		s := &d.Sections[i]
		filter, err := s.Compile()
		if err != nil {
			return out, err
		}
		out.Sections = append(out.Sections, SectionRule{
			Key: s.Name, Title: s.Title, Filter: filter, Rest: s.SelectsRest(), Form: Form(s.Form),
		})
	}
	return out, nil
}

// SectionRule selects the articles of a section.
type SectionRule struct {
	Key    string      // identifies the section
	Title  config.Text // heading
	Filter article.Filter
	Rest   bool // selects the articles that no other section selects, in place of the filter
	Form   Form // of its articles; empty for the layout's form
}

// The values of Layout.Order.
const (
	NewestFirst = "newest"
	OldestFirst = "oldest"
	ByWeight    = "weight" // lowest weight first, those without one last
)

// Section is a group of articles in a mail.
type Section struct {
	Key      string // empty for the articles without a section, which come first
	Heading  string // empty for none
	Form     Form
	Articles []article.Article
}

// Arrange puts the articles of an edition into the order and the sections in which a mail shows
// them: first the lead and the articles without a section, then the sections of the layout, then
// those of publications and those with a heading that an editor wrote. It leaves out empty sections. lang is the language
// of the headings.
func Arrange(articles []article.Article, layout Layout, edits Edits, lang string) []Section {
	articles = slices.Clone(articles)
	sortBy(articles, layout.Order)
	slices.SortStableFunc(articles, func(a, b article.Article) int {
		return cmp.Compare(positionIn(edits.Order, a.ID), positionIn(edits.Order, b.ID))
	})
	lead := leadOf(articles, layout, edits)
	if lead > 0 {
		first := articles[lead]
		articles = slices.Insert(slices.Delete(articles, lead, lead+1), 0, first)
	}
	sections := []Section{{Form: layout.Form}}
	for _, rule := range layout.Sections {
		sections = append(sections, Section{Key: rule.Key, Heading: rule.Title.In(lang), Form: cmp.Or(rule.Form, layout.Form)})
	}
	for i := range articles {
		at := 0
		if i > 0 || lead < 0 {
			at = layout.sectionOf(&articles[i], edits)
		}
		if at < 0 {
			sections, at = withHeading(sections, cmp.Or(edits.Sections[articles[i].ID], sourceOf(&articles[i])), layout.Form)
		}
		sections[at].Articles = append(sections[at].Articles, articles[i])
	}
	return slices.DeleteFunc(sections, func(s Section) bool { return len(s.Articles) == 0 })
}

// Arranged returns the articles of an edition in the order in which its mail to a subscriber without
// preferences shows them.
func (in Input) Arranged() []article.Article {
	return flatten(Arrange(in.Articles, in.Layout, in.Edits, in.language(Preferences{})))
}

// flatten returns the articles of all sections, in the order shown.
func flatten(sections []Section) []article.Article {
	var out []article.Article
	for _, s := range sections {
		out = append(out, s.Articles...)
	}
	return out
}

func sortBy(articles []article.Article, order string) {
	switch order {
	case NewestFirst:
		slices.SortStableFunc(articles, byNewest)
	case OldestFirst:
		slices.SortStableFunc(articles, func(a, b article.Article) int { return byNewest(b, a) })
	case ByWeight:
		slices.SortStableFunc(articles, byWeight)
	}
}

// byWeight orders articles by weight. Those without one follow, and equal weights are ordered by
// date, newest first.
func byWeight(a, b article.Article) int {
	if (a.Weight == 0) != (b.Weight == 0) {
		if a.Weight == 0 {
			return 1
		}
		return -1
	}
	return cmp.Or(cmp.Compare(a.Weight, b.Weight), byNewest(a, b))
}

// sourceOf returns the name of the publication that an article comes from: the title or host that its
// feed gave, or the host of its canonical URL. It is empty for articles of this site.
func sourceOf(a *article.Article) string {
	addresses := []string{a.URL}
	if a.Origin != nil {
		if title := singleLine(a.Origin.Title, maxTitle); title != "" {
			return title
		}
		addresses = []string{a.Origin.URL, a.Origin.FeedURL, a.URL}
	}
	for _, address := range addresses {
		if parsed, err := url.Parse(address); err == nil && parsed.Host != "" {
			return strings.TrimPrefix(parsed.Hostname(), "www.")
		}
	}
	return ""
}

// positionIn returns the position of an id in an order, or the length of the order if it is not in
// it.
func positionIn(order []string, id string) int {
	if at := slices.Index(order, id); at >= 0 {
		return at
	}
	return len(order)
}

// leadOf returns the index of the lead: the article that an editor chose, or the newest one that
// the layout's filter selects. It returns -1 if there is none.
func leadOf(articles []article.Article, layout Layout, edits Edits) int {
	at := slices.IndexFunc(articles, func(a article.Article) bool { return a.ID == edits.Lead })
	if at < 0 && layout.Lead.Expr != nil {
		for i := range articles {
			if layout.Lead.Match(&articles[i]) && (at < 0 || byNewest(articles[i], articles[at]) < 0) {
				at = i
			}
		}
	}
	return at
}

// NoSection is the value in Edits.Sections that puts an article before all sections.
const NoSection = "-"

// sectionOf returns the index of an article's section, 0 for none. It returns -1 for a section that is
// not the layout's: under a heading that an editor wrote, or of the article's publication.
func (l Layout) sectionOf(a *article.Article, edits Edits) int {
	chosen := edits.Sections[a.ID]
	if chosen == NoSection {
		return 0
	}
	for i := range l.Sections {
		if chosen == l.Sections[i].Key || chosen == "" && l.Sections[i].Filter.Expr != nil && l.Sections[i].Filter.Match(a) {
			return i + 1
		}
	}
	if chosen != "" || l.GroupBySource && sourceOf(a) != "" {
		return -1
	}
	return slices.IndexFunc(l.Sections, func(s SectionRule) bool { return s.Rest }) + 1
}

// withHeading returns the sections with one of this heading, and its index.
func withHeading(sections []Section, heading string, form Form) ([]Section, int) {
	at := slices.IndexFunc(sections, func(s Section) bool { return s.Heading == heading })
	if at >= 0 {
		return sections, at
	}
	return append(sections, Section{Key: heading, Heading: heading, Form: form}), len(sections)
}

// text returns all words of the layout that a template may print.
func (l Layout) text() string { return jsonText(l) }
