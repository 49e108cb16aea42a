package admin

import (
	"context"
	"net/http"
	"slices"

	"github.com/tidings-press/tidings/internal/digest"
	"github.com/tidings-press/tidings/internal/store"
	"github.com/tidings-press/tidings/internal/words"
)

// checklistStep is a step from a new site to its first edition.
type checklistStep struct {
	Title  words.Text
	Hint   words.Text
	Button words.Text
	Path   string // of the page that does it; empty without one
	Done   bool
}

// checklistHint is the name under which the store keeps that the checklist was dismissed.
const checklistHint = "checklist"

// checklist returns the steps to the first edition, and nil when all are done or an editor has
// dismissed them.
func (h *Handler) checklist(ctx context.Context, editor *store.Editor, body dashboardPage) ([]checklistStep, error) {
	sent := body.Sending() || slices.ContainsFunc(body.Recent, func(r resultRow) bool { return r.State == digest.Sent || r.Retrying() })
	if sent {
		return nil, nil
	}
	dismissed, err := h.store.HintDismissed(ctx, checklistHint)
	if err != nil || dismissed {
		return nil, err
	}
	steps := []checklistStep{
		{words.T("Name your site"), words.T("Readers see its title on the pages, in the feeds and in each email."), words.T("Name it"), h.firstPage(editor, "/admin/settings/site", "/admin/settings"), h.config.Site.Named()},
		{words.T("Connect a mail server"), words.T("Emails go out over a mail server (SMTP), such as that of your provider."), words.T("Connect one"), h.firstPage(editor, "/admin/settings/relays", "/admin/settings"), len(h.config.Relays) > 0},
		{words.T("Publish an article"), words.T("Write one here, or import a folder of files."), words.T("Write an article"), h.firstPage(editor, "/admin/articles/new", "/admin/articles"), body.Articles > 0},
		{words.T("Set up a digest"), words.T("A digest collects new articles and mails them at set times."), words.T("Set one up"), h.firstPage(editor, "/admin/digests/new", "/admin/settings/digests", "/admin/digests"), len(h.config.Digests) > 0},
		{words.T("Add subscribers"), words.T("Import a list, or share the page where people subscribe."), words.T("Add subscribers"), h.firstPage(editor, "/admin/subscribers/import", "/admin/subscribers/new", "/admin/subscribers"), body.Subscribed() > 0},
		{words.T("Send the first edition"), words.T("See it first, send yourself a test, then send it to everyone."), words.T("Preview and send"), h.firstDigest(), false},
	}
	return steps, nil
}

// firstDigest returns the path of a digest's page, or of the list of digests if there is none.
func (h *Handler) firstDigest() string {
	if len(h.config.Digests) > 0 {
		return "/admin/digests/" + h.config.Digests[0].Name
	}
	return "/admin/digests"
}

// StepsDone returns the number of steps that are done.
func (p dashboardPage) StepsDone() int {
	n := 0
	for _, step := range p.Checklist {
		if step.Done {
			n++
		}
	}
	return n
}

// NextStep reports whether a step is the first one that is not done.
func (p dashboardPage) NextStep(i int) bool {
	return i == slices.IndexFunc(p.Checklist, func(s checklistStep) bool { return !s.Done })
}

// dismissChecklist hides the checklist for all editors.
func (h *Handler) dismissChecklist(w http.ResponseWriter, r *http.Request, session store.Session) error {
	if err := h.store.DismissHint(h.auditing(r.Context(), session.Editor, "checklist.dismiss", "", "", ""), checklistHint); err != nil {
		return err
	}
	return redirectWithFlash(w, r, "/admin/", "dismissed")
}
