package main

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"time"

	"github.com/spf13/cobra"

	"github.com/tidings-press/tidings/internal/app"
	"github.com/tidings-press/tidings/internal/delivery"
	"github.com/tidings-press/tidings/internal/digest"
)

// shownEntry is an entry of the calendar in the form that the command prints.
type shownEntry struct {
	At       time.Time `json:"at"`
	Digest   string    `json:"digest"`
	Edition  string    `json:"edition,omitempty"`
	Number   int       `json:"number,omitempty"`
	State    string    `json:"state"` // of the edition; planned or skipped for a tick, proof for when a coming one is drafted
	Subject  string    `json:"subject,omitempty"`
	Articles int       `json:"articles"`
	Reason   string    `json:"reason,omitempty"`
}

func newDigestCalendar(a *cli) *cobra.Command {
	var month string
	c := &cobra.Command{
		Use:   "calendar",
		Short: "Show the editions and coming times of all digests in a month",
		Long: `Calendar shows a month of all digests, in the site's timezone: editions that were sent, drafts, skipped times, and the coming
times and proofs with the number of articles that each edition would hold today. "digest plan" shows the articles.`,
		Example: "  tidings digest calendar\n  tidings digest calendar --month 2026-12 --json",
		Args:    exactly(),
		RunE: a.withEngine(func(ctx context.Context, p *app.Service, e *delivery.Engine, _ []string) error {
			now := p.Store.Now().In(p.Zone())
			from := time.Date(now.Year(), now.Month(), 1, 0, 0, 0, 0, p.Zone())
			if month != "" {
				var err error
				if from, err = time.ParseInLocation("2006-01", month, p.Zone()); err != nil {
					return usagef("--month %q is not a month; write it like --month 2026-12", month)
				}
			}
			entries, err := e.Calendar(ctx, from, from.AddDate(0, 1, 0))
			if err != nil {
				return err
			}
			list := []shownEntry{}
			for _, one := range entries {
				state := string(cmp.Or(one.State, digest.State(one.Kind)))
				list = append(list, shownEntry{one.At, one.Digest, one.Edition, one.Number, state, one.Subject, one.Articles, one.Reason.String()})
			}
			return a.print(map[string]any{"month": from.Format("2006-01"), "entries": list}, func(w io.Writer) { printCalendar(w, list) })
		}),
	}
	c.Flags().StringVar(&month, "month", "", "the month to show (2026-12); this one by default")
	return c
}

func printCalendar(w io.Writer, list []shownEntry) {
	for _, one := range list {
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\n", planTime(one.At), one.Digest, one.State, some(one.Articles, "article", "articles"), one.Subject+one.Reason)
	}
	if len(list) == 0 {
		fmt.Fprintln(w, "no editions and no coming times in this month")
	}
}
