package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/tidings-press/tidings/internal/app"
	"github.com/tidings-press/tidings/internal/delivery"
	"github.com/tidings-press/tidings/internal/digest"
	"github.com/tidings-press/tidings/internal/store"
)

// shownReview is a draft in the form that "digest show" prints.
type shownReview struct {
	Edition   string            `json:"edition"`
	Digest    string            `json:"digest"`
	Number    int               `json:"number"`
	Subject   string            `json:"subject"`
	From      string            `json:"from"`
	Audience  string            `json:"audience,omitempty"` // of a message
	Articles  []string          `json:"articles"`           // titles
	Withdrawn []string          `json:"withdrawn,omitempty"`
	Readers   int64             `json:"readers"`
	SkippedBy []store.SkipCount `json:"skipped_by,omitempty"`
	Warnings  []string          `json:"warnings,omitempty"`
	Decision  *shownDecision    `json:"decision,omitempty"`
	Shown     string            `json:"shown"` // for "approve --shown"
	HTML      string            `json:"html"`
	Text      string            `json:"text"`
}

func showReview(r delivery.Review) shownReview {
	out := shownReview{
		Edition: r.Edition.ID, Digest: r.Edition.Digest, Number: r.Edition.Number, Subject: r.Subject, From: r.From, Articles: []string{},
		Readers: r.Recipients.Count, SkippedBy: r.Recipients.Skipped, Warnings: r.Warnings, Shown: r.Fingerprint.Short(), HTML: r.HTML, Text: r.Text,
	}
	if m, err := delivery.MessageOf(r.Edition); err == nil {
		out.Audience = audienceText(m.Audience.Digests, m.Audience.Segment)
	}
	for i := range r.Contents {
		out.Articles = append(out.Articles, r.Contents[i].Title)
	}
	for i := range r.Withdrawn {
		out.Withdrawn = append(out.Withdrawn, r.Withdrawn[i].Title)
	}
	return out
}

// lines prints the draft without the mail.
func (s shownReview) lines(w io.Writer) {
	fmt.Fprintf(w, "“%s”\nnumber %d of %s, from %s, to %s.%s\n", s.Subject, s.Number, s.Digest, s.From, some(s.Readers, "subscriber", "subscribers"), skippedText(s.SkippedBy))
	if s.Audience != "" {
		fmt.Fprintf(w, "a message for %s\n", s.Audience)
	}
	for _, title := range s.Articles {
		fmt.Fprintf(w, "  %s\n", title)
	}
	for _, title := range s.Withdrawn {
		fmt.Fprintf(w, "  left out because it was withdrawn: %s\n", title)
	}
	for _, warning := range s.Warnings {
		fmt.Fprintf(w, "note: %s\n", warning)
	}
	s.Decision.lines(w)
}

const showLong = `Show prints a draft as it would be sent if it were approved now: subject, sender, articles, subscribers, when it
is sent and what happens then without approval, the approvals given and missing, and what holds it. It writes the mail to files named by the edition's id, .html and .txt. The last line has a fingerprint of all of it:
"digest approve EDITION --shown FINGERPRINT" approves exactly what was shown, or refuses.`

func newShow(a *cli) *cobra.Command {
	var dir string
	c := &cobra.Command{
		Use:     "show EDITION",
		Short:   "Show a draft as it would be sent",
		Long:    showLong,
		Example: "  tidings digest show 0b6cc0e4\n  tidings digest show 0b6cc0e4 --json",
		Args:    exactly("EDITION"),
		RunE: a.withEngine(func(ctx context.Context, p *app.Service, e *delivery.Engine, args []string) error {
			review, err := a.review(ctx, p, e, args[0])
			if err != nil {
				return err
			}
			shown := showReview(review)
			if shown.Decision, err = showDecision(ctx, e, review); err != nil {
				return err
			}
			if a.json {
				return a.print(shown, nil)
			}
			path := filepath.Join(dir, shown.Edition)
			for _, part := range []struct{ name, text string }{{path + ".html", shown.HTML}, {path + ".txt", shown.Text}} {
				if err := os.WriteFile(part.name, []byte(part.text), 0o644); err != nil {
					return err
				}
			}
			shown.lines(a.stdout)
			command := "approve it with: tidings digest approve"
			if shown.Audience != "" {
				command = "send it with: tidings message send"
			}
			return a.report(nil, "wrote %s.html and %s.txt\n%s %s --shown %s", path, path, command, shown.Edition, shown.Shown)
		}),
	}
	c.Flags().StringVar(&dir, "dir", ".", "folder to write to")
	return c
}

// review finds a draft and fills in its placeholders with samples.
func (a *cli) review(ctx context.Context, p *app.Service, e *delivery.Engine, id string) (delivery.Review, error) {
	edition, err := p.FindEdition(ctx, id)
	if err != nil {
		return delivery.Review{}, err
	}
	review, err := e.Review(ctx, edition.ID)
	site := p.Config.Site.URL
	review.Variant = review.Fill(digest.Placeholders{Address: "reader@example.org", Unsubscribe: site, Preferences: site, Web: site})
	return review, err
}

const approveLong = `Approve freezes a draft and sends it. It shows subject, articles and subscribers and asks for the digest's
name. In scripts, pass --shown with the fingerprint that "digest show" printed: if an article was edited, added or
withdrawn since then, or the subject, the sender or a template changed, the approval is refused. --yes alone
is refused, since it would approve a draft that was not shown.

--as names the editor who approves. If the digest needs two editors (approval: two), it is required, and the draft
is frozen with the approval of the second one. A draft that is approved before its tick (draft_before) is sent then.

--undo makes the edition wait that long before its first mail: until then, "digest undo" makes it a draft again.`

const undoUsage = "how long to wait before the first mail, such as 30s; until then it can be undone"

// undoTime checks the value of --undo.
func undoTime(d time.Duration) (time.Duration, error) {
	if d < 0 || d > time.Hour {
		return 0, usagef("--undo %v is out of range; use 0s to 1h, such as 30s", d)
	}
	return d, nil
}

func newApprove(a *cli) *cobra.Command {
	var fingerprint, as string
	var yes bool
	var undo time.Duration
	c := &cobra.Command{
		Use:     "approve EDITION",
		Short:   "Approve a draft: freeze it and send it",
		Long:    approveLong,
		Example: "  tidings digest approve 0b6cc0e4\n  tidings digest approve 0b6cc0e4 --shown 3f2a9c0d11e84b57\n  tidings digest approve 0b6cc0e4 --as ann@example.org",
		Args:    exactly("EDITION"),
		RunE: a.withEngine(func(ctx context.Context, p *app.Service, e *delivery.Engine, args []string) error {
			edition, err := p.FindEdition(ctx, args[0])
			if err != nil {
				return err
			}
			by, err := approver(ctx, p, as)
			if err != nil {
				return err
			}
			if by.Undo, err = undoTime(undo); err != nil {
				return err
			}
			switch {
			case fingerprint != "":
				_, err = e.ApproveShort(ctx, edition.ID, by, fingerprint)
			case yes:
				err = usagef("--yes does not approve a draft that was not shown; look at it with \"tidings digest show %s\", and pass the --shown FINGERPRINT that it prints", args[0])
			default:
				err = a.askToApprove(ctx, p, e, edition.ID, by)
			}
			var changed *delivery.ChangedError
			if errors.As(err, &changed) {
				err = fmt.Errorf("not approved: %w; review it again with: tidings digest show %s", err, edition.ID)
			}
			var faults *delivery.CheckError
			if errors.As(err, &faults) {
				err = fmt.Errorf("not approved: %w. To waive a finding: tidings digest check %s --waive NAME --reason REASON", err, edition.ID)
			}
			if err != nil {
				return err
			}
			progress, err := e.Progress(ctx, edition.ID)
			if err != nil {
				return err
			}
			return a.printProgress(ctx, e, progress)
		}),
	}
	c.Flags().StringVar(&fingerprint, "shown", "", "fingerprint printed by show; refuse a draft that changed since")
	c.Flags().StringVar(&as, "as", "", "address of the editor who approves")
	c.Flags().BoolVar(&yes, "yes", false, "do not ask; needs --shown")
	c.Flags().DurationVar(&undo, "undo", 0, undoUsage)
	return c
}

// approver returns the editor with an address as an approver; the command line without one.
func approver(ctx context.Context, p *app.Service, address string) (delivery.Approver, error) {
	if address == "" {
		return delivery.CommandLine, nil
	}
	editor, err := p.Store.EditorByEmail(ctx, address)
	if errors.Is(err, store.ErrNotFound) || err == nil && !editor.Disabled.IsZero() {
		return delivery.Approver{}, usagef("no active editor has the address %q; \"tidings editor list\" shows the editors", address)
	}
	return delivery.Approver{Editor: editor.ID, Name: editor.Email}, err
}

// askToApprove shows a draft and asks, again when it changed before the answer.
func (a *cli) askToApprove(ctx context.Context, p *app.Service, e *delivery.Engine, id string, by delivery.Approver) error {
	answers := bufio.NewReader(io.LimitReader(a.stdin, 10_000))
	for {
		review, err := a.review(ctx, p, e, id)
		if err != nil {
			return err
		}
		showReview(review).lines(a.stderr)
		fmt.Fprintf(a.stderr, "To approve and send it, type the name of the digest, %s: ", review.Edition.Digest)
		if err := answered(answers, review.Edition.Digest, "pass --shown FINGERPRINT, as \"tidings digest show\" prints it, to approve from a script"); err != nil {
			return err
		}
		_, err = e.ApproveAs(ctx, id, by, review.Fingerprint)
		var changed *delivery.ChangedError
		if !errors.As(err, &changed) {
			return err
		}
		a.warn("%v", changed)
	}
}

// answered reads an answer, which must be the name. hint explains how to confirm in a script.
func answered(answers *bufio.Reader, name, hint string) error {
	answer, err := answers.ReadString('\n')
	if strings.TrimSpace(answer) == name {
		return nil
	}
	if err != nil && answer == "" {
		return usagef("no confirmation given; %s", hint)
	}
	return errors.New("the name does not match; nothing was sent")
}

// sendNow shows the next edition, asks for confirmation and approves it.
func (a *cli) sendNow(ctx context.Context, p *app.Service, e *delivery.Engine, name string, order delivery.SendOptions, yes bool) (store.Edition, error) {
	answers := bufio.NewReader(io.LimitReader(a.stdin, 10_000))
	for {
		next, err := e.Preview(ctx, name, delivery.PreviewOptions{Since: order.Since})
		if err != nil {
			return store.Edition{}, err
		}
		a.warnBacklog(p, name, next.Backlog)
		if yes {
			return e.Send(ctx, name, order)
		}
		for _, one := range next.Contents {
			fmt.Fprintln(a.stderr, visible("  "+one.Title))
		}
		fmt.Fprintf(a.stderr, "“%s” to %s?%s Type the name of the digest, %s: ", next.Subject, some(next.Recipients.Count, "subscriber", "subscribers"), skippedText(next.Recipients.Skipped), name)
		if err := answered(answers, name, "pass --yes to send from a script"); err != nil {
			return store.Edition{}, err
		}
		order.Expect = &next.Fingerprint
		edition, err := e.Send(ctx, name, order)
		var changed *delivery.ChangedError
		if !errors.As(err, &changed) {
			return edition, err
		}
		a.warn("%v", changed)
	}
}

// warnBacklog lists the articles that are not in an edition.
func (a *cli) warnBacklog(p *app.Service, name string, b delivery.Backlog) {
	if b.Waiting > 0 {
		a.warn("%s; %d in this edition", some(b.Waiting, "article queued", "articles queued"), b.Next)
	}
	a.warnQueued(name, b)
	if b.Drafted > 0 {
		a.warn("%s in a draft that awaits approval, not in this edition", some(b.Drafted, "article is", "articles are"))
	}
	if b.Earlier > 0 {
		a.warn("%s dated before the digest's start date, %s, and in no edition", some(b.Earlier, "article is", "articles are"), b.Since.In(p.Zone()).Format("2 January 2006"))
	}
}
