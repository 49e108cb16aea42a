package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync"
	"time"

	"github.com/spf13/cobra"

	"github.com/tidings-press/tidings/internal/app"
	"github.com/tidings-press/tidings/internal/delivery"
	"github.com/tidings-press/tidings/internal/digest"
	"github.com/tidings-press/tidings/internal/store"
)

const sendLong = `Send composes an edition of the new articles and sends it now. It prints how many articles are in it and
how many are left for later editions, and asks for the digest's name; pass --yes in scripts. --since moves the digest's start date:
stored articles dated from that day on are included. --draft makes the edition and leaves it for approval.
--undo makes it wait that long before its first mail: until then, "digest undo" makes it a draft again.

The command runs until every mail has been tried; other nodes on the same store help. If only mails are
left that other servers deferred, it ends with "sent, 5 retrying" and exit code 0; serve and worker
retry these. After Ctrl-C they also send the rest.`

func newDigestSend(a *cli) *cobra.Command {
	var yes, detach, draft bool
	var since string
	var undo time.Duration
	c := &cobra.Command{
		Use:     "send NAME",
		Short:   "Send a digest now",
		Long:    sendLong,
		Example: "  tidings digest send weekly\n  tidings digest send weekly --yes --json\n  tidings digest send weekly --since 2026-01-01",
		Args:    exactly("NAME"),
		RunE: a.withEngine(func(ctx context.Context, p *app.Service, e *delivery.Engine, args []string) error {
			from, err := dateFor(p, args[0], "--since", since)
			if err != nil {
				return err
			}
			if undo, err = undoTime(undo); err != nil {
				return err
			}
			var edition store.Edition
			if draft {
				edition, err = e.Draft(ctx, args[0], delivery.SendOptions{By: "command line", Since: from})
			} else {
				edition, err = a.sendNow(ctx, p, e, args[0], delivery.SendOptions{By: "command line", Since: from, Undo: undo}, yes)
			}
			switch {
			case errors.Is(err, delivery.ErrNothingNew):
				return a.nothingNew(args[0], err)
			case err != nil:
				return err
			case draft:
				return a.report(editionState(edition), "edition %s is a draft; approve it with: tidings digest approve %[1]s", edition.ID)
			case detach:
				return a.report(editionState(edition), "edition %s is approved; serve and worker send it", edition.ID)
			}
			return a.sendUntilFinished(ctx, e, edition.ID)
		}),
	}
	c.Flags().BoolVar(&yes, "yes", false, "do not ask")
	c.Flags().BoolVar(&detach, "detach", false, "let serve and worker send it")
	c.Flags().BoolVar(&draft, "draft", false, "leave the edition for approval and send nothing")
	c.Flags().DurationVar(&undo, "undo", 0, undoUsage)
	c.Flags().StringVar(&since, "since", "", "move the digest's start date to this day (2026-01-31)")
	return c
}

// editionState is what the commands print of an edition whose state they changed.
func editionState(e store.Edition) map[string]string {
	return map[string]string{"edition": e.ID, "digest": e.Digest, "state": string(e.State)}
}

// skippedText counts the skipped subscribers by reason, "" when there are none.
func skippedText(skipped []store.SkipCount) string {
	if len(skipped) == 0 {
		return ""
	}
	parts := make([]string, len(skipped))
	for i, one := range skipped {
		parts[i] = thousands(one.Count) + " " + one.Reason
	}
	return " Skipped: " + strings.Join(parts, ", ") + "."
}

// thousands writes 1204 as 1,204.
func thousands(n int64) string {
	text := fmt.Sprint(n)
	for at := len(text) - 3; at > 0; at -= 3 {
		text = text[:at] + "," + text[at:]
	}
	return text
}

// sendUntilFinished runs as a node until an edition is finished or waits for an editor.
func (a *cli) sendUntilFinished(ctx context.Context, e *delivery.Engine, id string) error {
	working, stop := context.WithCancel(ctx)
	defer stop()
	var work sync.WaitGroup
	var broken error
	work.Go(func() { broken = e.Run(working) })
	last := a.follow(working, e, id)
	stop()
	work.Wait()
	if broken != nil && ctx.Err() == nil {
		return broken
	}
	if fresh, err := e.Progress(context.WithoutCancel(ctx), id); err == nil {
		last = fresh
	}
	err := a.printProgress(context.WithoutCancel(ctx), e, last)
	if last.Retrying() {
		a.warn("serve and worker retry the remaining mails for up to %.0f hours; one of them must be running", e.Policy.RetryFor.Hours())
	}
	return errors.Join(err, partlyIf(unfinished(last)))
}

// unfinished reports whether an edition was sent only in part: it is in progress or stopped,
// a mail was refused or is uncertain, or a relay is on hold. Deferred mails do not count.
func unfinished(p delivery.Progress) bool {
	over := p.Edition.State == digest.Sent || p.Retrying() && !p.RelayHeld()
	return !over || p.Counts.Refused+p.Counts.Uncertain > 0
}

// uncertainTimeout is how long follow waits for a change when an edition has uncertain mails
// and otherwise waits only for retries.
const uncertainTimeout = 30 * time.Second

// follow shows the progress of an edition until it waits for an editor or another server.
func (a *cli) follow(ctx context.Context, e *delivery.Engine, id string) (last delivery.Progress) {
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	bar := a.bar("sending")
	defer bar.done()
	held := map[string]bool{}
	changes := e.Watch(ctx, id)
	for {
		select {
		case p, more := <-changes:
			if !more {
				return last
			}
			last = p
			bar.set(p.Counts.Total-p.Counts.Open(), p.Counts.Total)
			a.warnHeld(p.Holds, held)
			if p.Idle() || p.Retrying() && (p.Counts.Uncertain == 0 || !e.Policy.Resend) {
				return last
			}
		case <-time.After(uncertainTimeout):
			if last.Retrying() {
				return last
			}
		}
	}
}

// warnHeld warns once of each relay and domain that is on hold.
func (a *cli) warnHeld(holds []store.Hold, warned map[string]bool) {
	for _, hold := range holds {
		if text := hold.Target() + " is on hold: " + hold.Reason; !warned[text] {
			warned[text] = true
			a.warn("%s", text)
		}
	}
}

// shownProgress is an edition's progress in the form that the commands print.
type shownProgress struct {
	Edition   string    `json:"edition"`
	Digest    string    `json:"digest"`
	Number    int       `json:"number"`
	State     string    `json:"state"`
	StateText string    `json:"state_text"` // the state in words, such as "sent, 5 retrying"
	Reason    string    `json:"reason,omitempty"`
	Subject   string    `json:"subject"`
	Articles  int       `json:"articles,omitempty"`
	Created   time.Time `json:"created"`
	Total     int64     `json:"total"`
	Sent      int64     `json:"sent"`
	Refused   int64     `json:"refused"`
	Skipped   int64     `json:"skipped"`
	Deferred  int64     `json:"deferred"`
	Warming   int64     `json:"warming,omitempty"` // of the deferred ones: they wait for a warm-up
	Uncertain int64     `json:"uncertain"`
	Open      int64     `json:"open"`
	PerSecond float64   `json:"per_second,omitempty"`
	Left      string    `json:"left,omitempty"`
	Warmup    string    `json:"warmup,omitempty"`

	SkippedBy []store.SkipCount `json:"skipped_by,omitempty"`
	Withdrawn []string          `json:"withdrawn,omitempty"` // titles, of a running edition
	Feedback  *shownVotes       `json:"feedback,omitempty"`  // if readers answered
	Decision  *shownDecision    `json:"decision,omitempty"`  // on a draft that awaits approval
}

// shownVotes is how many readers found an edition helpful.
type shownVotes struct {
	Helpful   int64 `json:"helpful"`
	Unhelpful int64 `json:"unhelpful"`
}

// later describes the deferred mails.
func (s shownProgress) later() string {
	out := fmt.Sprintf("%d retrying", s.Deferred-s.Warming)
	if s.Warming > 0 {
		out += fmt.Sprintf(", %d waiting for warm-up", s.Warming)
	}
	return out
}

func showProgress(p delivery.Progress) shownProgress {
	e, c := p.Edition, p.Counts
	out := shownProgress{Edition: e.ID, Digest: e.Digest, Number: e.Number, State: string(e.State), StateText: p.StateText().String(), Reason: e.Reason, Subject: e.Subject, Articles: len(e.Articles), Created: e.Created,
		Total: c.Total, Sent: c.Sent, Refused: c.Refused, Skipped: c.Skipped, Deferred: c.Deferred, Warming: c.Warming, Uncertain: c.Uncertain, Open: c.Open(), PerSecond: p.Rate}
	if p.Votes.Total() > 0 {
		out.Feedback = &shownVotes{p.Votes.Helpful, p.Votes.Unhelpful}
	}
	for _, w := range p.Withdrawn {
		out.Withdrawn = append(out.Withdrawn, w.Title)
	}
	if p.Warmup.Days > 0 {
		out.Warmup = p.Warmup.Text().String()
	}
	if p.Left > 0 {
		out.Left = p.Left.String()
	}
	return out
}

// showWithSkips is showProgress with the reasons why subscribers were skipped, and what was decided
// on a draft.
func showWithSkips(ctx context.Context, e *delivery.Engine, p delivery.Progress) (shownProgress, error) {
	out := showProgress(p)
	if p.Edition.State == digest.Draft {
		decision, err := decisionOn(ctx, e, p.Edition)
		out.Decision = decision
		return out, err
	}
	if out.Skipped == 0 {
		return out, nil
	}
	skipped, err := e.Store.SkipCounts(ctx, p.Edition.Seq)
	out.SkippedBy = skipped
	return out, err
}

func (a *cli) printProgress(ctx context.Context, e *delivery.Engine, p delivery.Progress) error {
	shown, err := showWithSkips(ctx, e, p)
	if err != nil {
		return err
	}
	return a.print(shown, func(w io.Writer) {
		fmt.Fprintf(w, "%s: %s\nedition %s, number %d of %s", shown.StateText, shown.Subject, shown.Edition, shown.Number, shown.Digest)
		if shown.Reason != "" {
			fmt.Fprintf(w, " (%s)", shown.Reason)
		}
		fmt.Fprintf(w, "\n%s: %d sent, %d refused, %d skipped, %s, %d uncertain, %d remaining\n", some(shown.Total, "subscriber", "subscribers"), shown.Sent, shown.Refused, shown.Skipped, shown.later(), shown.Uncertain, shown.Open)
		if shown.Warmup != "" {
			fmt.Fprintln(w, shown.Warmup)
		}
		shown.Decision.lines(w)
		for _, title := range shown.Withdrawn {
			fmt.Fprintf(w, "withdrawn after the approval and still in this edition: %s; pause it with: tidings digest pause %s\n", title, shown.Edition)
		}
		for _, one := range shown.SkippedBy {
			fmt.Fprintf(w, "skipped %s: %s\n", thousands(one.Count), one.Reason)
		}
		if v := shown.Feedback; v != nil {
			fmt.Fprintf(w, "helpful for %s, not helpful for %s\n", some(v.Helpful, "reader", "readers"), some(v.Unhelpful, "reader", "readers"))
		}
		if shown.PerSecond > 0 {
			fmt.Fprintf(w, "%.0f mails/s\n", shown.PerSecond)
		}
	})
}
