package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/tidings-press/tidings/internal/app"
	"github.com/tidings-press/tidings/internal/delivery"
	"github.com/tidings-press/tidings/internal/digest"
	"github.com/tidings-press/tidings/internal/journal"
	"github.com/tidings-press/tidings/internal/store"
)

const quarantineLong = `A store is quarantined after "tidings restore", and when it is older than its journal, such as a copied
file or a snapshot of the machine. No process starts an edition or sends a mail until it is released.`

func newQuarantine(a *cli) *cobra.Command {
	c := group("quarantine", "Review a restored store, decide on its editions, and release it",
		newQuarantineShow(a), newQuarantineDecide(a), newQuarantineRelease(a))
	c.Long = quarantineLong
	return c
}

func newQuarantineShow(a *cli) *cobra.Command {
	return &cobra.Command{
		Use:   "show",
		Short: "Show what was sent since the backup, by edition",
		Long: quarantineLong + `

Show lists every edition that was sent or being sent since the backup: what the journal records, what
the store contains, and what will happen to it on release. It also lists the scheduled times between
the backup and now; they are skipped.`,
		Example: "  tidings quarantine show",
		Args:    exactly(),
		RunE: a.withEngine(func(ctx context.Context, p *app.Service, e *delivery.Engine, _ []string) error {
			return a.showQuarantine(ctx, p, e)
		}),
	}
}

// shownQuarantine is a quarantine in the form that the commands print.
type shownQuarantine struct {
	Quarantined  bool           `json:"quarantined"`
	Reason       string         `json:"reason,omitempty"`
	Taken        *time.Time     `json:"taken,omitempty"`
	Since        *time.Time     `json:"since,omitempty"`
	Journal      bool           `json:"journal"`
	Unsubscribed int64          `json:"unsubscribed"`
	Suppressed   int64          `json:"suppressed"`
	Erased       int64          `json:"erased"`
	ClosedFeeds  int64          `json:"closed_feeds"`
	LostAccess   []shownAccess  `json:"lost_access"`
	Editors      []string       `json:"editors,omitempty"`       // who may sign in, without a journal
	PrivateFeeds int64          `json:"private_feeds,omitempty"` // that can be read, without a journal
	Editions     []shownDecided `json:"editions"`
	Ticks        []shownTicks   `json:"ticks"`
}

type shownDecided struct {
	Edition  string `json:"edition"`
	Digest   string `json:"digest"`
	Number   int    `json:"number"`
	Tick     string `json:"tick"`
	Subject  string `json:"subject"`
	Audience int64  `json:"audience"`
	Left     int64  `json:"left"`
	Ended    bool   `json:"ended"`
	Known    bool   `json:"in_journal"`
	Stored   string `json:"in_store"`
	Decision string `json:"decision"`
}

type shownAccess struct {
	Editor string    `json:"editor"`
	Change string    `json:"change"`
	At     time.Time `json:"at"`
}

type shownTicks struct {
	Digest string   `json:"digest"`
	Ticks  []string `json:"ticks"`
}

func (a *cli) showQuarantine(ctx context.Context, p *app.Service, e *delivery.Engine) error {
	q, err := p.Store.Quarantine(ctx)
	if err != nil {
		return err
	}
	shown := shownQuarantine{Editions: []shownDecided{}, Ticks: []shownTicks{}, LostAccess: []shownAccess{}}
	if q == nil {
		return a.print(shown, func(w io.Writer) { fmt.Fprintln(w, "The store is not quarantined.") })
	}
	editions, err := p.Store.QuarantinedEditions(ctx)
	if err != nil {
		return err
	}
	ticks, err := e.MissedTicks(ctx)
	if err != nil {
		return err
	}
	shown.Quarantined, shown.Reason, shown.Taken, shown.Since, shown.Journal = true, string(q.Reason), &q.Taken, &q.Since, q.Journal
	shown.Unsubscribed, shown.Suppressed, shown.Erased = q.Unsubscribed, q.Suppressed, q.Erased
	shown.ClosedFeeds = q.ClosedFeeds
	for _, lost := range q.Access {
		shown.LostAccess = append(shown.LostAccess, shownAccess{lost.Editor, string(lost.Change), lost.At})
	}
	if !q.Journal {
		if shown.Editors, shown.PrivateFeeds, err = openAccess(ctx, p); err != nil {
			return err
		}
	}
	for i := range editions {
		shown.Editions = append(shown.Editions, showDecided(&editions[i]))
	}
	for _, t := range ticks {
		shown.Ticks = append(shown.Ticks, shownTicks{t.Digest, t.Keys})
	}
	return a.print(shown, func(w io.Writer) { printQuarantine(w, shown) })
}

func showDecided(q *store.QuarantinedEdition) shownDecided {
	return shownDecided{
		Edition: q.ID, Digest: q.Digest, Number: q.Number, Tick: q.ScheduledFor, Subject: q.Subject, Audience: q.Audience, Left: q.Recorded,
		Ended: !q.Ended.IsZero(), Known: !q.Began.IsZero(), Stored: string(q.Stored), Decision: string(q.Decision),
	}
}

func printQuarantine(w io.Writer, q shownQuarantine) {
	reason := map[string]string{
		string(store.Restored):   "it was restored from a backup",
		string(store.OlderStore): "it is older than its journal, such as a copy or a snapshot",
		string(store.NoJournal):  "its journal is missing, so it may be an older copy",
	}[q.Reason]
	fmt.Fprintf(w, "The store is quarantined: %s. Its data ends at %s.\n", reason, q.Taken.Format(time.RFC3339))
	if q.Journal {
		fmt.Fprintf(w, "From the journal: %s, %s, %s.\n", some(q.Unsubscribed, "subscriber unsubscribed", "subscribers unsubscribed"),
			some(q.Suppressed, "address was suppressed", "addresses were suppressed"), some(q.Erased, "subscriber was erased", "subscribers were erased"))
	} else {
		fmt.Fprintln(w, "No journal covers the time since the backup. Subscribers who unsubscribed after it are active again. For those you know of, run")
		fmt.Fprintln(w, "\"tidings subscriber suppress ADDRESS\" before the release.")
	}
	printAccess(w, q)
	for _, e := range q.Editions {
		fmt.Fprintf(w, "\n%s  %s %d  %q\n", e.Edition, e.Digest, e.Number, e.Subject)
		fmt.Fprintf(w, "  journal: %s\n  store: %s\n  on release: %s\n", journalText(e), storeText(e), releaseText(e))
	}
	if len(q.Editions) == 0 {
		fmt.Fprintln(w, "\nNo edition is known to have been sent since the backup.")
	}
	for _, t := range q.Ticks {
		fmt.Fprintf(w, "\n%s: %s skipped: %s\n", t.Digest, some(len(t.Ticks), "scheduled time since the backup is", "scheduled times since the backup are"), strings.Join(lastFew(t.Ticks), ", "))
	}
	fmt.Fprintln(w, "\nChange a decision: tidings quarantine decide EDITION sent|continue|hold|cancel\nThen: tidings quarantine release")
}

// openAccess returns the editors who may sign in, and the number of private feeds that can be read.
func openAccess(ctx context.Context, p *app.Service) (editors []string, feeds int64, err error) {
	all, err := p.Store.Editors(ctx)
	if err != nil {
		return nil, 0, err
	}
	for _, e := range all {
		if e.Disabled.IsZero() {
			editors = append(editors, e.Email)
		}
	}
	feeds, err = p.Store.CountPrivateFeeds(ctx)
	return editors, feeds, err
}

// printAccess prints which access the quarantine took away again, or what may be open without a
// journal.
func printAccess(w io.Writer, q shownQuarantine) {
	if !q.Journal {
		fmt.Fprintf(w, "Editors who were removed or disabled after the backup can sign in again, former passwords are valid again, and\n"+
			"private feeds that were closed after the backup can be read again (%d in all). Check who can sign in, and disable or remove the others with \"tidings editor\":\n", q.PrivateFeeds)
		for _, editor := range q.Editors {
			fmt.Fprintf(w, "  %s\n", editor)
		}
	}
	if q.ClosedFeeds > 0 {
		fmt.Fprintf(w, "Private feeds that were closed after the backup, and are closed again: %d\n", q.ClosedFeeds)
	}
	for _, lost := range q.LostAccess {
		fmt.Fprintf(w, "%s: %s\n", lost.Editor, accessText(journal.AccessChange(lost.Change)))
	}
}

// accessText describes a loss of access that was repeated after a restore.
func accessText(change journal.AccessChange) string {
	switch change {
	case journal.AccessPassword:
		return "the password was changed after the backup; a new one is needed (tidings editor reset ADDRESS)"
	case journal.AccessFactor:
		return "two-step sign-in was turned on after the backup, and is off; a new password is needed (tidings editor reset ADDRESS)"
	case journal.AccessPasskey:
		return "a passkey was removed after the backup, and is removed again"
	case journal.AccessProvider:
		return "an account at a sign-in provider was removed after the backup, and is removed again"
	case journal.AccessRole:
		return "is no longer an owner"
	case journal.AccessDisabled:
		return "was disabled after the backup, and is disabled again"
	default:
		return "was removed after the backup, and is removed again"
	}
}

func lastFew(ticks []string) []string {
	if len(ticks) > 5 {
		return append([]string{"…"}, ticks[len(ticks)-5:]...)
	}
	return ticks
}

func journalText(e shownDecided) string {
	switch {
	case !e.Known:
		return "no record"
	case e.Ended:
		return "sent to " + some(e.Audience, "subscriber", "subscribers")
	}
	return fmt.Sprintf("being sent; mail was sent to %d of %s", e.Left, some(e.Audience, "subscriber", "subscribers"))
}

func storeText(e shownDecided) string {
	if e.Stored == "" {
		return "not in the store"
	}
	return digest.State(e.Stored).Label()
}

// releaseText describes what happens to an edition on release.
func releaseText(e shownDecided) string {
	decision := store.Decision(e.Decision)
	if decision == "" {
		if decision = store.DecideHold; e.Stored == "" {
			decision = store.DecideSent
		}
	}
	text := string(decision) + ": " + map[store.Decision]string{
		store.DecideSent:     "it counts as sent; no more mails are sent",
		store.DecideContinue: "it is sent to the remaining subscribers",
		store.DecideHold:     "it stays paused, or a draft",
		store.DecideCancel:   "no more mails are sent",
	}[decision]
	if decision == store.DecideCancel && e.Stored == "" {
		text = "cancel: its articles go into the next edition"
	}
	if e.Decision == "" {
		text += " (not decided yet)"
	}
	return text
}

func newQuarantineDecide(a *cli) *cobra.Command {
	return &cobra.Command{
		Use:   "decide EDITION sent|continue|hold|cancel",
		Short: "Decide what happens to an edition on release",
		Long: `Decide records what happens to an edition when the store is released:

  sent      it counts as sent; no more mails are sent
  continue  it is sent to the subscribers for whom the journal records no mail
  hold      it stays paused, or a draft
  cancel    no more mails are sent; if the backup does not contain the edition, its articles go into the
            next edition, also for subscribers who got them already

Without a decision an edition stays paused; one that the backup does not contain counts as sent.`,
		Example: "  tidings quarantine decide 0b6cc0e4-6ad3-4d0a-9c35-5a52a9cf3d0f sent",
		Args:    exactly("EDITION", "DECISION"),
		RunE: a.withEngine(func(ctx context.Context, p *app.Service, _ *delivery.Engine, args []string) error {
			decision := store.Decision(args[1])
			if !slices.Contains(store.Decisions, decision) {
				return usagef("unknown decision %q; choose sent, continue, hold or cancel", args[1])
			}
			err := p.Store.DecideQuarantined(ctx, args[0], decision)
			if errors.Is(err, store.ErrNotFound) {
				return usagef("edition %s is not in quarantine; \"tidings quarantine show\" lists the editions", args[0])
			}
			if err != nil {
				return err
			}
			return a.report(map[string]string{"edition": args[0], "decision": args[1]}, "recorded; it takes effect with: tidings quarantine release")
		}),
	}
}

func newQuarantineRelease(a *cli) *cobra.Command {
	var yes, keep bool
	c := &cobra.Command{
		Use:   "release",
		Short: "Release the store: apply the decisions and send mail again",
		Long: `Release ends the quarantine. The decisions about editions are applied, scheduled times since the backup
are skipped, single mails that were queued in the backup are dropped, and all processes send mail again.

Without a journal there is no record of which articles were mailed since the backup. So that none is mailed
twice, all queued articles, and all that are dated between the backup and now, are marked as seen, even if
they are imported later. --articles=new treats them as new instead.
"tidings digest mark-seen --undo" puts marked articles back.`,
		Example: "  tidings quarantine release\n  tidings quarantine release --yes --articles=new",
		Args:    exactly(),
		RunE: a.withEngine(func(ctx context.Context, p *app.Service, e *delivery.Engine, _ []string) error {
			q, err := p.Store.Quarantine(ctx)
			if err != nil {
				return err
			}
			if q == nil {
				return usagef("the store is not quarantined")
			}
			if !yes {
				if err := a.showQuarantine(ctx, p, e); err != nil {
					return err
				}
				fmt.Fprint(a.stderr, "To send mail again, type release: ")
				if err := answered(bufio.NewReader(io.LimitReader(a.stdin, 1000)), "release", "pass --yes to release the store from a script"); err != nil {
					return err
				}
			}
			editions, err := e.Release(ctx, !q.Journal && !keep)
			if err != nil {
				return err
			}
			shown := []shownDecided{}
			for i := range editions {
				shown = append(shown, showDecided(&editions[i]))
			}
			return a.print(map[string]any{"released": true, "editions": shown}, func(w io.Writer) {
				for _, one := range shown {
					fmt.Fprintf(w, "%s %d: %s\n", one.Digest, one.Number, releaseText(one))
				}
				fmt.Fprintln(w, "The store is released; mail is sent again.")
			})
		}),
	}
	c.Flags().BoolVar(&yes, "yes", false, "do not ask")
	c.Flags().Var(articlesFlag{&keep}, "articles", "without a journal, treat articles as `sent` or new")
	return c
}

// articlesFlag is the value of --articles.
type articlesFlag struct{ keep *bool }

func (f articlesFlag) String() string {
	if f.keep != nil && *f.keep {
		return "new"
	}
	return "sent"
}

func (f articlesFlag) Set(text string) error {
	switch text {
	case "sent", "new":
		*f.keep = text == "new"
		return nil
	}
	return errors.New("choose sent or new")
}

func (f articlesFlag) Type() string { return "sent|new" }
