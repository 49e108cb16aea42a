package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/spf13/cobra"

	"github.com/tidings-press/tidings/internal/app"
	"github.com/tidings-press/tidings/internal/delivery"
)

// noDate is a date that was not given.
var noDate time.Time

// dateFor reads the day of a digest's flag in the timezone in which the days of articles begin. It
// returns noDate when the flag is empty.
func dateFor(p *app.Service, name, flag, text string) (time.Time, error) {
	if err := p.Config.CheckDigests([]string{name}); err != nil {
		return noDate, err
	}
	if text == "" {
		return noDate, nil
	}
	day, err := time.ParseInLocation(time.DateOnly, text, p.Zone())
	if err != nil {
		return noDate, usagef("%s %q is not a date; write it like %s 2026-01-31", flag, text, flag)
	}
	return day, nil
}

// shownBacklog is a digest's backlog in the form that the commands print.
type shownBacklog struct {
	Since    string `json:"since,omitempty"` // the digest's start date
	Waiting  int    `json:"waiting"`
	Next     int    `json:"next"`
	Queued   int    `json:"queued"`
	Editions int    `json:"editions"`          // that the queued articles take
	TooNew   int    `json:"too_new,omitempty"` // too new for the digest's setting after
	Earlier  int    `json:"earlier"`           // dated before the start
	Seen     int    `json:"seen"`
	Drafted  int    `json:"drafted"`
	Sent     int    `json:"sent"`
}

func showBacklog(b delivery.Backlog) shownBacklog {
	out := shownBacklog{Waiting: b.Waiting, Next: b.Next, Queued: b.Queued(), Editions: b.Editions(), TooNew: b.TooNew, Earlier: b.Earlier, Seen: b.Seen, Drafted: b.Drafted, Sent: b.Sent}
	if !b.Since.IsZero() {
		out.Since = b.Since.Format(time.RFC3339)
	}
	return out
}

// lines describes the waiting articles and those that are left out, one line for each reason.
func (b shownBacklog) lines() []string {
	var out []string
	if b.Waiting > 0 {
		line := fmt.Sprintf("%s; %d in the next edition", some(b.Waiting, "article queued", "articles queued"), b.Next)
		if b.Queued > 0 {
			line += fmt.Sprintf(", %d left for %s", b.Queued, some(b.Editions, "later edition", "later editions"))
		}
		out = append(out, line)
	}
	for _, part := range []struct {
		n    int
		what string
	}{
		{b.TooNew, "here for less time than the digest's setting “after” requires"},
		{b.Drafted, "in drafts that await approval"},
		{b.Earlier, "dated before the digest's start date: in no edition unless --since DATE moves the start date"},
		{b.Seen, "marked as seen"},
	} {
		if part.n > 0 {
			out = append(out, fmt.Sprintf("%s %s", some(part.n, "article", "articles"), part.what))
		}
	}
	return out
}

// some returns "1 article" or "1,204 articles".
func some[N int | int64](n N, one, more string) string {
	if n == 1 {
		return "1 " + one
	}
	return thousands(int64(n)) + " " + more
}

// warnQueues warns of digests that need several editions for the waiting articles, as after
// the import of an archive.
func (a *cli) warnQueues(ctx context.Context, p *app.Service) error {
	queues, err := p.Queues(ctx)
	for _, q := range queues {
		a.warnQueued(q.Digest, q.Backlog)
	}
	return err
}

// warnQueued explains how to keep old articles out of later editions.
func (a *cli) warnQueued(name string, b delivery.Backlog) {
	if b.Queued() > 0 {
		a.warn("%s left after the next edition of %s, for %s; mark old ones as seen with: tidings digest mark-seen %s --before DATE",
			some(b.Queued(), "article is", "articles are"), name, some(b.Editions(), "later edition", "later editions"), name)
	}
}

func (a *cli) nothingNew(name string, why error) error {
	return a.print(map[string]string{"digest": name, "skipped": why.Error()}, func(w io.Writer) { fmt.Fprintf(w, "%v%s\n", why, sinceHint(why)) })
}

// sinceHint mentions --since when that would help.
func sinceHint(why error) string {
	var nothing *delivery.NothingNewError
	if errors.As(why, &nothing) && nothing.Backlog.Earlier > 0 {
		return "; add --since DATE to include older articles"
	}
	return ""
}

const markSeenLong = `Mark-seen removes waiting articles that are dated before a day from a digest's queue, as if an edition had
contained them. They stay in feeds and on pages. Articles that are imported later are not marked, whatever
their date. --undo puts marked articles back into the queue.`

func newMarkSeen(a *cli) *cobra.Command {
	var before string
	var undo bool
	c := &cobra.Command{
		Use:     "mark-seen NAME --before DATE",
		Short:   "Remove old articles from a digest's queue, or put them back",
		Long:    markSeenLong,
		Example: "  tidings digest mark-seen weekly --before 2026-01-01\n  tidings digest mark-seen weekly --undo",
		Args:    exactly("NAME"),
		RunE: a.withEngine(func(ctx context.Context, p *app.Service, e *delivery.Engine, args []string) error {
			day, err := dateFor(p, args[0], "--before", before)
			if err != nil {
				return err
			}
			if day.IsZero() && !undo {
				return usagef("--before is missing; write it like --before 2026-01-31")
			}
			return a.markSeen(ctx, e, args[0], day, undo)
		}),
	}
	c.Flags().StringVar(&before, "before", "", "mark articles dated before this day (2026-01-31)")
	c.Flags().BoolVar(&undo, "undo", false, "put articles that were marked as seen back into the queue")
	return c
}

func (a *cli) markSeen(ctx context.Context, e *delivery.Engine, name string, day time.Time, undo bool) error {
	mark, done := e.MarkSeen, "marked as seen"
	if undo {
		mark, done = e.MarkUnseen, "put back into the queue"
	}
	n, err := mark(ctx, name, day)
	if err != nil {
		return err
	}
	backlog, err := e.Backlog(ctx, name, noDate)
	if err != nil {
		return err
	}
	return a.print(map[string]any{"digest": name, "changed": n, "backlog": showBacklog(backlog)}, func(w io.Writer) {
		fmt.Fprintf(w, "%s %s\n", some(int(n), "article", "articles"), done)
		for _, line := range showBacklog(backlog).lines() {
			fmt.Fprintln(w, line)
		}
	})
}
