package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"time"

	"github.com/spf13/cobra"

	"github.com/tidings-press/tidings/internal/app"
	"github.com/tidings-press/tidings/internal/delivery"
	"github.com/tidings-press/tidings/internal/digest"
	"github.com/tidings-press/tidings/internal/store"
)

func newDigestStatus(a *cli) *cobra.Command {
	var name string
	var limit int
	var all bool
	c := &cobra.Command{
		Use:     "status [EDITION]",
		Short:   "Show recent editions with their counts, or one edition in full",
		Example: "  tidings digest status\n  tidings digest status --digest weekly --json\n  tidings digest status 0b6cc0e4-6ad3-4d0a-9c35-5a52a9cf3d0f",
		Args:    cobra.MaximumNArgs(1),
		RunE: a.withEngine(func(ctx context.Context, p *app.Service, e *delivery.Engine, args []string) error {
			if len(args) > 0 {
				return a.printEdition(ctx, p, e, args[0], all)
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
				shown, err := showWithSkips(ctx, e, progress)
				if err != nil {
					return err
				}
				list = append(list, shown)
			}
			ticks, err := p.Store.Ticks(ctx, name, limit)
			if err != nil {
				return err
			}
			return a.print(list, func(w io.Writer) { printStatus(w, list, ticks) })
		}),
	}
	c.Flags().StringVar(&name, "digest", "", "only editions of this digest")
	limitFlag(c, &limit, 10, 1, "maximum number to list")
	c.Flags().BoolVar(&all, "all", false, "with EDITION, list every mail that was refused, is being retried or is uncertain")
	return c
}

func printStatus(w io.Writer, list []shownProgress, ticks []store.Tick) {
	for _, one := range list {
		fmt.Fprintf(w, "%s\t%s %d\t%s\t%d of %d sent, %d refused, %d skipped, %s, %d uncertain\t%s\n", one.Edition, one.Digest, one.Number, one.StateText,
			one.Sent, one.Total, one.Refused, one.Skipped, one.later(), one.Uncertain, one.Subject)
		one.Decision.indented(w)
		for _, title := range one.Withdrawn {
			fmt.Fprintf(w, "\twithdrawn after the approval and still in this edition: %s; pause it with: tidings digest pause %s\n", title, one.Edition)
		}
		for _, skip := range one.SkippedBy {
			fmt.Fprintf(w, "\tskipped %s: %s\n", thousands(skip.Count), skip.Reason)
		}
	}
	if len(list) == 0 {
		fmt.Fprintln(w, "No editions yet.")
	}
	for _, tick := range ticks {
		if tick.Edition == "" {
			fmt.Fprintf(w, "no edition at %s of %s: %s\n", tick.ScheduledFor, tick.Digest, tick.Reason)
		}
	}
}

// listedStates are the states of deliveries that are listed one by one.
var listedStates = []digest.DeliveryState{digest.DeliveryRefused, digest.DeliveryUncertain, digest.DeliveryDeferred}

// maxListed is how many of them are listed without --all.
const maxListed = 100

func (a *cli) printEdition(ctx context.Context, p *app.Service, e *delivery.Engine, id string, all bool) error {
	edition, err := p.FindEdition(ctx, id)
	if err != nil {
		return err
	}
	progress, err := e.Progress(ctx, edition.ID)
	if err != nil {
		return err
	}
	if err := a.printProgress(ctx, e, progress); err != nil || a.json {
		return err
	}
	most := maxListed
	if all {
		most = math.MaxInt
	}
	shown, err := a.printDeliveries(most, func(after int64, limit int) ([]store.AddressedDelivery, error) {
		return p.Store.Deliveries(ctx, edition, listedStates, after, limit)
	})
	if rest := int(progress.Counts.Refused+progress.Counts.Uncertain+progress.Counts.Deferred) - shown; err == nil && rest > 0 && shown == most {
		_, err = fmt.Fprintf(a.stdout, "and %d more; --all lists them\n", rest)
	}
	return err
}

// printDeliveries prints up to most deliveries while it reads them, and returns how many it
// printed. With --json each is a line.
func (a *cli) printDeliveries(most int, next func(after int64, limit int) ([]store.AddressedDelivery, error)) (shown int, err error) {
	const page = 500
	for after := int64(0); shown < most; {
		found, err := next(after, min(page, most-shown))
		if err != nil || len(found) == 0 {
			return shown, err
		}
		if err := a.printPage(found); err != nil {
			return shown, err
		}
		shown, after = shown+len(found), found[len(found)-1].Subscriber
	}
	return shown, nil
}

func (a *cli) printPage(found []store.AddressedDelivery) error {
	if a.json {
		encoder := json.NewEncoder(a.stdout)
		encoder.SetEscapeHTML(false)
		for _, d := range found {
			if err := encoder.Encode(showDelivery(d)); err != nil {
				return err
			}
		}
		return nil
	}
	return a.text(func(w io.Writer) {
		for _, d := range found {
			fmt.Fprintf(w, "%s\t%s\t%d\t%s\t%s\t%s\n", d.Address, d.State, d.Code, d.Reply, d.Reason, d.At.Format(time.RFC3339))
		}
	})
}

// shownDelivery is a delivery in the form that the commands print.
type shownDelivery struct {
	Edition    string     `json:"edition"`
	Subscriber int64      `json:"subscriber"`
	Address    string     `json:"address"`
	State      string     `json:"state"`
	Tries      int        `json:"tries"`
	Code       int        `json:"code,omitempty"`
	Reply      string     `json:"reply,omitempty"`
	Reason     string     `json:"reason,omitempty"`
	Relay      string     `json:"relay,omitempty"`
	At         time.Time  `json:"at"`
	NextTry    *time.Time `json:"next_try,omitempty"`
}

func showDelivery(d store.AddressedDelivery) shownDelivery {
	out := shownDelivery{
		Edition: d.Edition, Subscriber: d.Subscriber, Address: d.Address, State: string(d.State), Tries: d.Tries,
		Code: d.Code, Reply: d.Reply, Reason: d.Reason, Relay: d.Relay, At: d.At,
	}
	if !d.NextTry.IsZero() {
		out.NextTry = &d.NextTry
	}
	return out
}

func newUncertain(a *cli) *cobra.Command {
	return group("uncertain", "List the mails with an uncertain outcome after a crash, and resend or drop them",
		&cobra.Command{
			Use:     "list EDITION",
			Short:   "List the mails of an edition that are or were uncertain, with their outcome",
			Example: "  tidings digest uncertain list 0b6cc0e4-6ad3-4d0a-9c35-5a52a9cf3d0f",
			Args:    exactly("EDITION"),
			RunE: a.withEngine(func(ctx context.Context, p *app.Service, _ *delivery.Engine, args []string) error {
				edition, err := p.FindEdition(ctx, args[0])
				if err != nil {
					return err
				}
				_, err = a.printDeliveries(math.MaxInt, func(after int64, limit int) ([]store.AddressedDelivery, error) {
					return p.Store.EverUncertain(ctx, edition, after, limit)
				})
				return err
			}),
		},
		newDecision(a, "resend", "Send the uncertain mails again, with the same Message-ID", true),
		newDecision(a, "drop", "Do not send the uncertain mails again", false))
}

func newDecision(a *cli, name, short string, resend bool) *cobra.Command {
	return &cobra.Command{
		Use:     name + " EDITION",
		Short:   short,
		Example: "  tidings digest uncertain " + name + " 0b6cc0e4-6ad3-4d0a-9c35-5a52a9cf3d0f",
		Args:    exactly("EDITION"),
		RunE: a.withEngine(func(ctx context.Context, p *app.Service, e *delivery.Engine, args []string) error {
			edition, err := p.FindEdition(ctx, args[0])
			if err != nil {
				return err
			}
			count, err := e.ResolveUncertain(ctx, edition.ID, resend)
			if err != nil {
				return err
			}
			return a.print(map[string]int64{"decided": count}, func(w io.Writer) {
				if resend {
					fmt.Fprintf(w, "%s queued again and sent by serve and worker\n", some(count, "mail is", "mails are"))
				} else {
					fmt.Fprintf(w, "%s dropped\n", some(count, "mail is", "mails are"))
				}
			})
		}),
	}
}
