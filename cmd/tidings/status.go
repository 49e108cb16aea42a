package main

import (
	"fmt"
	"io"
	"time"

	"github.com/spf13/cobra"

	"github.com/tidings-press/tidings/internal/app"
)

func newStatus(a *cli) *cobra.Command {
	return &cobra.Command{
		Use:   "status",
		Short: "Show what is overdue or on hold, and until when certificates are valid",
		Long: `Status reads the store and the files of certificates. It works while the service runs, and while it
does not. With tls: auto it needs to read the folder of the certificates, as the service's user can.`,
		Example: "  tidings status\n  tidings status --json",
		Args:    exactly(),
		RunE: func(c *cobra.Command, _ []string) error {
			return a.with(c.Context(), func(p *app.Service) error {
				s, err := p.Status(c.Context())
				if err != nil {
					return err
				}
				return a.print(s, func(w io.Writer) { printServiceStatus(w, &s) })
			})
		},
	}
}

func printServiceStatus(w io.Writer, s *app.Status) {
	fmt.Fprintf(w, "site\t%s\nstore\t%s\n", s.Site, s.Store)
	if s.Quarantined {
		fmt.Fprintln(w, "quarantine\tnothing is sent until the store is released; see tidings quarantine show")
	}
	for _, one := range []struct {
		work    string
		seconds float64
	}{{"schedule", s.Overdue.Tick}, {"editions", s.Overdue.Edition}, {"other mail", s.Overdue.Job}} {
		state := "nothing is overdue"
		if one.seconds > 0 {
			state = fmt.Sprintf("work has been due for %s", time.Duration(one.seconds*float64(time.Second)).Round(time.Second))
		}
		fmt.Fprintf(w, "%s\t%s\n", one.work, state)
	}
	for _, hold := range s.Holds {
		fmt.Fprintf(w, "on hold\t%s\n", hold)
	}
	for _, one := range s.Warmup {
		fmt.Fprintf(w, "warm-up\t%s\n", one)
	}
	if s.Doctor.At != nil {
		fmt.Fprintf(w, "doctor\t%s: %s, %s\n", s.Doctor.At.Format(time.RFC3339), some(int64(s.Doctor.Errors), "error", "errors"), some(int64(s.Doctor.Warnings), "warning", "warnings"))
	}
	for _, e := range s.Held {
		fmt.Fprintf(w, "held\tedition %s of %s: %s\n", e.Edition, e.Digest, e.Reason)
	}
	for _, c := range s.Certificates {
		switch {
		case c.Until == nil:
			fmt.Fprintf(w, "certificate\t%s: there is none: %s\n", c.Host, c.Problem)
		case c.Problem != "":
			fmt.Fprintf(w, "certificate\t%s: %s (from %s)\n", c.Host, c.Problem, c.Issuer)
		default:
			fmt.Fprintf(w, "certificate\t%s: valid until %s, %s left, from %s\n", c.Host, c.Until.Format(time.DateOnly), some(int64(c.Days), "day", "days"), c.Issuer)
		}
	}
}
