package main

import (
	"context"

	"github.com/spf13/cobra"

	"github.com/tidings-press/tidings/internal/app"
	"github.com/tidings-press/tidings/internal/delivery"
)

func newDigest(a *cli) *cobra.Command {
	return group("digest", "List, preview, test and send digests, and control their editions",
		newDigestList(a), newDigestPreview(a), newDigestTest(a), newDigestSend(a), newDigestStatus(a), newDigestPlan(a), newDigestCalendar(a), newMarkSeen(a),
		newDigestCheck(a), newShow(a), newEdit(a), newApprove(a), newHold(a), newUndo(a),
		newEditionControl(a, "pause", "Pause an edition", func(ctx context.Context, e *delivery.Engine, id string) error {
			return e.Pause(ctx, id, "paused at the command line")
		}),
		newEditionControl(a, "resume", "Resume a paused edition where it stopped", func(ctx context.Context, e *delivery.Engine, id string) error {
			return e.Resume(ctx, id)
		}),
		newEditionControl(a, "cancel", "Cancel an edition; mails that were sent cannot be recalled", func(ctx context.Context, e *delivery.Engine, id string) error {
			return e.Cancel(ctx, id, "cancelled at the command line")
		}),
		newUncertain(a))
}

// withEngine runs a command's work with an engine that has not been started.
func (a *cli) withEngine(work func(context.Context, *app.Service, *delivery.Engine, []string) error) func(*cobra.Command, []string) error {
	return func(c *cobra.Command, args []string) error {
		return a.with(c.Context(), func(p *app.Service) error {
			engine, err := p.Engine(c.Context())
			if err != nil {
				return err
			}
			return work(c.Context(), p, engine, args)
		})
	}
}

// newEditionControl returns a command that changes the state of an edition.
func newEditionControl(a *cli, name, short string, change func(context.Context, *delivery.Engine, string) error) *cobra.Command {
	return &cobra.Command{
		Use:     name + " EDITION",
		Short:   short,
		Example: "  tidings digest " + name + " 0b6cc0e4-6ad3-4d0a-9c35-5a52a9cf3d0f",
		Args:    exactly("EDITION"),
		RunE: a.withEngine(func(ctx context.Context, p *app.Service, e *delivery.Engine, args []string) error {
			edition, err := p.FindEdition(ctx, args[0])
			if err != nil {
				return err
			}
			if err := change(ctx, e, edition.ID); err != nil {
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
