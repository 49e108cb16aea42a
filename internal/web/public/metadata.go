package public

import (
	"cmp"
	"strings"

	"golang.org/x/text/language"

	"github.com/tidings-press/tidings/internal/article"
)

// metadata is the metadata of a page for search engines and link previews: Open Graph, cards of X and
// others, and schema.org.
type metadata struct {
	Type                            string // of Open Graph: website or article
	Title, Description, URL, Locale string
	Image                           *article.Image // its URL is absolute
	Card                            string
	Published, Updated              string
	Tags                            []string
	Data                            map[string]any // JSON-LD
}

// wideImage is the minimum width in pixels of an image for a large card.
const wideImage = 600

// metadataOf returns the metadata of a page that is not an article.
func (p *Pages) metadataOf(v *page, tag string) *metadata {
	s := &metadata{Type: "website", Title: v.Title, Description: v.Description, URL: v.Canonical, Locale: locale(tag)}
	s.setImage(p.siteImage())
	return s
}

// siteImage returns the image for pages without one: the site's image or icon.
func (p *Pages) siteImage() *article.Image {
	link := cmp.Or(p.config.Site.Image, p.config.Site.Icon)
	if link == "" {
		return nil
	}
	return &article.Image{URL: article.Absolute(link, p.config.Site.URL), Alt: p.config.Site.Title.String()}
}

func (m *metadata) setImage(image *article.Image) {
	m.Image, m.Card = image, "summary"
	if image != nil && image.Width >= wideImage {
		m.Card = "summary_large_image"
	}
}

// articleMetadata returns the metadata of an article.
func (p *Pages) articleMetadata(a *article.Article, description string) *metadata {
	s := &metadata{
		Type: "article", Title: a.Title, Description: description, URL: a.URLFor(p.config.Site.URL), Locale: locale(cmp.Or(a.Language, p.config.Site.Language)),
		Published: a.Published.UTC().Format("2006-01-02T15:04:05Z"), Updated: a.Updated.UTC().Format("2006-01-02T15:04:05Z"), Tags: a.Tags,
	}
	people := []map[string]string{}
	for _, author := range a.Authors {
		people = append(people, map[string]string{"@type": "Person", "name": author.Name})
	}
	s.Data = map[string]any{
		"@context": "https://schema.org", "@type": "Article", "headline": a.Title, "url": s.URL, "mainEntityOfPage": s.URL,
		"datePublished": s.Published, "dateModified": s.Updated, "author": people, "description": description,
		"inLanguage": cmp.Or(a.Language, p.config.Site.Language),
		"publisher":  map[string]string{"@type": "Organization", "name": p.config.Site.Title.String(), "url": p.config.Site.URL + "/"},
	}
	image := p.siteImage()
	if a.Image != nil {
		own := *a.Image
		own.URL = article.Absolute(own.URL, p.config.Site.URL)
		s.Data["image"] = own.URL
		if !isDrawing(&own) {
			image = &own
		}
	}
	s.setImage(image)
	return s
}

// isDrawing reports whether an image is in SVG, which cards of other sites cannot show.
func isDrawing(image *article.Image) bool {
	return strings.HasPrefix(image.Type, "image/svg") || strings.HasSuffix(image.URL, ".svg")
}

// locale returns a language as Open Graph names it, with its likely region: en_US for en.
func locale(tag string) string {
	t, err := language.Parse(tag)
	if err != nil {
		return ""
	}
	base, _ := t.Base()
	region, _ := t.Region()
	return base.String() + "_" + region.String()
}

// maxDescription is the maximum length in characters of a description made from a text.
const maxDescription = 200

// describe returns the summary of an article, or the beginning of its text.
func describe(a *article.Article) string {
	if a.Summary != "" {
		return a.Summary
	}
	text := []rune(strings.Join(strings.Fields(article.PlainText(a.HTML)), " "))
	if len(text) <= maxDescription {
		return string(text)
	}
	cut := string(text[:maxDescription])
	if space := strings.LastIndexByte(cut, ' '); space > maxDescription/2 {
		cut = cut[:space]
	}
	return cut + "…"
}
