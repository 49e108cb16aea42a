package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/tidings-press/tidings/delivery"
	"github.com/tidings-press/tidings/digest"
	"github.com/tidings-press/tidings/press"
	"github.com/tidings-press/tidings/subscriber"
)

func newDigest(a *app) *cobra.Command {
	return group("digest", "List, preview, test, send and steer digests",
		newDigestList(a), newDigestPreview(a), newDigestTest(a), newDigestSend(a), newDigestStatus(a),
		newLever(a, "approve", "Approve a draft: freeze it and send it", func(ctx context.Context, e *delivery.Engine, id string) error {
			_, err := e.Approve(ctx, id)
			return err
		}),
		newLever(a, "pause", "Stop an edition within one mail per connection", func(ctx context.Context, e *delivery.Engine, id string) error {
			return e.Pause(ctx, id, "paused at the command line")
		}),
		newLever(a, "resume", "Let a paused edition go on where it stopped", func(ctx context.Context, e *delivery.Engine, id string) error {
			return e.Resume(ctx, id)
		}),
		newLever(a, "cancel", "End an edition for good; who has it keeps it", func(ctx context.Context, e *delivery.Engine, id string) error {
			return e.Cancel(ctx, id, "cancelled at the command line")
		}),
		newUncertain(a))
}

// withEngine runs work on an engine that does not run by itself.
func (a *app) withEngine(work func(context.Context, *press.Press, *delivery.Engine, []string) error) func(*cobra.Command, []string) error {
	return func(c *cobra.Command, args []string) error {
		return a.with(c.Context(), func(p *press.Press) error {
			engine, err := p.Engine(c.Context())
			if err != nil {
				return err
			}
			return work(c.Context(), p, engine, args)
		})
	}
}

func newDigestList(a *app) *cobra.Command {
	return &cobra.Command{
		Use:     "list",
		Short:   "List the digests with their next three times",
		Example: "  tidings digest list",
		Args:    exactly(),
		RunE: func(c *cobra.Command, _ []string) error {
			return a.with(c.Context(), func(p *press.Press) error {
				list, err := p.Digests(c.Context())
				if err != nil {
					return err
				}
				return a.print(list, func(w io.Writer) { printDigests(w, list) })
			})
		},
	}
}

func printDigests(w io.Writer, list []press.DigestView) {
	for _, d := range list {
		fmt.Fprintf(w, "%s\t%s\t%d subscribers\n", d.Name, d.Schedule, d.Subscribers)
		for _, at := range d.Next {
			fmt.Fprintf(w, "\t%s\n", at.Format("Mon 2 Jan 2006 15:04:05 MST"))
		}
	}
	if len(list) == 0 {
		fmt.Fprintln(w, "There are no digests; add one below digests: in the configuration.")
	}
}

func newDigestPreview(a *app) *cobra.Command {
	var dir, since string
	var open bool
	c := &cobra.Command{
		Use:     "preview NAME",
		Short:   "Write what the next edition would be, as HTML and text",
		Long:    "Preview renders what the next edition of a digest would be at this moment, and writes it to\nNAME.html and NAME.txt. It changes nothing, unless --since moves the\ndigest's beginning.",
		Example: "  tidings digest preview weekly\n  tidings digest preview weekly --open\n  tidings digest preview weekly --json",
		Args:    exactly("NAME"),
		RunE: a.withEngine(func(ctx context.Context, p *press.Press, e *delivery.Engine, args []string) error {
			if err := setSince(ctx, p, args[0], since); err != nil {
				return err
			}
			variant, err := e.Preview(ctx, args[0])
			if errors.Is(err, delivery.ErrNothingNew) {
				return a.nothingNew(args[0], err)
			}
			if err != nil {
				return err
			}
			shown := variant.Fill(digest.Holes{Address: "reader@example.org", Unsubscribe: p.Config.Site.URL, Preferences: p.Config.Site.URL, Web: p.Config.Site.URL})
			return a.writePreview(filepath.Join(dir, args[0]), shown, open)
		}),
	}
	c.Flags().StringVar(&since, "since", "", "begin the digest with what was imported or is dated from this date on (2026-01-31)")
	c.Flags().StringVar(&dir, "dir", ".", "folder to write to")
	c.Flags().BoolVar(&open, "open", false, "open it in the browser")
	return c
}

func (a *app) writePreview(path string, v digest.Variant, open bool) error {
	if a.json {
		return a.print(map[string]any{"subject": v.Subject, "html": v.HTML, "text": v.Text, "warnings": v.Warnings}, nil)
	}
	for _, part := range []struct{ name, text string }{{path + ".html", v.HTML}, {path + ".txt", v.Text}} {
		if err := os.WriteFile(part.name, []byte(part.text), 0o644); err != nil {
			return err
		}
	}
	for _, warning := range v.Warnings {
		a.warn("note: %s", warning)
	}
	a.say("%s\n%s.html (%d KB) and %s.txt are written", v.Subject, path, len(v.HTML)/1000, path)
	if open {
		return openBrowser(path + ".html")
	}
	return nil
}

func newDigestTest(a *app) *cobra.Command {
	var to string
	c := &cobra.Command{
		Use:     "test NAME --to ADDRESS",
		Short:   "Send what the next edition would be to one address",
		Example: "  tidings digest test weekly --to editor@example.org",
		Args:    exactly("NAME"),
		RunE: a.withEngine(func(ctx context.Context, _ *press.Press, e *delivery.Engine, args []string) error {
			address, err := subscriber.ParseAddress(to)
			if err != nil {
				return usagef("--to: %w", err)
			}
			err = e.Test(ctx, args[0], address)
			if errors.Is(err, delivery.ErrNothingNew) {
				return a.nothingNew(args[0], err)
			}
			return a.after(err, "a test mail is on its way to %s", address)
		}),
	}
	c.Flags().StringVar(&to, "to", "", "address that gets it")
	return c
}

// newLever is a command that changes the state of an edition.
func newLever(a *app, name, short string, pull func(context.Context, *delivery.Engine, string) error) *cobra.Command {
	return &cobra.Command{
		Use:     name + " EDITION",
		Short:   short,
		Example: "  tidings digest " + name + " 0b6cc0e4-6ad3-4d0a-9c35-5a52a9cf3d0f",
		Args:    exactly("EDITION"),
		RunE: a.withEngine(func(ctx context.Context, p *press.Press, e *delivery.Engine, args []string) error {
			edition, err := p.FindEdition(ctx, args[0])
			if err != nil {
				return err
			}
			if err := pull(ctx, e, edition.ID); err != nil {
				return err
			}
			progress, err := e.Progress(ctx, edition.ID)
			if err != nil {
				return err
			}
			return a.printProgress(ctx, e, progress)
		}),
	}
}
