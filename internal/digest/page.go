package digest

import (
	"cmp"
	"fmt"
	"net/url"

	"github.com/tidings-press/tidings/templates"
)

// RenderPage renders an edition as a public web page with all its articles. It uses the mail's
// template, but the subscriber's links are replaced by the subscription form. lang is the
// language of the fixed phrases; empty for the digest's or the site's.
func RenderPage(in Input, lang string, set *templates.Set) (string, error) {
	if len(in.Articles) == 0 && !in.IsMessage() {
		return "", ErrEmpty
	}
	mail, err := set.Mail(cmp.Or(in.Definition.Template, DefaultTemplate))
	if err != nil {
		return "", fmt.Errorf("digest %s: %w", in.Definition.Name, err)
	}
	view := newView(in, cmp.Or(lang, in.language(Preferences{})), in.Articles, set)
	if view.page.Subject, err = view.subject(); err != nil {
		return "", fmt.Errorf("digest %s: %w", in.Definition.Name, err)
	}
	anonymous, err := view.page.Phrase("nobody")
	if err != nil {
		return "", err
	}
	subscribe := view.subscribeURL()
	// Custom templates may show these on the page.
	reader := Placeholders{Name: anonymous, Address: view.page.Site.Title, Unsubscribe: subscribe, Preferences: subscribe, Web: in.Site.URL + PagePath(in.ID)}
	data, err := view.data(reader, extent{whole: len(in.Articles), bodies: true, web: true})
	if err != nil {
		return "", fmt.Errorf("digest %s: %w", in.Definition.Name, err)
	}
	data.Subscribe = subscribe
	out, err := mail.HTML(data)
	if err != nil {
		return "", fmt.Errorf("digest %s: %w", in.Definition.Name, err)
	}
	return out, nil
}

// PagePath returns the path of an edition's public page.
func PagePath(edition string) string { return "/editions/" + url.PathEscape(edition) }
