package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/spf13/cobra"

	"github.com/tidings-press/tidings/press"
	"github.com/tidings-press/tidings/store"
	"github.com/tidings-press/tidings/subscriber"
)

const subscriberImportLong = `Import reads a list as spreadsheets write it: commas, semicolons or tabs, with or without a
header, in UTF-8. People who are there already are left as they are; suppressed addresses are
never added. Each line that adds nobody is listed with its number; the exit code is 3 when some
lines could not be read. FILE may be - for standard input.`

func newSubscriberImport(a *app) *cobra.Command {
	var options store.ImportOptions
	var list subscriber.ListOptions
	var consent string
	var quiet bool
	c := &cobra.Command{
		Use:     "import FILE",
		Short:   "Import a list (CSV)",
		Long:    subscriberImportLong,
		Example: "  tidings subscriber import readers.csv --digest weekly --consent 'subscribed at the fair, May 2026'",
		Args:    exactly("FILE"),
		RunE: func(c *cobra.Command, args []string) error {
			in, err := a.input(args[0])
			if err != nil {
				return err
			}
			defer in.Close()
			return a.with(c.Context(), func(p *press.Press) error {
				if err := p.CheckDigests(options.Digests); err != nil {
					return &usageError{err}
				}
				if len(options.Digests) == 0 {
					options.Digests = p.DigestNames()
				}
				options.Consent = subscriber.Consent{Source: "import", Text: consent, At: p.Store.Now()}
				bar := a.bar("lines")
				options.Progress = func(r store.ImportResult) { bar.set(r.Lines, -1) }
				options.Report = func(line store.ImportLine) {
					if !quiet || line.Outcome == store.Bad {
						a.reportLine(args[0], line)
					}
				}
				result, err := p.Store.ImportSubscribers(c.Context(), subscriber.ReadList(in, list), options)
				bar.done()
				return errors.Join(a.printImport(result), err, partlyIf(result.Bad > 0))
			})
		},
	}
	flags := c.Flags()
	flags.StringArrayVar(&options.Digests, "digest", nil, "digest for lines that name none; may be given several times (default: all)")
	flags.StringVar(&consent, "consent", "imported from a list", "how these people agreed")
	flags.BoolVar(&list.Latin1, "latin1", false, "the file is Latin-1 (Windows-1252), not UTF-8")
	flags.BoolVar(&quiet, "quiet", false, "list only the lines that could not be read")
	return c
}

func partlyIf(some bool) error {
	if some {
		return errPartly
	}
	return nil
}

// input opens a file, or standard input for "-".
func (a *app) input(name string) (io.ReadCloser, error) {
	if name == "-" {
		return io.NopCloser(a.stdin), nil
	}
	file, err := os.Open(name)
	if errors.Is(err, os.ErrNotExist) {
		err = usagef("there is no %s; right would be: a CSV file, or - for standard input", name)
	}
	return file, err
}

func (a *app) reportLine(file string, line store.ImportLine) {
	if line.Err != nil {
		var bad *subscriber.LineError
		if errors.As(line.Err, &bad) {
			a.warn("%s:%d: %s; right would be: %s", file, bad.Line, bad.What, bad.Right)
			return
		}
		a.warn("%s:%d: %v", file, line.Line, line.Err)
		return
	}
	a.warn("%s:%d: %s: %s", file, line.Line, line.Address, lineWords[line.Outcome])
}

var lineWords = map[store.LineOutcome]string{
	store.Exists:     "is there already",
	store.Repeated:   "stands further up in this list",
	store.Suppressed: "must not be mailed (suppressed), so it is left out",
}

func (a *app) printImport(r store.ImportResult) error {
	counts := map[string]int64{"lines": r.Lines, "added": r.Added, "exists": r.Exists, "repeated": r.Repeated, "suppressed": r.Suppressed, "bad": r.Bad}
	return a.print(counts, func(w io.Writer) {
		fmt.Fprintf(w, "%d lines: %d added, %d were there, %d repeated, %d suppressed, %d could not be read\n", r.Lines, r.Added, r.Exists, r.Repeated, r.Suppressed, r.Bad)
	})
}

func newSubscriberExport(a *app) *cobra.Command {
	var query store.SubscriberQuery
	c := &cobra.Command{
		Use:     "export [FILE]",
		Short:   "Write a list (CSV) that import reads back",
		Example: "  tidings subscriber export readers.csv\n  tidings subscriber export --digest weekly --state active > active.csv",
		Args:    cobra.MaximumNArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			return a.with(c.Context(), func(p *press.Press) error {
				if len(args) == 0 || args[0] == "-" {
					return p.ExportSubscribers(c.Context(), a.stdout, query)
				}
				file, err := os.OpenFile(args[0], os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600) // personal data
				if err != nil {
					return err
				}
				return errors.Join(p.ExportSubscribers(c.Context(), file, query), file.Close())
			})
		},
	}
	queryFlags(c, &query)
	return c
}

func queryFlags(c *cobra.Command, query *store.SubscriberQuery) {
	c.Flags().StringVar(&query.Digest, "digest", "", "only those on this digest")
	c.Flags().StringVar((*string)(&query.State), "state", "", "only those in this state, such as active")
}

func newSubscriberList(a *app) *cobra.Command {
	var query store.SubscriberQuery
	c := &cobra.Command{
		Use:     "list",
		Short:   "List subscribers",
		Example: "  tidings subscriber list --state pending\n  tidings subscriber list --digest weekly --json",
		Args:    exactly(),
		RunE: func(c *cobra.Command, _ []string) error {
			return a.with(c.Context(), func(p *press.Press) error {
				list := []shownPerson{}
				for listed, err := range p.Store.Subscribers(c.Context(), query) {
					if err != nil {
						return err
					}
					list = append(list, showPerson(listed.Subscriber, listed.Subscriptions))
				}
				counts, err := p.Store.CountSubscribers(c.Context())
				if err != nil {
					return err
				}
				return a.print(list, func(w io.Writer) { printPeople(w, list, counts) })
			})
		},
	}
	queryFlags(c, &query)
	c.Flags().IntVar(&query.Limit, "limit", 100, "how many; 0 for all")
	return c
}

func printPeople(w io.Writer, list []shownPerson, counts map[subscriber.State]int64) {
	for _, one := range list {
		fmt.Fprintf(w, "%d\t%s\t%s\t%s\t%s\n", one.ID, one.Address, one.State, one.Name, one.Created.Format(time.DateOnly))
	}
	fmt.Fprintf(w, "%d shown; in all", len(list))
	for _, state := range subscriber.States {
		if counts[state] > 0 {
			fmt.Fprintf(w, " %d %s", counts[state], state)
		}
	}
	fmt.Fprintln(w)
}
