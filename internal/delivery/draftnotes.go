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

// Notify says who gets mails about a digest's editions.
type Notify string

// Who gets them.
const (
	NotifyEditors Notify = "editors" // all who may sign in, owners too
	NotifyOwners  Notify = "owners"
	NotifyNone    Notify = "none"
)

// ownerRole is the role of those who let others in.
const ownerRole = "owner"

// editorMessage is a mail to editors.
type editorMessage struct {
	heading string
	lines   []string
	button  string
	path    string // of the page that the button opens; opening it changes nothing
}

// editorMailJobs makes the jobs that carry a mail to each editor who wants to hear of a digest.
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
		if err != nil || !editor.Disabled.IsZero() || notify == NotifyOwners && editor.Role != ownerRole {
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

// draftMessage tells that a draft waits. joined is how many articles a later tick added.
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

// notifyWithdrawn tells editors of articles that were withdrawn after their edition was
// approved: what is frozen goes on being sent, unless somebody holds it.
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
			heading: "Withdrawn, but in an edition under way: " + u.Title,
			lines: []string{
				fmt.Sprintf("“%s” was withdrawn after the edition “%s” was approved. An approved edition is frozen: it still holds the article. It is %s.", u.Title, u.Subject, u.State),
				"Pause the edition to hold it back from everyone who does not have it yet. Then it can be cancelled or resumed.",
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

// withdrawnEvery is how many polls lie between two looks for withdrawn articles.
const withdrawnEvery = 10

// everyNthCall runs a step at every so many calls.
func everyNthCall(every int, step func(ctx context.Context) error) func(ctx context.Context) error {
	calls := 0
	return func(ctx context.Context) error {
		if calls++; calls%every != 1 {
			return nil
		}
		return step(ctx)
	}
}
