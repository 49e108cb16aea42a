package digest

import (
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/tidings-press/tidings/internal/article"
	"github.com/tidings-press/tidings/internal/config"
)

// linkParameters are the parameters that a mail adds to the links to articles, so that the
// statistics of a site show where a visit came from.
type linkParameters struct {
	parameters []config.LinkParameter
	hosts      map[string]bool   // hosts whose links get them
	values     map[string]string // of the placeholders, apart from the section
	sections   map[string]string // value of the placeholder for the section, by id of the article
}

// newLinkParameters returns the parameters of an edition. It adds nothing if the pattern is empty
// or, which the check of the configuration excludes, not valid.
func newLinkParameters(in Input, sections []Section, zone *time.Location) linkParameters {
	out := linkParameters{hosts: map[string]bool{}, sections: map[string]string{}}
	var err error
	if out.parameters, err = config.ParseLinkParameters(in.Layout.LinkParameters); err != nil || len(out.parameters) == 0 {
		return linkParameters{}
	}
	if site, err := url.Parse(in.Site.URL); err == nil {
		out.hosts[strings.ToLower(site.Host)] = true
	}
	for _, host := range in.Layout.LinkHosts {
		out.hosts[strings.ToLower(host)] = true
	}
	out.values = map[string]string{
		"digest": in.Definition.Name, "number": strconv.Itoa(in.Number), "date": in.Date.In(zone).Format(time.DateOnly),
	}
	for _, section := range sections {
		for i := range section.Articles {
			out.sections[section.Articles[i].ID] = article.Slugify(section.Key)
		}
	}
	return out
}

// addTo returns the link to an article with the parameters added to its query. It keeps what the query and the
// fragment hold: a parameter that the link has already is not changed. Links to other hosts stay as they
// are, and a parameter without a value is left out.
func (p linkParameters) addTo(link, id string) string {
	if len(p.parameters) == 0 {
		return link
	}
	parsed, err := url.Parse(link)
	if err != nil || !p.hosts[strings.ToLower(parsed.Host)] {
		return link
	}
	have := parsed.Query()
	query := parsed.RawQuery
	for _, parameter := range p.parameters {
		name, value := p.fill(parameter.Name, id), p.fill(parameter.Value, id)
		if have.Has(name) || strings.Trim(value, "-_ ") == "" {
			continue
		}
		if query != "" {
			query += "&"
		}
		query += url.QueryEscape(name) + "=" + url.QueryEscape(value)
	}
	base, fragment, hasFragment := strings.Cut(link, "#")
	base, _, _ = strings.Cut(base, "?")
	if query != "" {
		base += "?" + query
	}
	if hasFragment {
		base += "#" + fragment
	}
	return base
}

// fill returns the text with the values of the placeholders for an article.
func (p linkParameters) fill(text, id string) string {
	for name, value := range p.values {
		text = strings.ReplaceAll(text, "{"+name+"}", value)
	}
	return strings.ReplaceAll(text, "{section}", p.sections[id])
}

// linkTo returns the URL of an article for a mail.
func (v view) linkTo(a *article.Article) string {
	return v.links.addTo(a.URLFor(v.in.Site.URL), a.ID)
}
