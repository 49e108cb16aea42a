// Package lint finds faults of a rendered edition before it is sent. Check takes the edition as a
// value and returns findings; it uses neither store nor network. A Fetcher requests links and
// images, and SpamAssassin and Rspamd ask a spam filter; they are the only parts with I/O.
package lint

import (
	"cmp"
	"slices"
	"strings"
	"sync"

	"github.com/tidings-press/tidings/internal/article"
	"github.com/tidings-press/tidings/internal/digest"
	"github.com/tidings-press/tidings/internal/words"
)

// Severity is how bad a finding is.
type Severity string

// The severities. An error keeps an edition from being approved until it is fixed or waived.
const (
	Error   Severity = "error"
	Warning Severity = "warning"
)

// Finding is one fault of an edition.
type Finding struct {
	Name     string   `json:"name"` // of its rule; stable, so that editors can waive it by name
	Severity Severity `json:"severity"`
	Article  string   `json:"article,omitempty"` // title of the article that it is about
	Variant  string   `json:"variant,omitempty"` // key of the variant, if not all have it
	URL      string   `json:"url,omitempty"`
	Message  string   `json:"message"`          // what was found, in English; pages recognize it
	Fix      string   `json:"fix"`              // how to fix it
	Waived   string   `json:"waived,omitempty"` // who waived it and why; empty if it was not waived
}

// Blocks reports whether the finding keeps an editor from approving the edition.
func (f Finding) Blocks() bool { return f.Severity == Error && f.Waived == "" }

// Harms reports whether the finding also stops editions that are sent without an editor: the mail
// would break a law, be cut off, or be empty.
func (f Finding) Harms() bool { return f.Blocks() && rules[f.Name].Harmful }

// Edition is what Check needs of an edition.
type Edition struct {
	Site     digest.Site
	Message  bool              // it needs no articles
	Articles []article.Article // in the order shown
	Variants []Variant         // at least one
	Subjects []string          // of the digest's last editions
	// Pictures are the stored images that the edition shows.
	Pictures article.Pictures
	// Absent are the paths of this site that the variants refer to and that have no page or
	// medium; see References.Own.
	Absent map[string]bool
}

// Variant is one variant with the mail that a sample recipient would get.
type Variant struct {
	digest.Variant
	Message []byte // as it is handed to a relay
}

// checker collects the findings about an edition.
type checker struct {
	Edition
	documents []*document   // of the variants
	own       func() string // text of the articles, one line each; see inArticle
	titles    *strings.Replacer
	bodies    []string          // HTML of the articles with absolute addresses
	places    map[string]string // titles of articles by addresses; see at
	findings  []Finding
	seen      map[Finding]bool // without their variant
}

// where says what a finding is about.
type where struct{ article, variant, url string }

// add records a finding, once for all variants.
func (c *checker) add(name string, at where, message words.Text) {
	rule := rules[name]
	f := Finding{Name: name, Severity: rule.Severity, Article: at.article, URL: at.url, Message: message.String(), Fix: rule.Fix}
	if c.seen[f] {
		return
	}
	c.seen[f] = true
	f.Variant = at.variant
	c.findings = append(c.findings, f)
}

// Check returns all findings about an edition that need no network, errors first.
func Check(e Edition) []Finding {
	c := newChecker(e)
	c.subject()
	c.articles()
	for i, d := range c.documents {
		v := &c.Variants[i]
		c.parts(v)
		c.footer(v, d)
		c.leftovers(v, d)
		c.pictures(v, d)
		c.addresses(v, d)
		c.clients(v, d)
		c.contrast(v, d)
	}
	return Sorted(c.findings)
}

func newChecker(e Edition) *checker {
	c := &checker{Edition: e, own: sync.OnceValue(func() string { return articleTexts(e.Articles) }), titles: articleTitles(e.Articles), places: map[string]string{}, seen: map[Finding]bool{}}
	for i := range e.Variants {
		c.documents = append(c.documents, parse(e.Variants[i].HTML))
	}
	for i := range e.Articles {
		c.bodies = append(c.bodies, e.Articles[i].BodyFor(e.Site.URL))
	}
	return c
}

// Sorted returns findings in the order in which they are shown: errors first, waived ones last.
func Sorted(all []Finding) []Finding {
	rank := func(f Finding) int {
		switch {
		case f.Waived != "":
			return 2
		case f.Severity == Error:
			return 0
		}
		return 1
	}
	slices.SortStableFunc(all, func(a, b Finding) int { return cmp.Compare(rank(a), rank(b)) })
	return all
}
