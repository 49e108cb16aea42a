package main

import (
	"github.com/spf13/cobra"

	"github.com/tidings-press/tidings/internal/app"
	"github.com/tidings-press/tidings/internal/config"
)

const demoLong = `Demo runs the whole service on this machine: sample articles, feeds, two digests on a schedule
(one goes out after a minute) and one sent at once over real SMTP, into an inbox that the demo runs
itself and shows in the browser. Nothing leaves the machine, and nothing is left behind at the end
unless --keep says where.`

func newDemo(a *cli) *cobra.Command {
	var demo app.Demo
	var verbose bool
	c := &cobra.Command{
		Use:     "demo",
		Short:   "Show it all on sample articles, with an inbox of its own",
		Long:    demoLong,
		Example: "  tidings demo\n  tidings demo --keep demo/",
		Args:    exactly(),
		RunE: func(c *cobra.Command, _ []string) error {
			demo.Out = a.stdout
			level := "warn"
			if verbose {
				level = "info"
			}
			demo.Log = app.NewLogger(a.stderr, config.Log{Level: level, Format: "text"}, true)
			return demo.Run(c.Context())
		},
	}
	c.Flags().StringVar(&demo.Keep, "keep", "", "folder to keep the store and configuration in")
	c.Flags().IntVar(&demo.Port, "port", app.DemoPort, "port of the site; another is taken when it is not free")
	c.Flags().BoolVar(&verbose, "verbose", false, "log what happens")
	return c
}
