package main

import (
	"github.com/spf13/cobra"

	"github.com/tidings-press/tidings/internal/app"
	"github.com/tidings-press/tidings/internal/config"
)

const demoLong = `Demo runs the whole service on this machine: sample articles, feeds and two digests. One digest is
sent at once and one after a minute, over SMTP, to an inbox that the demo serves in the browser.
Nothing leaves the machine. At the end everything is deleted, unless --keep names a folder.`

func newDemo(a *cli) *cobra.Command {
	var demo app.Demo
	var verbose bool
	c := &cobra.Command{
		Use:     "demo",
		Short:   "Run everything with sample articles and a mail inbox",
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
	c.Flags().IntVar(&demo.Port, "port", app.DemoPort, "port of the site; if it is taken, another one is used")
	c.Flags().BoolVar(&verbose, "verbose", false, "log more")
	return c
}
