package delivery

import (
	"context"
	"fmt"
	"strings"

	"github.com/tidings-press/tidings/internal/digest"
	"github.com/tidings-press/tidings/internal/store"
	"github.com/tidings-press/tidings/internal/subscriber"
	"github.com/tidings-press/tidings/templates"
)

// Notify selects the editors who get mails about a digest's editions.
type Notify string

// The values of Notify.
const (
	NotifyEditors Notify = "editors" // all editors, including owners
	NotifyOwners  Notify = "owners"
	NotifyNone    Notify = "none"
)

// editorMessage is the content of a mail to editors about an edition.
type editorMessage struct {
	heading string
	lines   []string
	button  string
	path    string // of the page that the button opens
}

// editorMailJobs returns a job for each editor whom notify selects. Each job mails the message
// with the sender of the named digest.
func (e *Engine) editorMailJobs(ctx context.Context, name string, notify Notify, n editorMessage) ([]store.Job, error) {
	if notify == NotifyNone {
		return nil, nil
	}
	editors, err := e.Store.Editors(ctx)
	if err != nil {
		return nil, err
	}
	mail, err := e.Templates.Mail("notice")
	if err != nil {
		return nil, err
	}
	var jobs []store.Job
	for _, editor := range editors {
		address, err := subscriber.ParseAddress(editor.Email)
		if err != nil || !editor.Disabled.IsZero() || notify == NotifyOwners && editor.Role != store.OwnerRole {
			continue
		}
		site := templates.Site{Title: e.Site.Title, URL: e.Site.URL, Icon: e.Site.Icon, Postal: strings.FieldsFunc(e.Site.Postal, func(r rune) bool { return r == '\n' })}
		rendered, err := mail.Render(templates.Notice{
			Page: e.Templates.Page(site, "en"), Name: editor.Name, Address: editor.Email,
			Heading: n.heading, Lines: n.lines, Button: n.button, Link: strings.TrimSuffix(e.Site.URL, "/") + n.path,
		})
		if err != nil {
			return nil, err
		}
		job, err := notice{Digest: name, To: address.String(), Mail: rendered}.job()
		if err != nil {
			return nil, err
		}
		jobs = append(jobs, job)
	}
	return jobs, nil
}

// draftMessage returns the message that a draft waits for approval. joined is the number of
// articles that a later tick added; 0 for a new draft.
func (e *Engine) draftMessage(def *Definition, edition store.Edition, joined int) editorMessage {
	n := editorMessage{
		heading: "A draft waits for you: " + edition.Subject,
		lines: []string{fmt.Sprintf("An edition of %s with %s waits for approval. It is sent when an editor approves it, and not before.",
			def.Title, count(len(edition.Articles), "article", "articles"))},
		button: "Look at the draft",
		path:   "/admin/editions/" + edition.ID,
	}
	if joined > 0 {
		n.heading = "A draft still waits for you: " + edition.Subject
		n.lines = append(n.lines, fmt.Sprintf("It was not approved before the next edition was due, so that %s joined it.", count(joined, "new article has", "new articles have")))
	}
	return n
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
				fmt.Sprintf("“%s” was withdrawn after the edition “%s” was approved. An approved edition is frozen: it still holds the article. It is %s.", u.Title, u.Subject, u.State),
				"Pause the edition to stop it for all subscribers who have not received it yet. Then you can cancel or resume it.",
			},
			button: "Look at the edition",
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
			e.Log.Warn("an article of an edition under way was withdrawn", "digest", u.Digest, "edition", u.Edition, "state", u.State, "article", u.ID,
				"hint", "tidings digest pause "+u.Edition)
		}
	}
	return nil
}

// withdrawnEvery is the number of polls for each check for withdrawn articles.
const withdrawnEvery = 10

// everyNthCall returns a step that runs on the first call and on every n-th call after it.
func everyNthCall(n int, step func(ctx context.Context) error) func(ctx context.Context) error {
	calls := 0
	return func(ctx context.Context) error {
		if calls++; calls%n != 1 {
			return nil
		}
		return step(ctx)
	}
}
