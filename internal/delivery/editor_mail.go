package delivery

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/google/uuid"

	"github.com/tidings-press/tidings/internal/digest"
	"github.com/tidings-press/tidings/internal/store"
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
			err = e.SendSingleMail(ctx, address, rendered)
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
	rendered, err = tmpl.Render(templates.Notice{
		Page: e.Templates.Page(e.Site.In("en"), "en"), Address: to.String(),
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
			err = e.compileAndSend(ctx, nil, singleMail{ID: uuid.NewString(), To: address.String(), Mail: rendered})
		}
		if err != nil {
			errs = append(errs, fmt.Errorf("mail to the editor %s: %w", email, err))
		}
	}
	return errors.Join(errs...)
}

// Notify selects the editors who get mails about a digest's editions.
type Notify string

// The values of Notify.
const (
	NotifyEditors Notify = "editors" // all editors and owners
	NotifyOwners  Notify = "owners"
	NotifyNone    Notify = "none"
	// notifyOthers selects the editors who are not owners.
	notifyOthers Notify = "others"
)

// editorMessage is the content of a mail to editors about an edition.
type editorMessage struct {
	heading string
	lines   []string
	button  string
	path    string // of the page that the button opens
	links   []templates.NoticeLink
}

// editorMailJobs returns a job for each editor whom notify selects. Each job mails the message
// with the sender of the named digest.
func (e *Engine) editorMailJobs(ctx context.Context, name string, notify Notify, n editorMessage) ([]store.Job, error) {
	editors, err := e.notifiedEditors(ctx, notify)
	if err != nil {
		return nil, err
	}
	var jobs []store.Job
	for _, editor := range editors {
		job, err := e.editorMailJob(name, editor, n)
		if err != nil {
			return nil, err
		}
		jobs = append(jobs, job)
	}
	return jobs, nil
}

// notifiedEditors returns the editors whom notify selects, of those whose role permits to approve
// editions.
func (e *Engine) notifiedEditors(ctx context.Context, notify Notify) ([]store.Editor, error) {
	if notify == NotifyNone {
		return nil, nil
	}
	editors, err := e.Store.Editors(ctx)
	return slices.DeleteFunc(editors, func(editor store.Editor) bool {
		_, err := subscriber.ParseAddress(editor.Email)
		owner := editor.Role == store.OwnerRole
		return err != nil || !editor.Disabled.IsZero() || !editor.Role.MayApprove() || notify == NotifyOwners && !owner || notify == notifyOthers && owner
	}), err
}

// editorMailJob returns the job that mails a message to one editor.
func (e *Engine) editorMailJob(name string, editor store.Editor, n editorMessage) (store.Job, error) {
	mail, err := e.Templates.Mail("notice")
	if err != nil {
		return store.Job{}, err
	}
	rendered, err := mail.Render(templates.Notice{
		Page: e.Templates.Page(e.Site.In("en"), "en"), Name: editor.Name, Address: editor.Email,
		Heading: n.heading, Lines: n.lines, Button: n.button, Link: e.absolute(n.path), Links: n.links,
	})
	if err != nil {
		return store.Job{}, err
	}
	return singleMail{Digest: name, To: editor.Email, Mail: rendered}.job()
}

// notifyWithdrawn mails editors about articles that were withdrawn after their edition was
// approved. The frozen edition still contains them and is sent unless an editor pauses it.
func (e *Engine) notifyWithdrawn(ctx context.Context) error {
	pending, err := e.Store.PendingWithdrawalNotices(ctx)
	if err != nil {
		return err
	}
	for _, u := range pending {
		notify := NotifyEditors
		if def, err := e.definition(u.Digest); err == nil {
			notify = def.Notify
		}
		n := editorMessage{
			heading: "Withdrawn, but in a running edition: " + u.Title,
			lines: []string{
				fmt.Sprintf("“%s” was withdrawn after the edition “%s” was approved. An approved edition is frozen: it still contains the article. Its state is: %s.", u.Title, u.Subject, u.State.Label()),
				"Pause the edition to stop it for all subscribers who have not received it yet. Then you can cancel or resume it.",
			},
			button: "Open the edition",
			path:   "/admin/editions/" + u.Edition,
		}
		if u.State == digest.Paused {
			n.lines[1] = "The edition is paused. It can be cancelled or resumed."
		}
		jobs, err := e.editorMailJobs(ctx, u.Digest, notify, n)
		if err != nil {
			return err
		}
		first, err := e.Store.RecordWithdrawalNotice(ctx, u, jobs)
		if err != nil {
			return err
		}
		if first {
			e.Log.Warn("an article of an approved edition was withdrawn", "digest", u.Digest, "edition", u.Edition, "state", u.State, "article", u.ID,
				"hint", "tidings digest pause "+u.Edition)
		}
	}
	return nil
}

// withdrawnEvery is the number of polls for each check for withdrawn articles.
const withdrawnEvery = 10
