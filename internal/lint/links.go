package lint

import (
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/PuerkitoBio/goquery"
	"golang.org/x/net/html"
	"golang.org/x/net/html/atom"

	"github.com/tidings-press/tidings/internal/article"
	"github.com/tidings-press/tidings/internal/words"
)

// Bytes of an image from which it is heavy.
const heavyImage = 1_000_000

// pictures checks the images of a variant, as far as that needs no request.
func (c *checker) pictures(v *Variant, d *document) {
	for _, n := range d.root.Find("img").Nodes {
		at := c.at(v, attribute(n, "src"))
		if !hasAttribute(n, "alt") {
			c.add("image-alt-missing", at, words.T("the image has no alt text"))
		}
		if c.Absent[c.ownPath(at.url)] {
			c.add("image-absent", at, words.T("the store has no image at this address"))
			continue
		}
		if stored, found := c.stored(at.url); found {
			c.image(at, stored, shownWidth(n))
		}
	}
}

// stored returns the stored image or copy at an address of this site.
func (c *checker) stored(address string) (article.Copy, bool) {
	if picture, found := c.Pictures.At(address, c.Site.URL); found {
		return picture.Copy, true
	}
	path := c.ownPath(address)
	for _, picture := range c.Pictures {
		for _, one := range picture.Copies {
			if path != "" && one.Path() == path {
				return one, true
			}
		}
	}
	return article.Copy{}, false
}

// image checks the size of an image that is shown with a width; 0 if it is unknown.
func (c *checker) image(at where, image article.Copy, shown int) {
	if image.Bytes > heavyImage {
		c.add("image-heavy", at, words.T("the image has {0} KB", image.Bytes/1000))
	}
	if image.Width > 0 && image.Width < shown && image.Type != "image/svg+xml" {
		c.add("image-narrow", at, words.T("the image is {0} pixels wide and shown with a width of {1}", image.Width, shown))
	}
}

// shownWidth returns the width of an image in pixels, 0 if the template does not give it.
func shownWidth(n *html.Node) int {
	width, _ := strconv.Atoi(strings.TrimSuffix(attribute(n, "width"), "px"))
	return width
}

// addresses checks the links of a variant, as far as that needs no request.
func (c *checker) addresses(v *Variant, d *document) {
	for _, n := range d.root.Find("a").Nodes {
		if !hasAttribute(n, "href") {
			continue // an anchor
		}
		link := attribute(n, "href")
		at := c.at(v, link)
		// A link that is hidden from screen readers repeats the link beside it.
		if text(n) == "" && !hasAlt(n) && attribute(n, "aria-hidden") != "true" {
			c.add("link-nameless", at, words.T("the link has no text"))
		}
		u, err := url.Parse(link)
		switch {
		case link == "" || link == "#":
			c.add("link-empty", where{variant: v.Key}, words.T("the link “{0}” has no address", excerpt(text(n))))
		case slices.Contains(v.Placeholders.All(), link), strings.HasPrefix(link, "#"):
		case err == nil && u.Scheme == "":
			c.add("link-relative", at, words.T("the address has no scheme and host"))
		case c.Absent[c.ownPath(link)]:
			c.add("link-absent", at, words.T("this site has nothing public at this address"))
		}
	}
}

// at returns where an address occurs: the first article that has it, or the template.
func (c *checker) at(v *Variant, address string) where {
	title, known := c.places[address]
	if !known && address != "" {
		title = c.articleWith(address)
		c.places[address] = title
	}
	return where{variant: v.Key, url: address, article: title}
}

// articleWith returns the title of the first article with an address, "" if none has it.
func (c *checker) articleWith(address string) string {
	escaped := html.EscapeString(address)
	for i := range c.Articles {
		a := &c.Articles[i]
		if a.URLFor(c.Site.URL) == address || a.Image != nil && article.Absolute(a.Image.URL, c.Site.URL) == address || strings.Contains(c.bodies[i], escaped) {
			return a.Title
		}
	}
	return ""
}

// ownPath returns the path of an address of this site, "" for other addresses.
func (c *checker) ownPath(address string) string {
	site := strings.TrimSuffix(c.Site.URL, "/")
	path, own := strings.CutPrefix(address, site)
	if !own || path != "" && !strings.ContainsRune("/?#", rune(path[0])) {
		return ""
	}
	path, _, _ = strings.Cut(path, "#")
	path, _, _ = strings.Cut(path, "?")
	if path == "" {
		return "/"
	}
	return path
}

// references calls visit for each link and image with its address.
func (d *document) references(visit func(n *html.Node, address string)) {
	d.root.Find("a[href], img[src]").Each(func(_ int, s *goquery.Selection) {
		n := s.Nodes[0]
		name := "href"
		if n.DataAtom == atom.Img {
			name = "src"
		}
		visit(n, attribute(n, name))
	})
}
