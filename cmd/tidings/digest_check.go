package main

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"github.com/tidings-press/tidings/internal/app"
	"github.com/tidings-press/tidings/internal/delivery"
	"github.com/tidings-press/tidings/internal/lint"
)

const checkLong = `Check finds faults of an edition before it is sent: broken links and images, parts that are missing or too
large, subjects that are too long, leftovers of templates, colors that are hard to read, and what common mail programs
do not support. With the name of a digest it checks the next edition as it would be now. docs/checks.md explains all
findings. An editor waives all findings of a name with --waive and --reason; both are stored with the edition.
The exit code is 1 if there is an error that was not waived, and 0 otherwise.`

func newDigestCheck(a *cli) *cobra.Command {
	var offline bool
	var waiver waiverFlags
	c := &cobra.Command{
		Use:     "check NAME|EDITION",
		Short:   "Find faults of the next edition, or of a given one",
		Long:    checkLong,
		Example: "  tidings digest check weekly\n  tidings digest check 0b6cc0e4 --offline --json\n  tidings digest check 0b6cc0e4 --waive link-broken --reason \"the page opens tomorrow\"",
		Args:    exactly("NAME|EDITION"),
		RunE: a.withEngine(func(ctx context.Context, p *app.Service, e *delivery.Engine, args []string) error {
			if err := waiver.apply(ctx, p, e, args[0]); err != nil {
				return err
			}
			findings, err := checkOf(ctx, p, e, args[0], !offline)
			if errors.Is(err, delivery.ErrNothingNew) {
				return a.nothingNew(args[0], err)
			}
			if err != nil {
				return err
			}
			return a.printFindings(findings)
		}),
	}
	c.Flags().StringVar(&waiver.waive, "waive", "", "allow the edition to be sent despite the findings of this name")
	c.Flags().StringVar(&waiver.unwaive, "unwaive", "", "take back the waiver of this name")
	c.Flags().StringVar(&waiver.reason, "reason", "", "why, with --waive")
	c.Flags().BoolVar(&offline, "offline", false, "request no links and images of other sites, and ask no spam filter")
	return c
}

// waiverFlags are the flags that change the waivers of an edition.
type waiverFlags struct{ waive, unwaive, reason string }

func (f waiverFlags) apply(ctx context.Context, p *app.Service, e *delivery.Engine, name string) error {
	switch {
	case f.waive == "" && f.reason != "":
		return usagef("--reason is for --waive; name the finding with --waive NAME")
	case f.waive == "" && f.unwaive == "":
		return nil
	case f.waive != "" && f.reason == "":
		return usagef("--waive needs --reason: why the edition may be sent despite the finding")
	case isDigest(e, name):
		return usagef("%q is a digest; findings are waived for one edition, and \"tidings digest status\" shows the ids of drafts", name)
	}
	edition, err := p.FindEdition(ctx, name)
	if err == nil && f.unwaive != "" {
		err = e.Unwaive(ctx, edition.ID, f.unwaive)
	}
	if err == nil && f.waive != "" {
		err = e.Waive(ctx, edition.ID, f.waive, f.reason, "command line")
	}
	return err
}

// checkOf checks the next edition of the digest with this name, or else the edition with this id.
func checkOf(ctx context.Context, p *app.Service, e *delivery.Engine, name string, online bool) ([]lint.Finding, error) {
	if isDigest(e, name) {
		return e.CheckNext(ctx, name, online)
	}
	edition, err := p.FindEdition(ctx, name)
	if err != nil {
		return nil, err
	}
	if online {
		return e.CheckOnline(ctx, edition.ID)
	}
	return e.Check(ctx, edition.ID)
}

func isDigest(e *delivery.Engine, name string) bool {
	for i := range e.Digests {
		if e.Digests[i].Name == name {
			return true
		}
	}
	return false
}

// printFindings prints the findings, and returns an error if one of them blocks the edition.
func (a *cli) printFindings(findings []lint.Finding) error {
	if findings == nil {
		findings = []lint.Finding{} // "[]" in JSON
	}
	err := a.print(findings, func(w io.Writer) {
		for i := range findings {
			printFinding(w, &findings[i])
		}
		if len(findings) == 0 {
			fmt.Fprintln(w, "no faults found")
		}
	})
	errs := int64(0)
	for _, f := range findings {
		if f.Blocks() {
			errs++
		}
	}
	if err == nil && errs > 0 {
		err = fmt.Errorf("%s found; fix or waive them before the edition is approved", some(errs, "error", "errors"))
	}
	return err
}

func printFinding(w io.Writer, f *lint.Finding) {
	fmt.Fprintf(w, "%s %s: %s\n", f.Severity, f.Name, f.Message)
	if f.Article != "" {
		fmt.Fprintf(w, "    article: %s\n", f.Article)
	}
	if f.URL != "" {
		fmt.Fprintf(w, "    %s\n", f.URL)
	}
	if f.Variant != "" {
		fmt.Fprintf(w, "    variant: %s\n", f.Variant)
	}
	if f.Waived != "" {
		fmt.Fprintf(w, "    waived: %s\n", f.Waived)
		return
	}
	fmt.Fprintf(w, "    fix: %s\n", f.Fix)
}
