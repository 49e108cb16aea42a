package digest

import (
	"html/template"
	"strings"
	"time"

	"github.com/tidings-press/tidings/internal/article"
	"github.com/tidings-press/tidings/internal/plaintext"
	"github.com/tidings-press/tidings/templates"
)

// Limits of one article in a mail. They are far above what an editor writes, and keep a broken
// article from crowding out the others. Lengths are in characters.
const (
	maxTitle   = 300
	maxSummary = 1200
	maxAuthors = 12
	maxPreview = 140 // the line beside the subject in an inbox
	imageWidth = 536 // pixels, the width of the column without margins
)

// view holds what the templates need of an edition.
type view struct {
	in       Input
	lang     string // wanted; the phrases of page may be in another one
	page     templates.Page
	sections []Section
	articles []article.Article // of all sections
	zone     *time.Location
	links    linkParameters
	bodies   map[string]template.HTML // the articles as mails show them, by id; filled by mailBody
	minutes  map[string]int           // how long the articles take to read, by id; filled by addFacts
}

// newView prepares what all renderings of a variant share.
func newView(in Input, lang string, articles []article.Article, set *templates.Set) view {
	zone, err := time.LoadLocation(in.Definition.Timezone)
	if err != nil {
		zone = time.UTC
	}
	page := set.Page(in.site(lang), lang)
	sections := Arrange(articles, in.Layout, in.Edits, lang)
	return view{
		in: in, lang: lang, page: page, sections: sections, articles: flatten(sections), zone: zone,
		links: newLinkParameters(in, sections, zone), bodies: map[string]template.HTML{}, minutes: map[string]int{},
	}
}

// data returns the data for the template: the first articles whole, the next ones by title, and
// the number of the rest.
func (v view) data(placeholders Placeholders, shown extent) (templates.Digest, error) {
	d := templates.Digest{
		Page:    v.page,
		Digest:  templates.Publication{Name: v.in.Definition.Name, Title: v.in.Definition.Title.In(v.lang), Description: v.in.Definition.Description.In(v.lang)},
		Edition: templates.Edition{Number: v.in.Number, Date: v.in.Date.In(v.zone)},
		Reader: templates.Reader{
			Name: placeholders.Name, Address: placeholders.Address, Unsubscribe: placeholders.Unsubscribe,
			Preferences: placeholders.Preferences, Web: placeholders.Web,
		},
		Left: len(v.articles) - shown.whole - shown.titles,
	}
	if !v.in.hasPage() {
		d.Reader.Web = ""
	}
	if err := v.addArticles(&d, shown); err != nil {
		return d, err
	}
	if err := v.addEdits(&d); err != nil {
		return d, err
	}
	for i := range v.articles[shown.whole : shown.whole+shown.titles] {
		d.More = append(d.More, v.link(&v.articles[shown.whole+i]))
	}
	d.Preheader = v.preheader(d.Intro)
	v.addInvitations(&d)
	return d, nil
}

func (v view) article(a *article.Article) templates.Article {
	out := templates.Article{
		ID: a.ID, Title: v.title(a), URL: v.linkTo(a),
		Summary: summaryOf(a, maxSummary), Tags: a.Tags,
		Published: a.Published.In(v.zone), Language: a.Language, Direction: a.Direction(),
		Image: v.image(a.Image),
	}
	for _, author := range a.Authors[:min(len(a.Authors), maxAuthors)] {
		out.Authors = append(out.Authors, singleLine(author.Name, maxTitle))
	}
	if out.Image != nil && strings.EqualFold(out.Image.Alt, out.Title) {
		out.Image.Alt = "" // it describes nothing, and would be read twice
	}
	v.addFacts(&out, a)
	return out
}

func (v view) link(a *article.Article) templates.Link {
	return templates.Link{Title: v.title(a), URL: v.linkTo(a), Language: a.Language, Direction: a.Direction()}
}

// title returns the title of an article. Without one it uses the summary, slug or id, since the
// link needs a text.
func (v view) title(a *article.Article) string {
	for _, text := range []string{a.Title, a.Summary, a.Slug} {
		if title := singleLine(text, maxTitle); title != "" {
			return title
		}
	}
	return a.ID
}

// image returns the lead picture of an article, fitted into the column, or nil if mail programs do not
// show it.
func (v view) image(image *article.Image) *templates.Image {
	if image == nil {
		return nil
	}
	fitted, shown := v.mailImage(article.Absolute(image.URL, v.in.Site.URL), image.Width, image.Height)
	if !shown {
		return nil
	}
	return &templates.Image{URL: fitted.url, Alt: singleLine(image.Alt, maxTitle), Width: fitted.width, Height: fitted.height}
}

// preheader returns the preview text that mail programs show beside the subject: that of an editor,
// the titles of the other articles, or the summary of a single one. A message has the beginning of
// its text.
func (v view) preheader(intro template.HTML) string {
	if v.in.Edits.Preheader != "" {
		return singleLine(v.in.Edits.Preheader, maxPreview)
	}
	if v.in.IsMessage() {
		return singleLine(article.PlainText(string(intro)), maxPreview)
	}
	if len(v.articles) == 1 {
		return summaryOf(&v.articles[0], maxPreview)
	}
	var titles []string
	for i := range v.articles[1:min(len(v.articles), 6)] {
		titles = append(titles, v.title(&v.articles[i+1]))
	}
	return singleLine(strings.Join(titles, " · "), maxPreview)
}

// summaryOf returns the summary of an article in one line, shortened at the end of a sentence.
func summaryOf(a *article.Article, width int) string {
	return plaintext.Shorten(article.CleanLine(a.Summary), width)
}

// singleLine makes one line of a text and truncates it. Imported articles have been sanitized
// already; singleLine removes control characters that got into the store in another way.
func singleLine(text string, width int) string {
	return templates.Truncate(article.CleanLine(text), width)
}
