package lint

import (
	"context"
	"net/url"
	"slices"

	"golang.org/x/net/html"
	"golang.org/x/net/html/atom"

	"github.com/tidings-press/tidings/internal/article"
	"github.com/tidings-press/tidings/internal/words"
)

// linkRules are the rules for outcomes of links, imageRules those for images.
var (
	linkRules  = map[outcome]string{broken: "link-broken", failing: "link-failing", unchecked: "link-unchecked", private: "link-private", unknown: "link-unchecked"}
	imageRules = map[outcome]string{broken: "image-broken", failing: "image-failing", unchecked: "image-unchecked", private: "image-private", notImage: "image-broken", unknown: "image-unchecked"}
)

// Check requests the links and images of an edition that lead to other sites. Those without a
// result when the context ends are reported as not checked.
func (f *Fetcher) Check(ctx context.Context, e Edition) []Finding {
	c := newChecker(e)
	uses := c.remote()
	var all []resource
	for _, u := range uses {
		if !slices.Contains(all, u.resource) {
			all = append(all, u.resource)
		}
	}
	if len(all) > maxAddresses {
		c.add("links-many", where{}, words.T("the edition has {0} links and images of other sites; {1} were checked", len(all), maxAddresses))
		all = all[:maxAddresses]
	}
	results := f.fetch(ctx, all)
	for _, r := range all {
		if _, done := results[r]; !done {
			results[r] = result{outcome: unknown, detail: words.T("no answer before the check ended").String()}
		}
	}
	c.judge(uses, results)
	return Sorted(c.findings)
}

// References are the links and images of an edition's variants. To find them, the HTML is parsed, which
// takes longer than all else that a page of a draft does; so a caller may keep them.
type References struct {
	// Own are the paths of this site to which the variants link, or whose images they show.
	Own    []string
	remote []use
}

// FindReferences returns the links and images of an edition. They depend on its Site, its Articles and
// its Variants.
func FindReferences(e Edition) *References {
	c := newChecker(e)
	out := &References{remote: c.remote()}
	for _, d := range c.documents {
		d.references(func(_ *html.Node, address string) {
			if path := c.ownPath(address); path != "" && !slices.Contains(out.Own, path) {
				out.Own = append(out.Own, path)
			}
		})
	}
	return out
}

// Cached returns the findings of the results that the Fetcher has kept for references, without a request.
func (f *Fetcher) Cached(r *References) []Finding {
	c := newChecker(Edition{})
	results := map[resource]result{}
	for _, u := range r.remote {
		if known, found := f.cached(u.resource); found {
			results[u.resource] = known
		}
	}
	c.judge(r.remote, results)
	return Sorted(c.findings)
}

// use is a place where a variant uses an address of another site.
type use struct {
	resource
	at    where
	width int // of an image as shown; 0 if unknown
}

// remote returns all links and images of the variants that lead to other sites.
func (c *checker) remote() []use {
	var out []use
	for i, d := range c.documents {
		v := &c.Variants[i]
		placeholders := v.Placeholders.All()
		d.references(func(n *html.Node, address string) {
			u, err := url.Parse(address)
			if slices.Contains(placeholders, address) || c.ownPath(address) != "" || err != nil || u.Scheme != "http" && u.Scheme != "https" {
				return // a placeholder, this site, or a scheme such as mailto and tel
			}
			u.Fragment = ""
			out = append(out, use{resource{u.String(), n.DataAtom == atom.Img}, c.at(v, address), shownWidth(n)})
		})
	}
	return out
}

// judge records the findings of results.
func (c *checker) judge(uses []use, results map[resource]result) {
	for _, u := range uses {
		r, done := results[u.resource]
		switch {
		case !done:
		case r.outcome != answers && u.image:
			c.add(imageRules[r.outcome], u.at, words.Verbatim(r.detail))
		case r.outcome != answers:
			c.add(linkRules[r.outcome], u.at, words.Verbatim(r.detail))
		case u.image:
			c.image(u.at, article.Copy{Bytes: r.bytes, Width: r.width}, u.width)
		}
	}
}
