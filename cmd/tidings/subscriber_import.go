package main

import (
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/tidings-press/tidings/internal/app"
	"github.com/tidings-press/tidings/internal/store"
	"github.com/tidings-press/tidings/internal/subscriber"
	"github.com/tidings-press/tidings/internal/subscription"
)

const subscriberImportLong = `Import reads a list as spreadsheets and other mailing systems write it: with commas, semicolons or tabs,
with or without a header, in UTF-8 or UTF-16. The summary shows how each column was read.

An import never makes a subscriber active who unsubscribed, bounced, complained or never confirmed. A subscriber
whom the list marks as unsubscribed is downgraded and suppressed, so that no later list adds them again.
If a column may be about unsubscribing or consent and is not understood, the import stops before anything is
stored; explain the column with --column or --ignore-column. A line that is not understood is refused with its
number, and the exit code is 3. FILE may be - for standard input.

Start with --dry-run, which stores nothing. See docs/subscribers.md.`

// listImport is one run of the command.
type listImport struct {
	app     *cli
	file    string
	options subscription.ListImport
	list    subscriber.ListOptions
	quiet   bool
	mapped  []string // --column flags
}

func newSubscriberImport(a *cli) *cobra.Command {
	im := &listImport{app: a}
	c := &cobra.Command{
		Use:   "import FILE",
		Short: "Import a list (CSV)",
		Long:  subscriberImportLong,
		Example: "  tidings subscriber import readers.csv --dry-run\n  tidings subscriber import readers.csv --digest weekly --consent 'subscribed at the fair, May 2026'\n" +
			"  tidings subscriber import old.csv --column 'Mail ok?=stays' --ignore-column 'Lead status'",
		Args: exactly("FILE"),
		RunE: func(c *cobra.Command, args []string) error {
			im.file = args[0]
			return im.run(c)
		},
	}
	flags := c.Flags()
	flags.StringArrayVar(&im.options.Digests, "digest", nil, "digest for lines without one; may be repeated (default: all)")
	flags.StringVar(&im.options.Consent, "consent", "imported from a list", "how the subscribers agreed")
	flags.StringVar(&im.options.MailLanguage, "mail-language", "", "language of the mails' fixed texts for lines that name no language (default: the site's)")
	flags.BoolVar(&im.options.DryRun, "dry-run", false, "report what would happen, and store nothing")
	flags.StringArrayVar(&im.mapped, "column", nil, "read a column as NAME=MEANING: "+meaningNames())
	flags.StringArrayVar(&im.list.Ignore, "ignore-column", nil, "ignore the column with this heading")
	flags.BoolVar(&im.list.Latin1, "latin1", false, "the file is Latin-1 (Windows-1252), not UTF-8")
	flags.BoolVar(&im.quiet, "quiet", false, "list only refused lines")
	return c
}

func meaningNames() string {
	return joined(subscriber.Meanings)
}

func (im *listImport) run(c *cobra.Command) error {
	if err := im.readColumnFlags(); err != nil {
		return err
	}
	language, err := languageFlag(im.options.MailLanguage)
	if err != nil {
		return err
	}
	im.options.MailLanguage = language
	in, err := im.app.input(im.file)
	if err != nil {
		return err
	}
	defer in.Close()
	list, err := subscriber.OpenList(in, im.list)
	if err != nil {
		return im.explain(err)
	}
	return im.app.with(c.Context(), func(p *app.Service) error {
		if err := p.Config.CheckDigests(im.options.Digests); err != nil {
			return &usageError{err}
		}
		bar := im.app.bar("lines")
		im.options.Progress = func(r store.ImportResult) { bar.set(r.Lines, -1) }
		im.options.Report = im.report
		summary, err := p.Subscribers().ImportList(c.Context(), list, im.options)
		bar.done()
		return errors.Join(im.app.print(summary, func(w io.Writer) { writeSummary(w, summary) }), err, partlyIf(summary.Refused > 0))
	})
}

// readColumnFlags reads the NAME=MEANING of --column.
func (im *listImport) readColumnFlags() error {
	im.list.Columns = map[string]subscriber.Meaning{}
	for _, text := range im.mapped {
		at := strings.LastIndexByte(text, '=')
		if at < 0 || !slices.Contains(subscriber.Meanings, subscriber.Meaning(text[at+1:])) {
			return usagef("--column %q is not NAME=MEANING; the meanings are: %s", text, meaningNames())
		}
		im.list.Columns[text[:at]] = subscriber.Meaning(text[at+1:])
	}
	return nil
}

// explain adds how to continue when columns are not understood.
func (im *listImport) explain(err error) error {
	var unknown *subscriber.ColumnsError
	if !errors.As(err, &unknown) {
		return fmt.Errorf("%s: %w", im.file, err)
	}
	one := unknown.Headings[0]
	return fmt.Errorf("%s: %w; nothing was imported. Add --ignore-column %q if it is not about that. Otherwise add --column %q if yes or a date means that the person unsubscribed, =stays if no means it, or =state if it holds words such as active and unsubscribed",
		im.file, err, one, one+"=left")
}

func partlyIf(some bool) error {
	if some {
		return errPartly
	}
	return nil
}

// input opens a file, or standard input for "-".
func (a *cli) input(name string) (io.ReadCloser, error) {
	if name == "-" {
		return io.NopCloser(a.stdin), nil
	}
	file, err := os.Open(name)
	if errors.Is(err, os.ErrNotExist) {
		err = usagef("%s does not exist; name a file, or - for standard input", name)
	}
	return file, err
}

// report prints a line of the list that added no subscriber.
func (im *listImport) report(line store.ImportLine) {
	switch line.Outcome {
	case store.Refused:
		im.reportRefused(line)
		return
	case store.Lowered:
		if !im.quiet {
			im.app.warn("%s:%d: %s: changed to %s, as in the list", im.file, line.Line, line.Address, line.State)
		}
		return
	}
	if !im.quiet {
		im.app.warn("%s:%d: %s: %s", im.file, line.Line, line.Address, lineWords[line.Outcome])
	}
}

func (im *listImport) reportRefused(line store.ImportLine) {
	var bad *subscriber.LineError
	if !errors.As(line.Err, &bad) {
		im.app.warn("%s:%d: %v", im.file, line.Line, line.Err)
		return
	}
	im.app.warn("%s:%d: %s; expected: %s", im.file, bad.Line, bad.What, bad.Expected)
}

var lineWords = map[store.LineOutcome]string{
	store.Present:    "exists already",
	store.Repeated:   "is a duplicate in this list",
	store.Suppressed: "is suppressed and was left out",
}

// maxColumns is how many columns the summary shows.
const maxColumns = 200

// writeSummary shows a summary to people: the columns, the words, and the counts.
func writeSummary(w io.Writer, s subscription.ImportSummary) {
	table := tabwriter.NewWriter(w, 0, 8, 2, ' ', 0)
	for _, c := range s.Columns[:min(len(s.Columns), maxColumns)] {
		fmt.Fprintf(table, "column %s\t%s\t%s\n", c.Heading, c.Meaning, columnNote(c))
	}
	for _, v := range s.Values {
		fmt.Fprintf(table, "%s %q\t%s\t%s\n", v.Heading, v.Value, v.State, some(v.Lines, "line", "lines"))
	}
	_ = table.Flush() // its errors come back from w
	fmt.Fprintf(w, "%s: %d added", some(s.Lines, "line", "lines"), s.Added)
	if s.Pending > 0 {
		fmt.Fprintf(w, " (%d of them pending)", s.Pending)
	}
	fmt.Fprintf(w, ", %d unchanged, %d repeated, %d downgraded, %d suppressed, %d refused\n", s.Unchanged, s.Repeated, s.Lowered, s.Suppressed, s.Refused)
	for _, counts := range []struct {
		word string
		by   map[string]int64
	}{{"downgraded to", s.LoweredTo}, {"refused:", s.RefusedBy}} {
		for _, reason := range slices.Sorted(maps.Keys(counts.by)) {
			fmt.Fprintf(w, "%s %s: %d\n", counts.word, reason, counts.by[reason])
		}
	}
	if s.DryRun {
		fmt.Fprintln(w, "Nothing was stored: this was a dry run.")
	}
}

func columnNote(c subscriber.Column) string {
	if c.ByHand {
		return "set by a flag"
	}
	return c.Why
}
