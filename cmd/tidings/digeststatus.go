package main

import (
	"context"
	"fmt"
	"io"
	"time"

	"github.com/spf13/cobra"

	"github.com/tidings-press/tidings/delivery"
	"github.com/tidings-press/tidings/digest"
	"github.com/tidings-press/tidings/press"
	"github.com/tidings-press/tidings/store"
)

func newDigestStatus(a *app) *cobra.Command {
	var name string
	var limit int
	c := &cobra.Command{
		Use:     "status [EDITION]",
		Short:   "Show the last editions with their counts, or one in full",
		Example: "  tidings digest status\n  tidings digest status --digest weekly --json\n  tidings digest status 0b6cc0e4-6ad3-4d0a-9c35-5a52a9cf3d0f",
		Args:    cobra.MaximumNArgs(1),
		RunE: a.withEngine(func(ctx context.Context, p *press.Press, e *delivery.Engine, args []string) error {
			if len(args) > 0 {
				return a.printEdition(ctx, p, e, args[0])
			}
			editions, err := p.Store.Editions(ctx, name, limit)
			if err != nil {
				return err
			}
			list := []shownProgress{}
			for _, edition := range editions {
				progress, err := e.Progress(ctx, edition.ID)
				if err != nil {
					return err
				}
				list = append(list, showProgress(progress))
			}
			ticks, err := p.Store.Ticks(ctx, name, limit)
			if err != nil {
				return err
			}
			return a.print(list, func(w io.Writer) { printStatus(w, list, ticks) })
		}),
	}
	c.Flags().StringVar(&name, "digest", "", "only of this digest")
	c.Flags().IntVar(&limit, "limit", 10, "how many")
	return c
}

func printStatus(w io.Writer, list []shownProgress, ticks []store.Tick) {
	for _, one := range list {
		fmt.Fprintf(w, "%s\t%s %d\t%s\t%d of %d sent, %d refused, %d skipped, %d deferred, %d uncertain\t%s\n", one.Edition, one.Digest, one.Number, one.State,
			one.Sent, one.Total, one.Refused, one.Skipped, one.Deferred, one.Uncertain, one.Subject)
	}
	if len(list) == 0 {
		fmt.Fprintln(w, "No edition yet.")
	}
	for _, tick := range ticks {
		if tick.Edition == "" {
			fmt.Fprintf(w, "no edition at %s of %s: %s\n", tick.ScheduledFor, tick.Digest, tick.Reason)
		}
	}
}

// troubles are the deliveries that an edition is shown with one by one.
var troubles = []digest.DeliveryState{digest.DeliveryRefused, digest.DeliveryUncertain, digest.DeliveryDeferred}

// maxTroubles is how many of them are shown.
const maxTroubles = 100

func (a *app) printEdition(ctx context.Context, p *press.Press, e *delivery.Engine, id string) error {
	edition, err := p.FindEdition(ctx, id)
	if err != nil {
		return err
	}
	progress, err := e.Progress(ctx, edition.ID)
	if err != nil {
		return err
	}
	if err := a.printProgress(progress); err != nil || a.json {
		return err
	}
	return a.printDeliveries(ctx, p, edition, troubles)
}

func (a *app) printDeliveries(ctx context.Context, p *press.Press, edition store.Edition, states []digest.DeliveryState) error {
	found, err := p.Store.Deliveries(ctx, edition, states, 0, maxTroubles)
	if err != nil {
		return err
	}
	return a.print(found, func(w io.Writer) {
		for _, d := range found {
			fmt.Fprintf(w, "%s\t%s\t%d\t%s\t%s\t%s\n", d.Address, d.State, d.Code, d.Reply, d.Reason, d.At.Format(time.RFC3339))
		}
	})
}

func newUncertain(a *app) *cobra.Command {
	return group("uncertain", "List the mails in doubt after a crash, and send or drop them",
		&cobra.Command{
			Use:     "list EDITION",
			Short:   "List the mails of an edition that are in doubt",
			Example: "  tidings digest uncertain list 0b6cc0e4-6ad3-4d0a-9c35-5a52a9cf3d0f",
			Args:    exactly("EDITION"),
			RunE: a.withEngine(func(ctx context.Context, p *press.Press, _ *delivery.Engine, args []string) error {
				edition, err := p.FindEdition(ctx, args[0])
				if err != nil {
					return err
				}
				return a.printDeliveries(ctx, p, edition, []digest.DeliveryState{digest.DeliveryUncertain})
			}),
		},
		newDecision(a, "resend", "Send the mails in doubt again, with the same Message-ID", true),
		newDecision(a, "drop", "Leave the mails in doubt be", false))
}

func newDecision(a *app, name, short string, resend bool) *cobra.Command {
	return &cobra.Command{
		Use:     name + " EDITION",
		Short:   short,
		Example: "  tidings digest uncertain " + name + " 0b6cc0e4-6ad3-4d0a-9c35-5a52a9cf3d0f",
		Args:    exactly("EDITION"),
		RunE: a.withEngine(func(ctx context.Context, p *press.Press, e *delivery.Engine, args []string) error {
			edition, err := p.FindEdition(ctx, args[0])
			if err != nil {
				return err
			}
			count, err := e.Decide(ctx, edition.ID, resend)
			if err != nil {
				return err
			}
			return a.print(map[string]int64{"decided": count}, func(w io.Writer) {
				if resend {
					fmt.Fprintf(w, "%d mails are queued again; serve and worker send them\n", count)
				} else {
					fmt.Fprintf(w, "%d mails are dropped\n", count)
				}
			})
		}),
	}
}
