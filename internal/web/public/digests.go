package public

import (
	"cmp"
	"context"
	"slices"
	"strings"

	"github.com/tidings-press/tidings/feed"
	"github.com/tidings-press/tidings/internal/config"
	"github.com/tidings-press/tidings/internal/schedule"
)

// digestView is a digest in a form.
type digestView struct {
	Name, Title, Description string
	Schedule                 string // for people
	Checked                  bool
	Topics                   []topicView // of preferences
	ByTopic                  bool        // some topics are chosen
}

// digests returns all digests for a form. The chosen ones are checked; if chosen is nil, the first.
// Archived ones that are not chosen are left out.
func (p *Pages) digests(ctx context.Context, chosen []string) []digestView {
	var out []digestView
	for _, d := range p.config.Digests {
		if d.Archived() && !slices.Contains(chosen, d.Name) {
			continue
		}
		v := digestView{Name: d.Name, Title: p.text(ctx, d.Title), Description: p.text(ctx, d.Description)}
		if s, err := schedule.Parse(d.Schedule, d.Timezone); err == nil && !d.Paused() && len(p.layout(ctx).Texts()) == 0 { // descriptions exist in English only
			v.Schedule = s.Describe().String()
		}
		v.Checked = slices.Contains(chosen, d.Name) || chosen == nil && len(out) == 0
		out = append(out, v)
	}
	return out
}

// text returns a text in the language of a request's page.
func (p *Pages) text(ctx context.Context, t config.Text) string {
	return t.In(p.layout(ctx).language)
}

// knownDigests returns the names that are configured digests, each once.
func (p *Pages) knownDigests(names []string) []string {
	var out []string
	for _, name := range names {
		if p.digest(name) != nil && !slices.Contains(out, name) {
			out = append(out, name)
		}
	}
	return out
}

// offeredDigests returns the names that are configured digests to which people can subscribe, each
// once.
func (p *Pages) offeredDigests(names []string) []string {
	return slices.DeleteFunc(p.knownDigests(names), func(name string) bool { return p.digest(name).Archived() })
}

func (p *Pages) digest(name string) *config.Digest {
	for i := range p.config.Digests {
		if p.config.Digests[i].Name == name {
			return &p.config.Digests[i]
		}
	}
	return nil
}

// digestTitle returns the title of a digest in the language of a request's page, or its name if it
// is not configured any more.
func (p *Pages) digestTitle(ctx context.Context, name string) string {
	if d := p.digest(name); d != nil {
		return cmp.Or(p.text(ctx, d.Title), name)
	}
	return name
}

// digestLanguage returns the language of a digest in one language, or "".
func (p *Pages) digestLanguage(name string) string {
	if d := p.digest(name); d != nil {
		return d.Language
	}
	return ""
}

// indexed reports whether search engines may list the editions of a digest.
func (p *Pages) indexed(name string) bool {
	if d := p.digest(name); d != nil && d.IndexEditions != nil {
		return *d.IndexEditions
	}
	return p.config.Site.IndexEditions
}

// anyIndexed reports whether search engines may list the editions of any digest.
func (p *Pages) anyIndexed() bool {
	return p.config.Site.IndexEditions || slices.ContainsFunc(p.config.Digests, func(d config.Digest) bool { return p.indexed(d.Name) })
}

// editionFeeds returns links to the feed of a digest's editions, or none if the digest is not
// configured any more.
func (p *Pages) editionFeeds(ctx context.Context, name string) []feedLink {
	if p.digest(name) == nil {
		return nil
	}
	return p.links(p.digestTitle(ctx, name), feed.Definition{Kind: feed.ByDigest, Name: name})
}

// titles returns the titles of digests as a list in a sentence.
func (p *Pages) titles(ctx context.Context, names []string) string {
	var out []string
	for _, name := range names {
		if d := p.digest(name); d != nil {
			out = append(out, p.text(ctx, d.Title))
		}
	}
	if len(out) == 0 {
		return p.text(ctx, p.config.Site.Title)
	}
	return p.layout(ctx).frame.List(out)
}

// A confirmation may be for several digests, whose names contain no commas.
func joinDigests(names []string) string { return strings.Join(names, ",") }
func splitDigests(s string) []string {
	return strings.FieldsFunc(s, func(r rune) bool { return r == ',' })
}
