package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/text/language"

	"github.com/tidings-press/tidings/internal/app"
	"github.com/tidings-press/tidings/internal/delivery"
	"github.com/tidings-press/tidings/internal/digest"
	"github.com/tidings-press/tidings/internal/subscriber"
)

// shownDigest is a digest in a list.
type shownDigest struct {
	app.DigestView
	Backlog shownBacklog `json:"backlog"`
}

func newDigestList(a *cli) *cobra.Command {
	return &cobra.Command{
		Use:     "list",
		Short:   "List the digests with their next three times and waiting articles",
		Example: "  tidings digest list",
		Args:    exactly(),
		RunE: a.withEngine(func(ctx context.Context, p *app.Service, e *delivery.Engine, _ []string) error {
			digests, err := p.Digests(ctx)
			if err != nil {
				return err
			}
			list := []shownDigest{}
			for _, d := range digests {
				backlog, err := e.Backlog(ctx, d.Name, noDate)
				if err != nil {
					return err
				}
				list = append(list, shownDigest{d, showBacklog(backlog)})
			}
			return a.print(list, func(w io.Writer) { printDigests(w, list) })
		}),
	}
}

func printDigests(w io.Writer, list []shownDigest) {
	for _, d := range list {
		fmt.Fprintf(w, "%s\t%s\t%s\n", d.Name, d.Schedule, some(d.Subscribers, "subscriber", "subscribers"))
		for _, at := range d.Next {
			fmt.Fprintf(w, "\t%s\n", at.Format("Mon 2 Jan 2006 15:04:05 MST"))
		}
		for _, line := range d.Backlog.lines() {
			fmt.Fprintf(w, "\t%s\n", line)
		}
	}
	if len(list) == 0 {
		fmt.Fprintln(w, "No digests; add one under digests: in the configuration.")
	}
}

const previewLong = `Preview renders the next edition of a digest as it would be now, and writes it to NAME.html and
NAME.txt. It changes nothing. With --since it shows the edition that "send --since" would send. If all
matching articles are dated before the digest's start date, it says so and shows a sample of the newest ones.

--at shows the edition of a coming time, after the editions before it have taken their articles, as "digest plan" does.
The time is in the digest's timezone; a day alone is the first tick of that day. --as shows what a subscriber would get,
by their preferences and with their name. --lang shows the mail in a language. No link of a preview works for a subscriber.`

// previewFlags are the flags that choose what a preview shows.
type previewFlags struct {
	since, at, as, lang string
}

func (f *previewFlags) options(p *app.Service, e *delivery.Engine, name string) (delivery.PreviewOptions, error) {
	out := delivery.PreviewOptions{Sample: true}
	var err error
	if out.Since, err = dateFor(p, name, "--since", f.since); err != nil {
		return out, err
	}
	if f.since != "" && f.at != "" {
		return out, usagef("--since and --at exclude each other")
	}
	if f.at != "" {
		if out.At, err = comingTime(e, name, f.at); err != nil {
			return out, err
		}
	}
	if f.as != "" {
		if out.As, err = subscriber.ParseAddress(f.as); err != nil {
			return out, usagef("--as: %w", err)
		}
	}
	if f.lang != "" {
		tag, err := language.Parse(f.lang)
		if err != nil {
			return out, usagef("--lang %q is not a language tag; write it like --lang fr", f.lang)
		}
		out.Language = tag.String()
	}
	return out, nil
}

// comingTime reads a time in the timezone of a digest. A day means its first tick.
func comingTime(e *delivery.Engine, name, text string) (time.Time, error) {
	zone := e.Zone(name)
	for _, layout := range []string{time.RFC3339, "2006-01-02T15:04", "2006-01-02 15:04", "2006-01-02T15:04:05", "2006-01-02 15:04:05"} {
		if at, err := time.ParseInLocation(layout, text, zone); err == nil {
			return at, nil
		}
	}
	day, err := time.ParseInLocation(time.DateOnly, text, zone)
	if err != nil {
		return day, usagef("--at %q is not a time; write it like --at \"2026-12-24 08:00\" or --at 2026-12-24", text)
	}
	for _, tick := range e.NextTicks(name, delivery.MaxPlannedTicks) {
		if tick.At.In(zone).Format(time.DateOnly) == text {
			return tick.At, nil
		}
	}
	return day, usagef("--at %s: no coming tick of %s is on that day; \"tidings digest plan %s\" shows them", text, name, name)
}

func newDigestPreview(a *cli) *cobra.Command {
	var dir string
	var show previewFlags
	var open bool
	c := &cobra.Command{
		Use:     "preview NAME",
		Short:   "Write the next edition as HTML and text",
		Long:    previewLong,
		Example: "  tidings digest preview weekly\n  tidings digest preview weekly --open\n  tidings digest preview weekly --since 2026-01-01 --json\n  tidings digest preview weekly --at 2026-12-24 --as ann@example.org",
		Args:    exactly("NAME"),
		RunE: a.withEngine(func(ctx context.Context, p *app.Service, e *delivery.Engine, args []string) error {
			options, err := show.options(p, e, args[0])
			if err != nil {
				return err
			}
			preview, err := e.Preview(ctx, args[0], options)
			if errors.Is(err, delivery.ErrNothingNew) {
				return a.nothingNew(args[0], err)
			}
			if err != nil {
				return err
			}
			site := p.Config.Site.URL
			preview.Variant = preview.Fill(digest.Placeholders{Name: preview.Subscriber.Name, Address: shownAddress(preview.Subscriber), Unsubscribe: site, Preferences: site, Web: site})
			return a.writePreview(filepath.Join(dir, args[0]), preview, open)
		}),
	}
	c.Flags().StringVar(&show.since, "since", "", "include articles dated from this day on (2026-01-31)")
	c.Flags().StringVar(&show.at, "at", "", "show the edition of a coming time, or of the first tick of a day")
	c.Flags().StringVar(&show.as, "as", "", "show what the subscriber with this address would get")
	c.Flags().StringVar(&show.lang, "lang", "", "show the mail in this language, such as fr")
	c.Flags().StringVar(&dir, "dir", ".", "folder to write to")
	c.Flags().BoolVar(&open, "open", false, "open the HTML file in the browser")
	return c
}

// shownAddress returns the address of a preview's recipient, or a sample one.
func shownAddress(who subscriber.Subscriber) string {
	if who.Address.IsZero() {
		return "reader@example.org"
	}
	return who.Address.String()
}

func (a *cli) writePreview(path string, p delivery.Preview, open bool) error {
	if p.Sample != "" {
		a.warnSample(p)
	}
	if a.json {
		return a.print(map[string]any{"subject": p.Subject, "html": p.HTML, "text": p.Text, "warnings": p.Warnings, "sample": p.Sample, "backlog": showBacklog(p.Backlog)}, nil)
	}
	for _, part := range []struct{ name, text string }{{path + ".html", p.HTML}, {path + ".txt", p.Text}} {
		if err := os.WriteFile(part.name, []byte(part.text), 0o644); err != nil {
			return err
		}
	}
	for _, warning := range p.Warnings {
		a.warn("note: %s", warning)
	}
	lines := strings.Join(showBacklog(p.Backlog).lines(), "\n")
	if err := a.report(nil, "%s\nwrote %s.html (%d KB) and %s.txt\n%s", p.Subject, path, len(p.HTML)/1000, path, lines); err != nil {
		return err
	}
	if open {
		return openBrowser(path + ".html")
	}
	return nil
}

// warnSample warns that the preview is not the next edition.
func (a *cli) warnSample(p delivery.Preview) {
	a.warn("%s; this is only a sample of the newest articles, which are not in the next edition. To include articles dated from DATE on: tidings digest send NAME --since DATE", p.Sample)
}

func newDigestTest(a *cli) *cobra.Command {
	var to, since string
	c := &cobra.Command{
		Use:   "test NAME --to ADDRESS",
		Short: "Send the next edition to one address",
		Long: `Test sends the next edition of a digest to one address. It changes nothing: the articles stay
in the queue, and the edition gets no number. When there is nothing to send, it prints the reason and the exit code is 1.`,
		Example: "  tidings digest test weekly --to editor@example.org",
		Args:    exactly("NAME"),
		RunE: a.withEngine(func(ctx context.Context, p *app.Service, e *delivery.Engine, args []string) error {
			address, err := subscriber.ParseAddress(to)
			if err != nil {
				return usagef("--to: %w", err)
			}
			from, err := dateFor(p, args[0], "--since", since)
			if err != nil {
				return err
			}
			sent, err := e.SendTest(ctx, args[0], delivery.PreviewOptions{Since: from, Sample: true}, address)
			if errors.Is(err, delivery.ErrNothingNew) {
				err = fmt.Errorf("no test mail sent: %w%s", err, sinceHint(err))
			}
			if err != nil {
				return err
			}
			if sent.Sample != "" {
				a.warnSample(sent)
			}
			return a.report(map[string]string{"digest": args[0], "queued": address.String()}, "queued a test mail to %s", address)
		}),
	}
	c.Flags().StringVar(&to, "to", "", "recipient of the test mail")
	c.Flags().StringVar(&since, "since", "", "include articles dated from this day on (2026-01-31)")
	return c
}
