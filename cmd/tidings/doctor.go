package main

import (
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/tidings-press/tidings/internal/app"
	"github.com/tidings-press/tidings/internal/doctor"
	"github.com/tidings-press/tidings/internal/store"
	"github.com/tidings-press/tidings/internal/subscriber"
)

// The exit codes of doctor, by the worst severity.
const (
	exitWarnings = 4
	exitErrors   = 5
)

const doctorLong = `Doctor checks the configuration, the store, the clock, the disk, the relays, the DNS records of the
senders and the pages that mails link to. For each finding it prints what is wrong, why it matters to
the large receivers, and how to fix it. It sends no mail, except with --send-to: then it sends a test
mail over each relay, waits for it in the mailbox mail.test_mailbox, and checks its headers.

The first edition or message to more than 1,000 subscribers is held until a run of all checks finds no
errors, or an owner lets it pass with --accept (delivery.first_send_check).

Exit codes: 0 nothing is wrong; 4 the worst finding is a warning; 5 there is an error.`

func newDoctor(a *cli) *cobra.Command {
	var o app.DoctorOptions
	var resolver, sendTo string
	var all, accept bool
	c := &cobra.Command{
		Use:     "doctor",
		Short:   "Check whether mail can be sent well, and how to fix what is wrong",
		Long:    doctorLong,
		Example: "  tidings doctor\n  tidings doctor --only spf,dkim,dmarc --resolver 9.9.9.9:53\n  tidings doctor --only test-mail --send-to test@example.org",
		Args:    exactly(),
		RunE: func(c *cobra.Command, _ []string) error {
			if accept {
				return a.acceptFirstSend(c)
			}
			err := doctor.CheckNames(o.Only)
			if err == nil {
				o.DNS, err = doctor.NewResolver(resolver)
			}
			if err == nil {
				o.SendTo, err = testAddress(sendTo, o.Only)
			}
			if err != nil {
				return &usageError{err}
			}
			for _, address := range o.Outgoing {
				if err := doctor.CheckAddress(address); err != nil {
					return &usageError{err}
				}
			}
			if !o.SendTo.IsZero() {
				a.warn("Sending a test mail to %s.", o.SendTo)
			}
			report, err := a.diagnose(c, o)
			if err != nil {
				return err
			}
			if err := a.print(report, func(w io.Writer) { printReport(w, &report, all) }); err != nil {
				return err
			}
			return severityError(report.Severity)
		},
	}
	c.Flags().StringSliceVar(&o.Only, "only", nil, "run only these checks: "+strings.Join(doctor.Names(), ", "))
	c.Flags().StringVar(&resolver, "resolver", "", "DNS server to ask, as `HOST:PORT` (default the system's)")
	c.Flags().StringSliceVar(&o.Outgoing, "outgoing", nil, "IP `ADDRESS` that mail leaves from, if the relay is your own server")
	c.Flags().StringVar(&sendTo, "send-to", "", "send a test mail over each relay to an `ADDRESS`, and check how it arrives")
	c.Flags().DurationVar(&o.Wait, "wait", 2*time.Minute, "how long to wait for the test mail")
	c.Flags().BoolVar(&accept, "accept", false, "check nothing, and let the first mail to more than 1,000 subscribers be sent")
	c.Flags().BoolVar(&all, "all", false, "print what is in order too")
	return c
}

// testAddress reads the address of the test mail. It is needed if only names the check that sends one.
func testAddress(text string, only []string) (subscriber.Address, error) {
	if text == "" {
		if slices.ContainsFunc(only, doctor.SendsMail) {
			return subscriber.Address{}, errors.New("the check test-mail needs an address; pass --send-to ADDRESS")
		}
		return subscriber.Address{}, nil
	}
	if len(only) > 0 && !slices.ContainsFunc(only, doctor.SendsMail) {
		return subscriber.Address{}, errors.New("--only leaves out test-mail, so --send-to would send nothing; add test-mail to it")
	}
	return subscriber.ParseAddress(text)
}

// acceptFirstSend lets the first large edition be sent without a good run.
func (a *cli) acceptFirstSend(c *cobra.Command) error {
	return a.with(c.Context(), func(p *app.Service) error {
		if err := p.Store.AcceptFirstSend(c.Context(), store.AuditCommandLine); err != nil {
			return err
		}
		return a.report(map[string]bool{"accepted": true}, "The first mail to more than 1,000 subscribers may be sent.")
	})
}

// diagnose runs the checks with the configuration as far as it can be read.
func (a *cli) diagnose(c *cobra.Command, o app.DoctorOptions) (doctor.Report, error) {
	file, wrong := a.config()
	if wrong != nil {
		return app.Diagnose(c.Context(), nil, wrong, o, nil)
	}
	return app.Diagnose(c.Context(), file, nil, o, a.logger(file))
}

// severityCode ends a command whose exit code is that of a severity. It is printed nowhere: the findings
// are.
type severityCode int

func (s severityCode) Error() string { return fmt.Sprintf("exit code %d", int(s)) }

func severityError(s doctor.Severity) error {
	switch s {
	case doctor.Error:
		return severityCode(exitErrors)
	case doctor.Warning:
		return severityCode(exitWarnings)
	}
	return nil
}

// printReport prints the findings, the worst ones last, where they are read first. What is in order is
// printed only with all.
func printReport(w io.Writer, r *doctor.Report, all bool) {
	for _, severity := range []doctor.Severity{doctor.OK, doctor.Notice, doctor.Warning, doctor.Error} {
		if severity == doctor.OK && !all {
			continue
		}
		for _, f := range r.Findings {
			if f.Severity == severity {
				printResult(w, f)
			}
		}
	}
	fmt.Fprintf(w, "%s: %s, %s, %s; %d in order.\n", some(int64(len(r.Checks)), "check", "checks"),
		some(int64(r.Count(doctor.Error)), "error", "errors"), some(int64(r.Count(doctor.Warning)), "warning", "warnings"),
		some(int64(r.Count(doctor.Notice)), "notice", "notices"), r.Count(doctor.OK))
}

func printResult(w io.Writer, f doctor.Finding) {
	fmt.Fprintf(w, "%s  %s: %s\n", strings.ToUpper(string(f.Severity)), f.Check, f.What)
	for _, line := range []string{f.Why, f.Fix} {
		if line != "" {
			fmt.Fprintf(w, "    %s\n", line)
		}
	}
	if f.Severity != doctor.OK {
		fmt.Fprintln(w)
	}
}
