package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/tidings-press/tidings/internal/delivery"
	"github.com/tidings-press/tidings/internal/store"
)

// shownDecision is what editors have decided on a draft, in the form that the commands print.
type shownDecision struct {
	SendAt    *time.Time      `json:"send_at,omitempty"`
	AtTick    string          `json:"at_deadline,omitempty"` // send, hold or skip
	Deadline  string          `json:"deadline"`              // both in words
	Approvals []shownApproval `json:"approvals"`
	Missing   int             `json:"missing"`
	Held      string          `json:"held,omitempty"` // why the schedule does not send it
}

// shownApproval is an approval in the form that the commands print.
type shownApproval struct {
	By string    `json:"by"`
	At time.Time `json:"at"`
}

// showDecision returns nil for a draft that needs no editor.
func showDecision(ctx context.Context, e *delivery.Engine, r delivery.Review) (*shownDecision, error) {
	if r.Edition.Automatic {
		return nil, nil
	}
	d, err := e.Decision(ctx, r)
	if err != nil {
		return nil, err
	}
	out := &shownDecision{AtTick: string(d.AtTick), Deadline: d.Deadline.String(), Approvals: []shownApproval{}, Missing: d.Missing(), Held: r.Edition.Held}
	if !r.Edition.SendAt.IsZero() {
		out.SendAt = &r.Edition.SendAt
	}
	for _, one := range d.Approvals {
		out.Approvals = append(out.Approvals, shownApproval{one.Name, one.At})
	}
	return out, nil
}

// decisionOn returns what was decided on a draft; nil if it was approved meanwhile, or its digest is
// no longer configured. No approval counts for a draft that cannot be composed.
func decisionOn(ctx context.Context, e *delivery.Engine, draft store.Edition) (*shownDecision, error) {
	review, err := e.Review(ctx, draft.ID)
	var changed *store.StateError
	if errors.As(err, &changed) || !slices.ContainsFunc(e.Digests, func(d delivery.Definition) bool { return d.Name == draft.Digest }) {
		return nil, nil
	}
	if err != nil {
		review = delivery.Review{Edition: draft}
	}
	return showDecision(ctx, e, review)
}

// sentences describes a decision, one sentence a line.
func (d *shownDecision) sentences() []string {
	if d == nil {
		return nil
	}
	out := []string{d.Deadline}
	if d.Held != "" {
		out = append(out, "The schedule does not send it: "+d.Held+".")
	}
	var names []string
	for _, one := range d.Approvals {
		names = append(names, one.By)
	}
	given := "no editor"
	if len(names) > 0 {
		given = strings.Join(names, ", ")
	}
	return append(out, fmt.Sprintf("Approved by %s; %s missing.", given, some(int64(d.Missing), "approval", "approvals")))
}

func (d *shownDecision) lines(w io.Writer) {
	for _, line := range d.sentences() {
		fmt.Fprintln(w, line)
	}
}

// indented prints the lines below an edition in a list.
func (d *shownDecision) indented(w io.Writer) {
	for _, line := range d.sentences() {
		fmt.Fprintf(w, "\t%s\n", line)
	}
}

const undoLong = `Undo makes an approved edition a draft again, as long as no mail of it was begun: within delivery.undo after an
editor has approved it, or until its tick if it was approved before. It is sent only once it is approved again.`

func newUndo(a *cli) *cobra.Command {
	c := newEditionControl(a, "undo", "Make an approved edition a draft again before its first mail", func(ctx context.Context, e *delivery.Engine, id string) error {
		return e.Undo(ctx, id, "command line")
	})
	c.Long = undoLong
	return c
}

const holdLong = `Hold keeps the schedule from sending a draft at its tick, whatever at_deadline is. It is sent once it is approved.
--release ends the hold; this is possible until the tick.`

func newHold(a *cli) *cobra.Command {
	var release bool
	c := newEditionControl(a, "hold", "Keep the schedule from sending a draft at its tick", func(ctx context.Context, e *delivery.Engine, id string) error {
		if release {
			return e.ReleaseHold(ctx, id)
		}
		return e.Hold(ctx, id, "command line")
	})
	c.Long = holdLong
	c.Example += "\n  tidings digest hold 0b6cc0e4 --release"
	c.Flags().BoolVar(&release, "release", false, "end the hold")
	return c
}
