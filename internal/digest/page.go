package digest

import (
	"cmp"
	"html/template"
	"net/url"
	"slices"
	"strconv"
	"time"

	"github.com/tidings-press/tidings/internal/article"
	"github.com/tidings-press/tidings/internal/config"
	"github.com/tidings-press/tidings/templates"
)

// Contents is what the public page of an edition and the feed of editions show.
type Contents struct {
	Intro, Outro template.HTML // sanitized, with absolute addresses; may be empty
	Sponsor      *templates.Sponsor
	Sections     []ContentSection
}

// ContentSection is a section of an edition. The first one may have no heading.
type ContentSection struct {
	Heading  string
	Articles []ContentArticle
}

// ContentArticle is an article of an edition with the form that it has there.
type ContentArticle struct {
	article.Article
	Form Form
}

// PublicInput returns the input of ContentsOf for an edition, without what editors wrote. articles
// are those that Public returned.
func PublicInput(c *config.Config, e Edition, articles []article.Article) (Input, error) {
	in := Input{
		ID: e.ID, Definition: Definition{Name: e.Digest, Title: config.Text(e.Digest)}, Number: e.Number, Site: SiteOf(c),
		Articles: articles, Date: e.Created,
	}
	at := slices.IndexFunc(c.Digests, func(d config.Digest) bool { return d.Name == e.Digest })
	if at < 0 {
		return in, nil // it was configured when the edition was sent
	}
	var err error
	in.Definition = DefinitionOf(&c.Digests[at])
	in.Layout, err = LayoutOf(&c.Digests[at])
	return in, err
}

// ContentsOf arranges an edition for the web. lang is the language of its headings and of what
// editors wrote; empty for the digest's or the site's.
func ContentsOf(in Input, lang string, set *templates.Set) (Contents, error) {
	v := newView(in, cmp.Or(lang, in.language(Preferences{})), in.Articles, set)
	var out Contents
	var err error
	if out.Intro, err = v.onPage("intro", InLanguage(in.Edits.Intro, v.lang)); err != nil {
		return out, err
	}
	if out.Outro, err = v.onPage("outro", InLanguage(in.Edits.Outro, v.lang)); err != nil {
		return out, err
	}
	if out.Sponsor, err = v.sponsor(in.Edits.Sponsor); err == nil && out.Sponsor != nil {
		out.Sponsor.HTML, err = v.onPage("sponsor block", in.Edits.Sponsor.Text)
	}
	if err != nil {
		return out, err
	}
	for _, s := range v.sections {
		section := ContentSection{Heading: s.Heading}
		for _, a := range s.Articles {
			section.Articles = append(section.Articles, ContentArticle{a, cmp.Or(in.Edits.Forms[a.ID], s.Form)})
		}
		out.Sections = append(out.Sections, section)
	}
	return out, nil
}

// onPage converts what an editor wrote to HTML for the web, without the styles that mails need.
func (v view) onPage(name, source string) (template.HTML, error) {
	written, err := writtenBy(name, source)
	if err != nil || written == nil {
		return "", err
	}
	written.HTML = v.in.Pictures.PageHTML(written.HTML, pageSizes)
	return template.HTML(written.BodyFor(v.in.Site.URL)), nil //nolint:gosec // sanitized by writtenBy
}

// pageSizes is how wide the page of an edition shows images.
const pageSizes = "(max-width: 44rem) 100vw, 42rem"

// Public returns an edition as everyone may see it, and the articles in it that are still shown,
// with their current content. found are its articles in the store. If one of them was withdrawn,
// postponed or erased, the subject is empty, since it may name that article.
func (e Edition) Public(found []article.Article, now time.Time) (Edition, []article.Article) {
	if len(found) < len(e.Articles) || slices.ContainsFunc(found, func(a article.Article) bool { return a.Status != article.Published || a.Published.After(now) }) {
		e.Subject = ""
	}
	return e, slices.DeleteFunc(slices.Clone(found), func(a article.Article) bool { return !a.Listed(now) })
}

// ListPath returns the path of the page that lists the editions of a digest.
func ListPath(digest string) string { return "/digests/" + url.PathEscape(digest) + "/" }

// PagePath returns the path of an edition's public page, such as "/digests/weekly/42-the-harbour/".
// The number decides which edition it is; the words after it come from the subject, and the page
// redirects other words to these. Without a subject the path has only the number.
func PagePath(digest string, number int, subject string) string {
	path := ListPath(digest) + strconv.Itoa(number)
	if slug := article.Slugify(subject); slug != "" {
		path += "-" + url.PathEscape(slug)
	}
	return path + "/"
}

// PagePath returns the path of the edition's public page.
func (e Edition) PagePath() string { return PagePath(e.Digest, e.Number, e.Subject) }

// VariantPath returns the path of the public page with the articles of a variant. number is the
// variant's number within the edition. The variant without preferences has the edition's own page.
func (e Edition) VariantPath(v Variant, number int) string {
	if v.Key == "" {
		return e.PagePath()
	}
	return e.PagePath() + strconv.Itoa(number) + "/"
}

// FeedbackPath returns the path of the page for an answer about an edition, yes or no. edition is
// its id.
func FeedbackPath(edition, answer string) string {
	return "/editions/" + url.PathEscape(edition) + "/feedback/" + answer
}
