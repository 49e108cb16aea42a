package public

import (
	"context"
	"slices"
	"strings"

	"github.com/tidings-press/tidings/internal/config"
	"github.com/tidings-press/tidings/internal/schedule"
)

// digestView is a digest as a form shows it.
type digestView struct {
	Name, Title, Description string
	Schedule                 string // for people
	Checked                  bool
	Topics                   []topicView // of preferences
	ByTopic                  bool        // some topics are chosen
}

// digests are the digests that one can subscribe to. A single one is checked, and
// so are those named.
func (p *Pages) digests(ctx context.Context, chosen []string) []digestView {
	var out []digestView
	for _, d := range p.config.Digests {
		v := digestView{Name: d.Name, Title: d.Title, Description: d.Description}
		if s, err := schedule.Parse(d.Schedule, d.Timezone); err == nil && p.in(ctx).words == nil { // it is described in English only
			v.Schedule = s.Describe()
		}
		v.Checked = slices.Contains(chosen, d.Name) || chosen == nil && len(out) == 0
		out = append(out, v)
	}
	return out
}

// known keeps the names of digests that there are.
func (p *Pages) known(names []string) []string {
	var out []string
	for _, name := range names {
		if p.digest(name) != nil && !slices.Contains(out, name) {
			out = append(out, name)
		}
	}
	return out
}

func (p *Pages) digest(name string) *config.Digest {
	for i := range p.config.Digests {
		if p.config.Digests[i].Name == name {
			return &p.config.Digests[i]
		}
	}
	return nil
}

// titles are the titles of digests as a sentence lists them.
func (p *Pages) titles(ctx context.Context, names []string) string {
	var out []string
	for _, name := range names {
		if d := p.digest(name); d != nil {
			out = append(out, d.Title)
		}
	}
	if len(out) == 0 {
		return p.config.Site.Title
	}
	return p.in(ctx).frame.List(out)
}

// A confirmation may be for several digests; their names are words without commas.
func joinDigests(names []string) string { return strings.Join(names, ",") }
func splitDigests(s string) []string {
	return strings.FieldsFunc(s, func(r rune) bool { return r == ',' })
}
