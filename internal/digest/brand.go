package digest

import (
	"encoding/json"
	"html"
	"html/template"
	"strings"

	"github.com/tidings-press/tidings/internal/article"
	"github.com/tidings-press/tidings/internal/config"
	"github.com/tidings-press/tidings/templates"
)

// In returns the site as mails in a language show it.
func (s Site) In(lang string) templates.Site {
	return templates.Site{
		Title: s.Title.In(lang), URL: s.URL, Icon: article.Absolute(s.Icon, s.URL),
		Postal: linesOf(s.Postal), Brand: s.brand(lang),
	}
}

// site returns the site as the mails of a digest show it: with the footer of the digest, if it has
// one.
func (in Input) site(lang string) templates.Site {
	site := in.Site.In(lang)
	if footer := in.Definition.Footer.In(lang); len(linesOf(footer)) > 0 {
		site.Brand.Footer, site.Brand.FooterText = paragraph(footer), strings.Join(linesOf(footer), "\n")
	}
	return site
}

// linesOf returns the lines of a text that are not blank.
func linesOf(text string) []string {
	var lines []string
	for line := range strings.Lines(text) {
		if line = strings.TrimSpace(line); line != "" {
			lines = append(lines, line)
		}
	}
	return lines
}

// brand returns the brand with the texts of a language and with absolute addresses.
func (s Site) brand(lang string) templates.Brand {
	b := s.Brand
	out := templates.Brand{
		Logo: s.picture(b.Logo, lang), Header: s.picture(b.Header, lang),
		Light: templates.Colors(b.Light), Dark: templates.Colors(b.Dark), HeadingFont: b.HeadingFont, TextFont: b.TextFont,
		Footer: paragraph(b.Footer.In(lang)), FooterText: strings.Join(linesOf(b.Footer.In(lang)), "\n"), Imprint: article.Absolute(b.Imprint, s.URL),
		Person: templates.Person{
			Name: b.Person.Name, Role: b.Person.Role.In(lang), Portrait: s.picture(b.Person.Portrait, lang), Signature: s.picture(b.Person.Signature, lang),
		},
	}
	for _, link := range b.Links {
		out.Social = append(out.Social, templates.Profile(link))
	}
	return out
}

func (s Site) picture(p *config.Picture, lang string) *templates.Image {
	if p == nil {
		return nil
	}
	return &templates.Image{URL: article.Absolute(p.URL, s.URL), Alt: p.Alt.In(lang), Width: p.Width, Height: p.Height}
}

// paragraph returns the lines of a text as HTML.
func paragraph(text string) template.HTML {
	lines := linesOf(text)
	if len(lines) == 0 {
		return ""
	}
	for i, line := range lines {
		lines[i] = html.EscapeString(line)
	}
	return template.HTML("<p>" + strings.Join(lines, "<br>") + "</p>") //nolint:gosec // escaped
}

// text returns all words of the site that a template may print.
func (s Site) text() string {
	text, _ := json.Marshal(s) // strings and numbers: it cannot fail
	return string(text)
}
