package delivery

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/google/uuid"

	"github.com/tidings-press/tidings/internal/digest"
	"github.com/tidings-press/tidings/internal/store"
	"github.com/tidings-press/tidings/internal/subscriber"
	"github.com/tidings-press/tidings/internal/words"
	"github.com/tidings-press/tidings/templates"
)

// EditorMail is the content of a mail to editors. It is rendered with the template "notice".
type EditorMail struct {
	Heading words.Text   // the subject too
	Lines   []words.Text // paragraphs
	Link    string       // page that the button opens; may be empty
	Button  words.Text   // label of the button
	// Language is the language of the mail. If it is empty, each editor gets it in their own.
	Language string
}

// MailEditors queues a mail to some editors; it is sent as soon as a relay takes it. The error
// names the editors whose mail could not be queued; the others still get theirs.
func (e *Engine) MailEditors(ctx context.Context, to []string, mail EditorMail) error {
	var errs []error
	for _, email := range to {
		language, err := e.languageOf(ctx, email, mail.Language)
		var address subscriber.Address
		var rendered templates.Rendered
		if err == nil {
			address, rendered, err = e.renderEditorMail(email, language, mail)
		}
		if err == nil {
			err = e.SendSingleMail(ctx, address, rendered)
		}
		if err != nil {
			errs = append(errs, fmt.Errorf("mail to the editor %s: %w", email, err))
		}
	}
	return errors.Join(errs...)
}

// languageOf returns the language for a mail to an address: the one given, that of the editor with this
// address, or none.
func (e *Engine) languageOf(ctx context.Context, email, given string) (string, error) {
	if given != "" {
		return given, nil
	}
	editor, err := e.Store.EditorByEmail(ctx, email)
	if errors.Is(err, store.ErrNotFound) {
		return "", nil
	}
	return editor.Language, err
}

// words returns the language for a mail to an editor: the one that they chose for the admin, or else that
// of the site.
func (e *Engine) words(chosen string) *words.Language {
	return e.Words.In(cmp.Or(chosen, e.Site.Language))
}

// translateAll translates texts.
func translateAll(l *words.Language, texts []words.Text) []string {
	out := make([]string, len(texts))
	for i, text := range texts {
		out[i] = l.Translate(text)
	}
	return out
}

func (e *Engine) renderEditorMail(email, language string, mail EditorMail) (to subscriber.Address, rendered templates.Rendered, err error) {
	if to, err = subscriber.ParseAddress(email); err != nil {
		return to, rendered, err
	}
	tmpl, err := e.Templates.Mail("notice")
	if err != nil {
		return to, rendered, err
	}
	l := e.words(language)
	rendered, err = tmpl.Render(templates.Notice{
		Page: e.Templates.Page(e.Site.In(l.Tag), l.Tag), Address: to.String(),
		Heading: l.Translate(mail.Heading), Lines: translateAll(l, mail.Lines), Link: mail.Link, Button: l.Translate(mail.Button),
	})
	return to, rendered, err
}

// urgentKey marks the context of mails that ignore the limits of relays.
type urgentKey struct{}

func urgent(ctx context.Context) bool { return ctx.Value(urgentKey{}) != nil }

// MailEditorsNow sends a mail to some editors at once, without writing to the store. It is for
// alerts that the store cannot be written to. It makes one try and ignores the limits of relays,
// since they are counted in the store. Without a language the mail is in the site's.
func (e *Engine) MailEditorsNow(ctx context.Context, to []string, mail EditorMail) error {
	ctx = context.WithValue(ctx, urgentKey{}, true)
	var errs []error
	for _, email := range to {
		address, rendered, err := e.renderEditorMail(email, mail.Language, mail)
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
	heading words.Text
	lines   []words.Text
	button  words.Text
	path    string // of the page that the button opens
	links   []editorLink
}

// editorLink is a further link of a mail to editors.
type editorLink struct {
	text words.Text
	path string
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
	l := e.words(editor.Language)
	notice := templates.Notice{
		Page: e.Templates.Page(e.Site.In(l.Tag), l.Tag), Name: editor.Name, Address: editor.Email,
		Heading: l.Translate(n.heading), Lines: translateAll(l, n.lines), Button: l.Translate(n.button), Link: e.absolute(n.path),
	}
	for _, link := range n.links {
		notice.Links = append(notice.Links, templates.NoticeLink{Text: l.Translate(link.text), URL: e.absolute(link.path)})
	}
	rendered, err := mail.Render(notice)
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
			heading: words.T("Withdrawn, but in a running edition: {0}", u.Title),
			lines: []words.Text{
				words.T("“{0}” was withdrawn after the edition “{1}” was approved. An approved edition is frozen: it still contains the article. Its state is: {2}.", u.Title, u.Subject, words.T(u.State.Label())),
				words.T("Pause the edition to stop it for all subscribers who have not received it yet. Then you can cancel or resume it."),
			},
			button: openEdition,
			path:   "/admin/editions/" + u.Edition,
		}
		if u.State == digest.Paused {
			n.lines[1] = words.T("The edition is paused. It can be cancelled or resumed.")
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

// openEdition is the label of the button in most mails to editors.
var openEdition = words.T("Open the edition")

// withdrawnEvery is the number of polls for each check for withdrawn articles.
const withdrawnEvery = 10
