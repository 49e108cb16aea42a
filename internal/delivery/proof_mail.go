package delivery

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/tidings-press/tidings/internal/backoff"
	"github.com/tidings-press/tidings/internal/digest"
	"github.com/tidings-press/tidings/internal/lint"
	"github.com/tidings-press/tidings/internal/store"
	"github.com/tidings-press/tidings/internal/words"
	"github.com/tidings-press/tidings/templates"
)

// proofKind is the kind of the jobs that mail a proof to the editors.
const proofKind = "proof"

// proofJob is the payload of such a job.
type proofJob struct {
	Edition string
	Joined  int // number of articles that a later tick added; 0 for a new draft
}

// Limits of proofs.
const (
	proofTries     = 10
	proofLease     = 2 * time.Minute
	maxProofMails  = 8  // languages whose mails are sent
	maxProofListed = 12 // waiting articles that are listed
)

// proofJobs returns the job that mails the proof of a draft, or none if no editor gets mail about
// it. The mails are made by the job, not by the tick, since a proof takes longer than a tick may.
func (e *Engine) proofJobs(def *Definition, draft store.Edition, joined int) ([]store.Job, error) {
	if def.notifies(EventProof) == NotifyNone {
		return nil, nil
	}
	payload, err := json.Marshal(proofJob{Edition: draft.ID, Joined: joined})
	return []store.Job{{Kind: proofKind, Key: fmt.Sprintf("%s/%d", draft.ID, draft.Created.UnixMilli()), Payload: payload}}, err
}

// sendProofs makes the mails of the proofs that are due.
func (e *Engine) sendProofs(ctx context.Context) error {
	for ctx.Err() == nil {
		jobs, err := e.Store.ClaimJobs(ctx, []string{proofKind}, 1, proofLease)
		if err != nil || len(jobs) == 0 {
			return err
		}
		if err := e.sendProof(ctx, jobs[0]); err != nil {
			return err
		}
	}
	return nil
}

// sendProof queues the mails of one proof, and ends its job in the same transaction. A draft that
// an editor has decided on meanwhile needs no proof.
func (e *Engine) sendProof(ctx context.Context, j store.Job) error {
	var content proofJob
	if err := json.Unmarshal(j.Payload, &content); err != nil {
		return e.Store.FailJob(ctx, j, "it cannot be read: "+err.Error())
	}
	mails, err := e.proofMails(ctx, content)
	var decided *store.StateError
	switch {
	case errors.As(err, &decided), errors.Is(err, store.ErrNotFound):
		return e.Store.FinishJob(ctx, j)
	case err != nil && j.Tries >= proofTries:
		return e.Store.FailJob(ctx, j, err.Error())
	case err != nil:
		e.Log.Warn("a proof could not be made and is tried again", "edition", content.Edition, "error", err)
		return e.Store.RetryJob(ctx, j, backoff.Delay(5*time.Second, time.Hour, j.Tries), err.Error())
	}
	return e.Store.FinishJobWith(ctx, j, mails)
}

// proofMails returns the mails of a proof for all editors whom the digest selects: a summary with
// the links, and the mail itself in each language.
func (e *Engine) proofMails(ctx context.Context, content proofJob) ([]store.Job, error) {
	online, cancel := context.WithTimeout(ctx, onlineTimeout)
	defer cancel()
	proof, err := e.proof(ctx, content.Edition, online)
	if err != nil {
		return nil, err
	}
	def, err := e.definition(proof.Edition.Digest)
	if err != nil {
		return nil, err
	}
	editors, err := e.notifiedEditors(ctx, def.notifies(EventProof))
	if err != nil {
		return nil, err
	}
	var out []store.Job
	for _, editor := range editors {
		summary, err := e.editorMailJob(def.Name, editor, e.proofMessage(&proof, content.Joined, editor))
		if err != nil {
			return nil, err
		}
		variants, err := e.proofVariants(ctx, proof.Edition, editor)
		if err != nil {
			return nil, err
		}
		out = append(out, summary)
		for _, v := range variants[:min(len(variants), maxProofMails)] {
			job, err := singleMail{Digest: def.Name, To: editor.Email, Mail: templates.Rendered{Subject: e.words(editor.Language).Translate(proofSubject(v, len(variants))), HTML: v.HTML, Text: v.Text}}.job()
			if err != nil {
				return nil, err
			}
			out = append(out, job)
		}
	}
	return out, nil
}

// proofSubject marks the subject of a mail that is a proof, with its language if there are several.
func proofSubject(v digest.Variant, variants int) words.Text {
	switch {
	case variants == 1:
		return words.T("[Proof] {0}", v.Subject)
	case strings.HasPrefix(v.Key, "l="): // articles of one language
		return words.T("[Proof, {0}] {1}", v.Language, v.Subject)
	}
	return words.T("[Proof, all articles, {0}] {1}", v.Language, v.Subject)
}

// proofMessage returns the summary of a proof for one editor.
func (e *Engine) proofMessage(p *Proof, joined int, editor store.Editor) editorMessage {
	n := editorMessage{
		heading: words.T("A draft needs your approval: {0}", p.Subject),
		lines: []words.Text{
			words.N(len(p.Contents), "An edition of {1} with {0} article awaits approval. {2}", "An edition of {1} with {0} articles awaits approval. {2}", p.Title, p.Deadline),
			words.T("{0} {1} From: {2}.", p.approvalsText(), recipientsText(p.Recipients), p.From),
		},
		button: words.T("Approve this edition"),
		path:   e.proofPath(editor, p.Edition),
		links: []editorLink{
			{words.T("Hold it"), e.proofPath(editor, p.Edition) + "#hold"},
			{words.T("Change it"), "/admin/editions/" + p.Edition.ID + "/compose"},
		},
	}
	if joined > 0 {
		n.heading = words.T("A draft still needs your approval: {0}", p.Subject)
		n.lines = append(n.lines, words.N(joined, "It was not approved before the next edition was due, so {0} new article was added to it.", "It was not approved before the next edition was due, so {0} new articles were added to it."))
	}
	for i := range p.Contents {
		line := words.T("{0}. “{1}”", i+1, p.Contents[i].Title)
		if i < len(p.Reasons) {
			line = words.T("{0}: {1}", line, p.Reasons[i])
		}
		n.lines = append(n.lines, line)
	}
	n.lines = append(n.lines, waitingLines(p)...)
	n.lines = append(n.lines, checkLines(p.Findings)...)
	return n
}

// recipientsText describes who gets a draft.
func recipientsText(r Recipients) words.Text {
	var skipped []words.Text
	for _, s := range r.Skipped {
		skipped = append(skipped, words.T("{0} ({1})", s.Count, words.Stored(s.Reason)))
	}
	if len(skipped) == 0 {
		return words.N(r.Count, "It goes to {0} subscriber.", "It goes to {0} subscribers.")
	}
	return words.N(r.Count, "It goes to {0} subscriber, and not to {1}.", "It goes to {0} subscribers, and not to {1}.", words.Joined(", ", skipped...))
}

// waitingLines lists the articles that wait for later editions.
func waitingLines(p *Proof) []words.Text {
	if p.Backlog.Waiting == 0 {
		return nil
	}
	var titles []string
	for _, o := range p.Offered[:min(len(p.Offered), maxProofListed)] {
		titles = append(titles, "“"+o.Title+"”")
	}
	list := words.Verbatim(strings.Join(titles, ", "))
	if rest := p.Backlog.Waiting - len(titles); rest > 0 {
		list = words.T("{0}, and {1} more", list, rest)
	}
	return []words.Text{words.N(p.Backlog.Waiting, "Not in it: {0} article waits for a later edition: {1}.", "Not in it: {0} articles wait for a later edition: {1}.", list)}
}

// checkLines lists what the check found.
func checkLines(findings []lint.Finding) []words.Text {
	if len(findings) == 0 {
		return []words.Text{words.T("The check found no fault.")}
	}
	lines := findingLines(findings)
	for i := range lines {
		if lines[i] = words.T("Check, {0}: {1}", words.Stored(findings[i].Severity), lines[i]); findings[i].Waived != "" {
			lines[i] = words.T("{0} Waived: {1}", lines[i], findings[i].Waived)
		}
	}
	return lines
}

// absolute returns the URL of a path of this site.
func (e *Engine) absolute(path string) string { return strings.TrimSuffix(e.Site.URL, "/") + path }
