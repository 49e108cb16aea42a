package delivery

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/tidings-press/tidings/internal/digest"
	"github.com/tidings-press/tidings/internal/lint"
	"github.com/tidings-press/tidings/internal/store"
	"github.com/tidings-press/tidings/internal/words"
)

// OnErrors is what errors of the check do that no editor waived.
type OnErrors string

// The values of OnErrors. All errors keep an editor from approving an edition, except with
// ErrorsWarn.
const (
	ErrorsBlock   OnErrors = "block"   // editions without an editor are held too
	ErrorsHarmful OnErrors = "harmful" // they are held only for harmful errors; the default
	ErrorsWarn    OnErrors = "warn"    // errors are only reported
)

// Checks configures the check of editions.
type Checks struct {
	OnErrors OnErrors      // ErrorsHarmful when empty
	Fetcher  *lint.Fetcher // requests links and images; nil for no requests
	Filters  []lint.Filter // spam filters to ask
}

// blocks reports whether a finding keeps an edition from being approved.
func (c Checks) blocks(f lint.Finding, automatic bool) bool {
	switch c.OnErrors {
	case ErrorsBlock:
		return f.Blocks()
	case ErrorsWarn:
		return false
	}
	return f.Blocks() && (!automatic || f.Harms())
}

// CheckError refuses an approval because the check found errors that were not waived.
type CheckError struct {
	Findings []lint.Finding // the errors
}

func (e *CheckError) Error() string { return e.Text().String() }

// Text returns the error for pages.
func (e *CheckError) Text() words.Text {
	return words.T("the check found errors: {0}; fix or waive them first", summaryOf(e.Findings))
}

// summaryOf lists findings in a line.
func summaryOf(findings []lint.Finding) string {
	const most = 5
	var out []string
	for i := range findings[:min(len(findings), most)] {
		f := &findings[i]
		text := f.Name + ": " + f.Message
		if f.URL != "" {
			text += " (" + f.URL + ")"
		}
		out = append(out, text)
	}
	if more := len(findings) - most; more > 0 {
		out = append(out, fmt.Sprintf("and %d more", more))
	}
	return strings.Join(out, "; ")
}

// approvalTimeout is how long an approval waits for other sites and for spam filters. What they
// have not answered then does not block it.
const approvalTimeout = 10 * time.Second

// checkApproval checks an edition that is being approved. It returns the errors, and a
// *CheckError if they keep it from being sent; an edition without an editor is then left to one.
// Such editions are sent to the second, so other sites are asked only if they could block it. rendered
// are variants that need not be rendered again, by key.
func (e *Engine) checkApproval(ctx context.Context, edition store.Edition, input digest.Input, rendered map[string]digest.Variant) ([]lint.Finding, error) {
	var online context.Context
	if !edition.Automatic || e.Checks.OnErrors == ErrorsBlock {
		var cancel context.CancelFunc
		online, cancel = context.WithTimeout(ctx, approvalTimeout)
		defer cancel()
	}
	findings, err := e.checkInput(ctx, edition, input, rendered, online)
	if err != nil {
		return nil, err
	}
	var errs, blocking []lint.Finding
	for _, f := range findings {
		if f.Blocks() {
			errs = append(errs, f)
		}
		if e.Checks.blocks(f, edition.Automatic) {
			blocking = append(blocking, f)
		}
	}
	if len(blocking) == 0 {
		return errs, nil
	}
	if edition.Automatic {
		if err := e.holdWithErrors(ctx, edition, blocking); err != nil {
			return errs, err
		}
	}
	return errs, &CheckError{Findings: blocking}
}

// holdWithErrors leaves an edition to the editors and tells them why.
func (e *Engine) holdWithErrors(ctx context.Context, edition store.Edition, errs []lint.Finding) error {
	jobs, err := e.errorMails(ctx, edition, words.T("Held because of errors: {0}", edition.Subject), words.T("The edition was not sent, because the check found errors. Correct or waive them, then approve it."), errs)
	if err != nil {
		return err
	}
	e.Log.Warn("an edition is held because of errors", "digest", edition.Digest, "edition", edition.ID, "errors", summaryOf(errs))
	return e.Store.RequireApproval(ctx, edition.ID, words.T("the check found errors: {0}", summaryOf(errs)).String(), jobs...)
}

// reportErrors tells editors about errors of an edition that was sent without an editor.
func (e *Engine) reportErrors(ctx context.Context, edition store.Edition, errs []lint.Finding) error {
	if len(errs) == 0 || !edition.Automatic {
		return nil
	}
	e.Log.Warn("an edition is sent with errors", "digest", edition.Digest, "edition", edition.ID, "errors", summaryOf(errs))
	jobs, err := e.errorMails(ctx, edition, words.T("Sent with errors: {0}", edition.Subject), words.T("The edition is being sent, although the check found errors."), errs)
	for _, job := range jobs {
		if _, err := e.Store.Enqueue(ctx, job); err != nil {
			return err
		}
	}
	return err
}

// errorMails returns the mails to editors about errors of an edition.
func (e *Engine) errorMails(ctx context.Context, edition store.Edition, heading, line words.Text, errs []lint.Finding) ([]store.Job, error) {
	def, err := e.definition(edition.Digest)
	if err != nil {
		return nil, err
	}
	return e.editorMailJobs(ctx, def.Name, def.notifies(EventHeld), editorMessage{
		heading: heading, lines: append([]words.Text{line}, findingLines(errs)...),
		button: openEdition, path: "/admin/editions/" + edition.ID,
	})
}

// findingLines writes findings for a mail to editors.
func findingLines(findings []lint.Finding) []words.Text {
	const most = 20
	var lines []words.Text
	for i := range findings[:min(len(findings), most)] {
		f := &findings[i]
		line := words.T("{0}: {1}", f.Name, words.Stored(f.Message))
		for _, at := range []string{f.Article, f.URL} {
			if at != "" {
				line = words.T("{0} ({1})", line, at)
			}
		}
		lines = append(lines, words.T("{0}. {1}", line, words.Stored(f.Fix)))
	}
	return lines
}
