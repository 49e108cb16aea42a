package public

import (
	"context"

	"golang.org/x/text/language"

	"github.com/tidings-press/tidings/internal/digest"
	"github.com/tidings-press/tidings/internal/subscriber"
	"github.com/tidings-press/tidings/internal/token"
	"github.com/tidings-press/tidings/templates"
)

// Sender sends a single mail to a subscriber. unsubscribe is the address for one-click unsubscribe,
// or "".
type Sender interface {
	SendToSubscriber(ctx context.Context, sub subscriber.Subscriber, unsubscribe string, mail templates.Rendered) error
}

// mailConfirmation sends the mail with the link that confirms a subscription to digests.
func (p *Pages) mailConfirmation(ctx context.Context, sub subscriber.Subscriber, names []string) error {
	now := p.store.Now()
	return p.sendMail(ctx, "confirm", sub, names, func(n *templates.Notice) {
		n.Link = p.config.Site.URL + "/confirm/" + p.keys.SignConfirm(sub.UID, joinDigests(names), now)
		n.Expires = now.Add(token.ConfirmFor).In(p.zone)
	})
}

// mailWelcome sends the welcome mail, which has the unsubscribe link.
func (p *Pages) mailWelcome(ctx context.Context, sub subscriber.Subscriber, names []string) error {
	return p.sendMail(ctx, "welcome", sub, names, func(n *templates.Notice) {
		n.Reader = templates.Reader{
			Name: sub.Name, Address: sub.Address.String(),
			Unsubscribe: p.config.Site.URL + "/unsubscribe/" + p.keys.Sign(token.Unsubscribe, sub.UID, joinDigests(names), ""),
			Preferences: p.config.Site.URL + p.preferencesLink(sub.UID),
		}
	})
}

// sendMail renders a mail to one person, in their language, and sends it.
func (p *Pages) sendMail(ctx context.Context, mail string, sub subscriber.Subscriber, names []string, fill func(*templates.Notice)) error {
	tmpl, err := p.templates.Mail(mail)
	if err != nil {
		return err
	}
	language := p.languageFor(sub)
	n := templates.Notice{Page: p.templates.Page(digest.SiteOf(p.config).In(language), language), Name: sub.Name, Address: sub.Address.String()}
	for _, name := range names {
		if d := p.digest(name); d != nil {
			n.Digests = append(n.Digests, templates.Publication{Name: d.Name, Title: d.Title.In(language), Description: d.Description.In(language)})
		}
	}
	fill(&n)
	out, err := tmpl.Render(n)
	if err != nil {
		return err
	}
	return p.sender.SendToSubscriber(ctx, sub, n.Reader.Unsubscribe, out)
}

// languageFor returns the language of mails to a subscriber: the one in which they subscribed, or
// that of their articles, if the templates have phrases in it, and the site's otherwise.
func (p *Pages) languageFor(sub subscriber.Subscriber) string {
	for _, tag := range []string{sub.MailLanguage, sub.Language} {
		if tag != "" && sameLanguage(p.templates.Page(templates.Site{}, tag).Language, tag) {
			return tag
		}
	}
	return p.config.Site.Language
}

// sameLanguage reports whether two tags name one language, perhaps of two regions.
func sameLanguage(a, b string) bool {
	first, _ := language.Make(a).Base()
	second, _ := language.Make(b).Base()
	return first == second
}

// mailLanguage returns a form's language tag, or "" if it is invalid.
func mailLanguage(value string) string {
	tag, ok := subscriber.ParseLanguage(value)
	if !ok {
		return ""
	}
	return tag
}
