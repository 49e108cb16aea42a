package delivery

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/google/uuid"

	"github.com/tidings-press/tidings/internal/article"
	"github.com/tidings-press/tidings/internal/subscriber"
	"github.com/tidings-press/tidings/templates"
)

// EditorMail is the content of a mail to editors. It is rendered with the template "notice".
type EditorMail struct {
	Heading string   // the subject too
	Lines   []string // paragraphs
	Link    string   // page that the button opens; may be empty
	Button  string   // label of the button
}

// MailEditors queues a mail to some editors; it is sent as soon as a relay takes it. The error
// names the editors whose mail could not be queued; the others still get theirs.
func (e *Engine) MailEditors(ctx context.Context, to []string, mail EditorMail) error {
	var errs []error
	for _, email := range to {
		address, rendered, err := e.renderEditorMail(email, mail)
		if err == nil {
			err = e.SendNotice(ctx, address, rendered)
		}
		if err != nil {
			errs = append(errs, fmt.Errorf("mail to the editor %s: %w", email, err))
		}
	}
	return errors.Join(errs...)
}

func (e *Engine) renderEditorMail(email string, mail EditorMail) (to subscriber.Address, rendered templates.Rendered, err error) {
	if to, err = subscriber.ParseAddress(email); err != nil {
		return to, rendered, err
	}
	tmpl, err := e.Templates.Mail("notice")
	if err != nil {
		return to, rendered, err
	}
	site := templates.Site{Title: e.Site.Title, URL: e.Site.URL, Icon: article.Absolute(e.Site.Icon, e.Site.URL)}
	if postal := strings.TrimSpace(e.Site.Postal); postal != "" {
		site.Postal = strings.Split(postal, "\n")
	}
	rendered, err = tmpl.Render(templates.Notice{
		Page: e.Templates.Page(site, "en"), Address: to.String(),
		Heading: mail.Heading, Lines: mail.Lines, Link: mail.Link, Button: mail.Button,
	})
	return to, rendered, err
}

// urgentKey marks the context of mails that ignore the limits of relays.
type urgentKey struct{}

func urgent(ctx context.Context) bool { return ctx.Value(urgentKey{}) != nil }

// MailEditorsNow sends a mail to some editors at once, without writing to the store. It is for
// alerts that the store cannot be written to. It makes one try and ignores the limits of relays,
// since they are counted in the store.
func (e *Engine) MailEditorsNow(ctx context.Context, to []string, mail EditorMail) error {
	ctx = context.WithValue(ctx, urgentKey{}, true)
	var errs []error
	for _, email := range to {
		address, rendered, err := e.renderEditorMail(email, mail)
		if err == nil {
			err = e.post(ctx, nil, notice{ID: uuid.NewString(), To: address.String(), Mail: rendered})
		}
		if err != nil {
			errs = append(errs, fmt.Errorf("mail to the editor %s: %w", email, err))
		}
	}
	return errors.Join(errs...)
}
