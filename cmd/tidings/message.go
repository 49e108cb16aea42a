package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"github.com/tidings-press/tidings/internal/app"
	"github.com/tidings-press/tidings/internal/delivery"
	"github.com/tidings-press/tidings/internal/digest"
	"github.com/tidings-press/tidings/internal/store"
	"github.com/tidings-press/tidings/internal/subscriber"
)

const messageLong = `A message is a one-off mail to the subscribers of one or more digests, or to a segment of them. It is written
in Markdown, and then shown, tested, checked and approved like an edition. It has an edition's id and number: "digest status",
"digest pause" and "digest resume" take its id too.`

func newMessage(a *cli) *cobra.Command {
	c := group("message", "Write one-off messages to subscribers, and send them",
		newMessageNew(a), newMessageList(a), newMessageShow(a), newMessageEdit(a), newMessageTest(a), newMessageCheck(a), newMessageSend(a),
		&cobra.Command{
			Use:     "cancel EDITION",
			Short:   "Cancel a message; mails that were sent cannot be recalled",
			Example: "  tidings message cancel 0b6cc0e4",
			Args:    exactly("EDITION"),
			RunE: a.withMessage(func(ctx context.Context, _ *app.Service, e *delivery.Engine, edition store.Edition) error {
				if err := e.Cancel(ctx, edition.ID, "cancelled at the command line"); err != nil {
					return err
				}
				return a.showEditionProgress(ctx, e, edition.ID)
			}),
		})
	c.Long = messageLong
	return c
}

// withMessage runs a command's work with the message that its first argument names.
func (a *cli) withMessage(work func(context.Context, *app.Service, *delivery.Engine, store.Edition) error) func(*cobra.Command, []string) error {
	return a.withEngine(func(ctx context.Context, p *app.Service, e *delivery.Engine, args []string) error {
		edition, err := p.FindEdition(ctx, args[0])
		if err == nil {
			_, err = delivery.MessageOf(edition)
		}
		if err != nil {
			return err
		}
		return work(ctx, p, e, edition)
	})
}

// showEditionProgress prints the progress of an edition.
func (a *cli) showEditionProgress(ctx context.Context, e *delivery.Engine, id string) error {
	progress, err := e.Progress(ctx, id)
	if err != nil {
		return err
	}
	return a.printProgress(ctx, e, progress)
}

// shownMessage is a message in the form that "message list" prints.
type shownMessage struct {
	shownProgress
	Digests []string `json:"digests"`
	Segment string   `json:"segment,omitempty"`
	Public  bool     `json:"public"`
}

func newMessageList(a *cli) *cobra.Command {
	var limit int
	c := &cobra.Command{
		Use:     "list",
		Short:   "List the newest messages",
		Example: "  tidings message list --json",
		Args:    cobra.NoArgs,
		RunE: a.withEngine(func(ctx context.Context, p *app.Service, e *delivery.Engine, _ []string) error {
			messages, err := p.Store.Messages(ctx, limit)
			if err != nil {
				return err
			}
			list := []shownMessage{}
			for _, edition := range messages {
				one, err := showMessage(ctx, e, edition)
				if err != nil {
					return err
				}
				list = append(list, one)
			}
			return a.print(list, func(w io.Writer) {
				for _, m := range list {
					fmt.Fprintf(w, "%s\t%s\t%d of %d sent\t%s\tto %s\n", m.Edition, m.StateText, m.Sent, m.Total, m.Subject, audienceText(m.Digests, m.Segment))
				}
				if len(list) == 0 {
					fmt.Fprintln(w, "No messages yet. Write one with: tidings message new")
				}
			})
		}),
	}
	limitFlag(c, &limit, 20, 1, "maximum number to list")
	return c
}

func showMessage(ctx context.Context, e *delivery.Engine, edition store.Edition) (shownMessage, error) {
	audience, err := digest.ParseAudience(edition.Audience)
	if err != nil {
		return shownMessage{}, err
	}
	progress, err := e.Progress(ctx, edition.ID)
	return shownMessage{showProgress(progress), audience.Digests, audience.Segment, audience.Public}, err
}

// audienceText describes who gets a message.
func audienceText(digests []string, segment string) string {
	text := strings.Join(digests, ", ")
	if segment != "" {
		text += " in the segment " + segment
	}
	return text
}

func newMessageShow(a *cli) *cobra.Command {
	c := newShow(a)
	c.Short = "Show a message as it would be sent, or its progress once it is approved"
	c.Long = `Show prints a message that was not approved as it would be sent now: subject, sender, digests and number of
subscribers. It writes the mail to files named by the message's id, .html and .txt. The last line has a fingerprint of all of it:
"message send EDITION --shown FINGERPRINT" sends exactly what was shown, or refuses. Of an approved message it prints the progress.`
	c.Example = "  tidings message show 0b6cc0e4\n  tidings message show 0b6cc0e4 --json"
	showDraft := c.RunE
	c.RunE = func(c *cobra.Command, args []string) error {
		draft := false
		err := a.withMessage(func(ctx context.Context, _ *app.Service, e *delivery.Engine, edition store.Edition) error {
			if draft = edition.State == digest.Draft; draft {
				return nil
			}
			return a.showEditionProgress(ctx, e, edition.ID)
		})(c, args)
		if err != nil || !draft {
			return err
		}
		return showDraft(c, args)
	}
	return c
}

func newMessageTest(a *cli) *cobra.Command {
	return &cobra.Command{
		Use:     "test EDITION ADDRESS",
		Short:   "Send a message to one address, as a test",
		Example: "  tidings message test 0b6cc0e4 editor@example.org",
		Args:    exactly("EDITION", "ADDRESS"),
		RunE: func(c *cobra.Command, args []string) error {
			address, err := subscriber.ParseAddress(args[1])
			if err != nil {
				return usagef("ADDRESS: %w", err)
			}
			return a.withMessage(func(ctx context.Context, _ *app.Service, e *delivery.Engine, edition store.Edition) error {
				if err := e.SendEditionTest(ctx, edition.ID, address); err != nil {
					return err
				}
				return a.report(map[string]string{"edition": edition.ID, "sent": address.String()}, "sent a test mail to %s", address)
			})(c, args)
		},
	}
}

func newMessageCheck(a *cli) *cobra.Command {
	return &cobra.Command{
		Use:     "check EDITION",
		Short:   "Find faults of a message before it is sent",
		Long:    "Check finds faults of a message before it is sent, as \"digest check\" does for editions. docs/checks.md explains all findings.",
		Example: "  tidings message check 0b6cc0e4",
		Args:    exactly("EDITION"),
		RunE: a.withMessage(func(ctx context.Context, _ *app.Service, e *delivery.Engine, edition store.Edition) error {
			findings, err := e.Check(ctx, edition.ID)
			if err != nil {
				return err
			}
			return a.printFindings(findings)
		}),
	}
}

const messageSendLong = `Send approves a message and sends it. It shows subject, sender and the number of subscribers, those who are skipped and
why, and asks for the name of the first digest. In scripts, pass --shown with the fingerprint that "message show" printed: if
the message, its digests, the sender or a template changed since then, nothing is sent.

--as names the editor who approves. If one of the digests needs two editors (approval: two), it is required, and the message is
sent with the approval of the second one.

The command runs until every mail has been tried, as "digest send" does; with --detach, serve and worker send it.`

func newMessageSend(a *cli) *cobra.Command {
	var fingerprint, as string
	var detach bool
	c := &cobra.Command{
		Use:     "send EDITION",
		Aliases: []string{"approve"},
		Short:   "Approve a message and send it",
		Long:    messageSendLong,
		Example: "  tidings message send 0b6cc0e4\n  tidings message send 0b6cc0e4 --shown 3f2a9c0d11e84b57 --detach",
		Args:    exactly("EDITION"),
		RunE: a.withMessage(func(ctx context.Context, p *app.Service, e *delivery.Engine, edition store.Edition) error {
			by, err := approver(ctx, p, as)
			if err != nil {
				return err
			}
			if fingerprint != "" {
				_, err = e.ApproveShort(ctx, edition.ID, by, fingerprint)
			} else {
				err = a.askToApprove(ctx, p, e, edition.ID, by)
			}
			var changed *delivery.ChangedError
			if errors.As(err, &changed) {
				err = fmt.Errorf("not sent: %w; review it again with: tidings message show %s", err, edition.ID)
			}
			if err != nil {
				return err
			}
			if edition, err = p.Store.Edition(ctx, edition.ID); err != nil {
				return err
			}
			if detach || edition.State == digest.Draft { // another editor must approve it too
				return a.showEditionProgress(ctx, e, edition.ID)
			}
			return a.sendUntilFinished(ctx, e, edition.ID)
		}),
	}
	c.Flags().StringVar(&fingerprint, "shown", "", "fingerprint printed by show; refuse a message that changed since")
	c.Flags().StringVar(&as, "as", "", "address of the editor who approves")
	c.Flags().BoolVar(&detach, "detach", false, "let serve and worker send it")
	return c
}
