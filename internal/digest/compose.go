package digest

import (
	"cmp"
	"errors"
	"fmt"

	"github.com/tidings-press/tidings/templates"
)

// Compose returns the draft of an edition, with its subject and the ids of its articles. The
// caller sets ScheduledFor.
func Compose(in Input, set *templates.Set) (Edition, error) {
	if len(in.Articles) == 0 && !in.IsMessage() {
		return Edition{}, errors.New("an edition needs at least one article")
	}
	if err := in.checkMessage(); err != nil {
		return Edition{}, err
	}
	view := newView(in, in.language(Preferences{}), in.Articles, set)
	subject, err := view.subject()
	if err != nil {
		return Edition{}, fmt.Errorf("digest %s: %w", in.Definition.Name, err)
	}
	return Edition{
		ID: in.ID, Digest: in.Definition.Name, Number: in.Number, State: Draft,
		Subject: subject, Articles: ids(in.Articles), Created: in.Date,
	}, nil
}

// subject returns the subject that an editor wrote, or renders the subject template with the
// articles of this variant, so that it names no article that is missing from the mail.
func (v view) subject() (string, error) {
	if v.in.Subject != "" {
		return templates.HeaderLine(v.in.Subject), nil
	}
	tmpl, err := templates.ParseSubject(cmp.Or(v.in.Definition.Subject, DefaultSubject))
	if err != nil {
		return "", err
	}
	data, err := v.data(Placeholders{}, extent{whole: min(len(v.articles), 20), titles: 0})
	if err != nil {
		return "", err
	}
	return tmpl.Line(data)
}
