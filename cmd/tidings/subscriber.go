package main

import (
	"context"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/tidings-press/tidings/internal/app"
	"github.com/tidings-press/tidings/internal/store"
	"github.com/tidings-press/tidings/internal/subscriber"
	"github.com/tidings-press/tidings/internal/subscription"
)

func newSubscriber(a *cli) *cobra.Command {
	return group("subscriber", "Add, import, export, list, show, remove, erase and suppress subscribers",
		newSubscriberAdd(a), newSubscriberImport(a), newSubscriberExport(a), newSubscriberList(a),
		newSubscriberShow(a), newSubscriberRemove(a), newSubscriberErase(a), newSubscriberSuppress(a), newSubscriberClearLanguage(a))
}

func newSubscriberAdd(a *cli) *cobra.Command {
	var person subscription.NewSubscriber
	c := &cobra.Command{
		Use:     "add ADDRESS",
		Short:   "Subscribe a person to digests",
		Long:    "Add subscribes a person who agreed to it. For an existing subscriber the digests are added; without --digest those\nthat the person left stay left.\nA suppressed address is refused.",
		Example: "  tidings subscriber add ada@example.org --digest weekly --consent 'asked in the shop, 3 May'",
		Args:    exactly("ADDRESS"),
		RunE: func(c *cobra.Command, args []string) error {
			name, address, err := subscriber.ParseMailbox(args[0])
			if err != nil {
				return &usageError{err}
			}
			if person.MailLanguage, err = languageFlag(person.MailLanguage); err != nil {
				return err
			}
			person.Address = address
			if person.Name == "" {
				person.Name = name
			}
			return a.with(c.Context(), func(p *app.Service) error {
				added, err := p.Subscribers().Add(c.Context(), person)
				if err != nil {
					return err
				}
				return a.printPerson(c.Context(), p, added)
			})
		},
	}
	flags := c.Flags()
	flags.StringVar(&person.Name, "name", "", "the person's name")
	flags.StringVar(&person.Language, "language", "", "language of the articles to send, such as en (default: all)")
	flags.StringVar(&person.MailLanguage, "mail-language", "", "language of the mails' fixed texts, such as fr (default: --language, or the site's)")
	flags.StringArrayVar(&person.Digests, "digest", nil, "digest to subscribe to; may be repeated (default: all)")
	flags.StringSliceVar(&person.Topics, "topic", nil, "tag of the articles to send; may be repeated (default: all articles)")
	flags.StringVar(&person.Consent, "consent", "added by an editor", "how the person agreed")
	return c
}

// languageFlag reads the value of --mail-language.
func languageFlag(value string) (string, error) {
	if value == "" {
		return "", nil
	}
	tag, ok := subscriber.ParseLanguage(value)
	if !ok {
		return "", usagef("--mail-language %q is not a language; use a tag such as en or pt-BR", value)
	}
	return tag, nil
}

// shownPerson is a subscriber in the form that the commands print.
type shownPerson struct {
	ID       int64               `json:"id"`
	Address  subscriber.Address  `json:"address"`
	Name     string              `json:"name,omitempty"`
	State    subscriber.State    `json:"state"`
	Language string              `json:"language,omitempty"`
	Mail     string              `json:"mail_language,omitempty"`
	Created  time.Time           `json:"created"`
	Consent  string              `json:"consent,omitempty"`
	Labels   []string            `json:"labels,omitempty"`
	Digests  []shownSubscription `json:"digests"`

	Suppressed *shownSuppression `json:"suppressed,omitempty"` // only of one person
	Reports    []shownReport     `json:"reports,omitempty"`    // likewise
}

// shownSuppression is why an address is not mailed.
type shownSuppression struct {
	Reason store.SuppressionReason `json:"reason"`
	Detail string                  `json:"detail,omitempty"`
	Since  time.Time               `json:"since"`
}

// shownReport is a bounce, a complaint or another report about a mail to the person.
type shownReport struct {
	At     time.Time          `json:"at"`
	Kind   store.FeedbackKind `json:"kind"`
	Mail   string             `json:"mail,omitempty"` // the id of an edition, or of a single mail such as a confirmation
	Code   int                `json:"code,omitempty"`
	Reply  string             `json:"reply,omitempty"`
	Source string             `json:"source"`
}

// maxReports is how many reports about a person are shown.
const maxReports = 20

type shownSubscription struct {
	Digest string    `json:"digest"`
	Topics []string  `json:"topics,omitempty"`
	Since  time.Time `json:"since"`
}

func showPerson(s subscriber.Subscriber, places []subscriber.Subscription) shownPerson {
	out := shownPerson{ID: s.ID, Address: s.Address, Name: s.Name, State: s.State, Language: s.Language, Mail: s.MailLanguage, Created: s.Created, Labels: s.Labels, Digests: []shownSubscription{}}
	out.Consent = strings.Trim(s.Consent.Source+": "+s.Consent.Text, ": ")
	for _, place := range places {
		out.Digests = append(out.Digests, shownSubscription{place.Digest, place.Topics, place.Since})
	}
	return out
}

func (a *cli) printPerson(ctx context.Context, p *app.Service, s subscriber.Subscriber) error {
	places, err := p.Store.Subscriptions(ctx, s.ID)
	if err != nil {
		return err
	}
	one := showPerson(s, places)
	if err := one.addReports(ctx, p.Store); err != nil {
		return err
	}
	return a.print(one, func(w io.Writer) {
		fmt.Fprintf(w, "%s\t%s\n", one.Address, one.State)
		fmt.Fprintf(w, "number\t%d\nname\t%s\nlanguage\t%s\nmail language\t%s\nadded\t%s\nconsent\t%s\n", one.ID, one.Name, one.Language, one.Mail, one.Created.Format(time.RFC3339), one.Consent)
		if len(one.Labels) > 0 {
			fmt.Fprintf(w, "labels\t%s\n", strings.Join(one.Labels, ", "))
		}
		for _, place := range one.Digests {
			fmt.Fprintf(w, "on %s\tsince %s\t%s\n", place.Digest, place.Since.Format(time.DateOnly), strings.Join(place.Topics, ", "))
		}
		if held := one.Suppressed; held != nil {
			fmt.Fprintf(w, "suppressed\t%s since %s\t%s\n", held.Reason, held.Since.Format(time.DateOnly), held.Detail)
		}
		for _, r := range one.Reports {
			fmt.Fprintf(w, "report\t%s %s by %s\t%s\n", r.At.Format(time.RFC3339), r.Kind, r.Source, r.words())
		}
	})
}

// addReports adds what came back of the mails to the person.
func (p *shownPerson) addReports(ctx context.Context, s *store.Store) error {
	held, err := s.Suppression(ctx, p.Address)
	if err != nil {
		return err
	}
	if held.Reason != "" {
		p.Suppressed = &shownSuppression{held.Reason, held.Detail, held.Since}
	}
	reports, err := s.FeedbackOf(ctx, p.ID, maxReports)
	for _, f := range reports {
		p.Reports = append(p.Reports, shownReport{f.At, f.Kind, f.Edition, f.Code, f.Text, f.Source})
	}
	return err
}

// words returns the code and the words of the server.
func (r shownReport) words() string {
	if r.Code == 0 {
		return r.Reply
	}
	return strings.TrimSpace(strconv.Itoa(r.Code) + " " + strings.TrimPrefix(r.Reply, strconv.Itoa(r.Code)+" "))
}

func newSubscriberShow(a *cli) *cobra.Command {
	return &cobra.Command{
		Use:     "show ADDRESS",
		Short:   "Show a person, their digests, consent, bounces and complaints",
		Example: "  tidings subscriber show ada@example.org",
		Args:    exactly("ADDRESS"),
		RunE: a.withSubscriber(func(ctx context.Context, p *app.Service, s subscriber.Subscriber) error {
			return a.printPerson(ctx, p, s)
		}),
	}
}

func newSubscriberRemove(a *cli) *cobra.Command {
	var digest string
	c := &cobra.Command{
		Use:     "remove ADDRESS",
		Short:   "Unsubscribe a person from all digests, or one",
		Long:    "Remove unsubscribes a person, as the link in a mail would. Their record is kept; see erase.",
		Example: "  tidings subscriber remove ada@example.org\n  tidings subscriber remove ada@example.org --digest weekly",
		Args:    exactly("ADDRESS"),
		RunE: a.withSubscriber(func(ctx context.Context, p *app.Service, s subscriber.Subscriber) error {
			from, err := "all digests", error(nil)
			if digest == "" {
				err = p.Store.UnsubscribeAll(ctx, s.ID)
			} else {
				from, err = digest, p.Store.Unsubscribe(ctx, s.ID, digest)
			}
			if err != nil {
				return err
			}
			return a.report(map[string]string{"address": s.Address.String(), "unsubscribed": from}, "%s is unsubscribed from %s", s.Address, from)
		}),
	}
	c.Flags().StringVar(&digest, "digest", "", "only this digest")
	return c
}

func newSubscriberErase(a *cli) *cobra.Command {
	return &cobra.Command{
		Use:     "erase ADDRESS",
		Short:   "Erase a person; a keyed hash keeps them from being mailed again",
		Long:    "Erase removes everything about a person from every table, and on SQLite from the files too. A keyed hash of the address\nis kept, so that no import adds them again. This cannot be undone. docs/privacy.md lists what is removed.",
		Example: "  tidings subscriber erase ada@example.org",
		Args:    exactly("ADDRESS"),
		RunE: a.withSubscriber(func(ctx context.Context, p *app.Service, s subscriber.Subscriber) error {
			if err := p.Store.Erase(ctx, s.ID); err != nil {
				return err
			}
			return a.report(map[string]int64{"erased": s.ID}, "subscriber %d is erased", s.ID)
		}),
	}
}

func newSubscriberSuppress(a *cli) *cobra.Command {
	var lift bool
	var reason string
	c := &cobra.Command{
		Use:     "suppress ADDRESS",
		Short:   "Suppress an address, so that it is never mailed, even after imports; or lift the suppression",
		Example: "  tidings subscriber suppress ada@example.org --reason 'asked by phone'\n  tidings subscriber suppress --lift ada@example.org",
		Args:    exactly("ADDRESS"),
		RunE: func(c *cobra.Command, args []string) error {
			address, err := subscriber.ParseAddress(args[0])
			if err != nil {
				return &usageError{err}
			}
			return a.with(c.Context(), func(p *app.Service) error {
				text := "%s is suppressed"
				if lift {
					text, err = "%s may be mailed again", p.Store.LiftSuppression(c.Context(), address)
				} else {
					err = p.Store.Suppress(c.Context(), address, store.EditorReason, reason)
				}
				if err != nil {
					return err
				}
				return a.report(map[string]any{"address": address, "suppressed": !lift}, text, address)
			})
		},
	}
	c.Flags().BoolVar(&lift, "lift", false, "lift the suppression")
	c.Flags().StringVar(&reason, "reason", "", "why")
	return c
}

// withSubscriber runs a command's work with the subscriber that its argument names.
func (a *cli) withSubscriber(work func(context.Context, *app.Service, subscriber.Subscriber) error) func(*cobra.Command, []string) error {
	return func(c *cobra.Command, args []string) error {
		address, err := subscriber.ParseAddress(args[0])
		if err != nil {
			return &usageError{err}
		}
		return a.with(c.Context(), func(p *app.Service) error {
			found, err := p.Subscribers().Find(c.Context(), address)
			if err != nil {
				return err
			}
			return work(c.Context(), p, found)
		})
	}
}

const clearLanguageLong = `Clear-language lets subscribers who used the form get articles in all languages again. Earlier versions of
the form stored the site's language for every subscriber. This cannot be distinguished from a language that
a subscriber chose later, so use --dry-run first.`

func newSubscriberClearLanguage(a *cli) *cobra.Command {
	var dryRun bool
	c := &cobra.Command{
		Use:     "clear-language LANGUAGE",
		Short:   "Clear the language that the subscription form used to set",
		Long:    clearLanguageLong,
		Example: "  tidings subscriber clear-language en --dry-run\n  tidings subscriber clear-language en",
		Args:    exactly("LANGUAGE"),
		RunE: func(c *cobra.Command, args []string) error {
			language, ok := subscriber.ParseLanguage(args[0])
			if !ok {
				return usagef("%q is not a language; use a tag such as en or pt-BR", args[0])
			}
			return a.with(c.Context(), func(p *app.Service) error {
				n, err := p.Store.ClearFormLanguage(c.Context(), language, dryRun)
				if err != nil {
					return err
				}
				return a.print(map[string]any{"subscribers": n, "dry_run": dryRun}, func(w io.Writer) {
					who := some(n, "subscriber receives", "subscribers receive")
					if dryRun {
						who = some(n, "subscriber would receive", "subscribers would receive")
					}
					fmt.Fprintf(w, "%s articles in all languages\n", who)
				})
			})
		},
	}
	c.Flags().BoolVar(&dryRun, "dry-run", false, "only count them")
	return c
}
