package digest

import (
	"html/template"
	"strings"
	"time"

	"github.com/tidings-press/tidings/internal/article"
	"github.com/tidings-press/tidings/templates"
)

// Bounds on what one article may take up in a mail, in characters. They are far
// above what an editor writes, and keep one broken article from pushing out the rest.
const (
	maxTitle   = 300
	maxSummary = 1200
	maxAuthors = 12
	maxPreview = 140 // of the line beside the subject in an inbox
	imageWidth = 536 // pixels: the column's width within its margins
)

// view is an issue as templates see it.
type view struct {
	in       Input
	page     templates.Page
	articles []article.Article
	zone     *time.Location
}

// newView prepares what all renderings of a variant share.
func newView(in Input, lang string, articles []article.Article, set *templates.Set) view {
	zone, err := time.LoadLocation(in.Definition.Timezone)
	if err != nil {
		zone = time.UTC
	}
	site := templates.Site{Title: in.Site.Title, URL: in.Site.URL, Icon: article.Absolute(in.Site.Icon, in.Site.URL), Postal: postal(in.Site.Postal)}
	return view{in: in, page: set.Page(site, lang), articles: articles, zone: zone}
}

func postal(address string) []string {
	var lines []string
	for line := range strings.Lines(address) {
		if line = strings.TrimSpace(line); line != "" {
			lines = append(lines, line)
		}
	}
	return lines
}

// data fills the template's struct with the first articles whole, the next by title,
// and the rest as a number.
func (v view) data(placeholders Placeholders, shown extent) templates.Digest {
	d := templates.Digest{
		Page:    v.page,
		Digest:  templates.Publication{Name: v.in.Definition.Name, Title: v.in.Definition.Title, Description: v.in.Definition.Description},
		Edition: templates.Edition{Number: v.in.Number, Date: v.in.Date.In(v.zone)},
		Reader: templates.Reader{
			Name: placeholders.Name, Address: placeholders.Address, Unsubscribe: placeholders.Unsubscribe,
			Preferences: placeholders.Preferences, Web: placeholders.Web,
		},
		Left: len(v.articles) - shown.whole - shown.titles,
		Web:  shown.web,
	}
	for i := range v.articles[:shown.whole] {
		d.Articles = append(d.Articles, v.article(&v.articles[i], shown.bodies))
	}
	for i := range v.articles[shown.whole : shown.whole+shown.titles] {
		d.More = append(d.More, v.link(&v.articles[shown.whole+i]))
	}
	d.Preheader = v.preheader()
	return d
}

func (v view) article(a *article.Article, body bool) templates.Article {
	out := templates.Article{
		ID: a.ID, Title: v.title(a), URL: a.URLFor(v.in.Site.URL),
		Summary: singleLine(a.Summary, maxSummary), Tags: a.Tags,
		Published: a.Published.In(v.zone), Language: a.Language, Direction: a.Direction(),
		Image: v.image(a.Image),
	}
	for _, author := range a.Authors[:min(len(a.Authors), maxAuthors)] {
		out.Authors = append(out.Authors, singleLine(author.Name, maxTitle))
	}
	if body {
		out.Body = template.HTML(a.BodyFor(v.in.Site.URL)) //nolint:gosec // sanitised once, at import
	}
	return out
}

func (v view) link(a *article.Article) templates.Link {
	return templates.Link{Title: v.title(a), URL: a.URLFor(v.in.Site.URL), Language: a.Language, Direction: a.Direction()}
}

// title is what names the article; one without a title still needs something to
// press on.
func (v view) title(a *article.Article) string {
	for _, text := range []string{a.Title, a.Summary, a.Slug} {
		if title := singleLine(text, maxTitle); title != "" {
			return title
		}
	}
	return a.ID
}

// image scales a picture into the column; it is never blown up.
func (v view) image(image *article.Image) *templates.Image {
	if image == nil || image.URL == "" {
		return nil
	}
	out := &templates.Image{URL: article.Absolute(image.URL, v.in.Site.URL), Alt: singleLine(image.Alt, maxTitle), Width: image.Width, Height: image.Height}
	if image.Width > imageWidth {
		out.Width, out.Height = imageWidth, image.Height*imageWidth/image.Width
	}
	return out
}

// preheader tells beside the subject what else there is: the other titles, or the
// only article's summary.
func (v view) preheader() string {
	if len(v.articles) == 1 {
		return singleLine(v.articles[0].Summary, maxPreview)
	}
	var titles []string
	for i := range v.articles[1:min(len(v.articles), 6)] {
		titles = append(titles, v.title(&v.articles[i+1]))
	}
	return singleLine(strings.Join(titles, " · "), maxPreview)
}

// singleLine cuts a text and makes one line of it. Imported articles are clean already;
// this keeps a control character out of mails by whatever way it came in.
func singleLine(text string, width int) string {
	return templates.Truncate(strings.Join(strings.Fields(article.CleanText(text)), " "), width)
}
