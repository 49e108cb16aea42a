package main

import (
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"github.com/tidings-press/tidings/internal/app"
	"github.com/tidings-press/tidings/internal/config"
)

func newConfig(a *cli) *cobra.Command {
	return group("config", "Check or show the configuration", newConfigCheck(a), newConfigShow(a))
}

func newConfigCheck(a *cli) *cobra.Command {
	return &cobra.Command{
		Use:     "check",
		Short:   "Check the configuration and the templates",
		Long:    "Check reads the configuration and the templates as serve does. It prints errors, warnings, and a fingerprint\nthat is equal on all nodes with the same settings.",
		Example: "  tidings config check",
		Args:    exactly(),
		RunE: func(*cobra.Command, []string) error {
			c, err := a.config()
			if err != nil {
				return err
			}
			if _, err := app.CheckTemplates(c); err != nil {
				return &usageError{err}
			}
			return a.printCheck(c)
		},
	}
}

func (a *cli) printCheck(c *config.Config) error {
	warnings := []string{}
	for _, w := range c.Warnings() {
		warnings = append(warnings, w.Error())
	}
	return a.print(map[string]any{"file": c.Path(), "fingerprint": c.SharedHash(), "warnings": warnings}, func(w io.Writer) {
		for _, warning := range warnings {
			fmt.Fprintln(w, "note:", warning)
		}
		fmt.Fprintf(w, "%s is valid: %s, %s, %s; fingerprint %s\n", c.Path(), some(len(c.Feeds), "feed", "feeds"),
			some(len(c.Digests), "digest", "digests"), some(len(c.Relays), "relay", "relays"), c.SharedHash())
	})
}

func newConfigShow(a *cli) *cobra.Command {
	return &cobra.Command{
		Use:     "show",
		Short:   "Show the configuration with defaults filled in and secrets hidden",
		Example: "  tidings config show\n  tidings config show --json",
		Args:    exactly(),
		RunE: func(*cobra.Command, []string) error {
			c, err := a.config()
			if err != nil {
				return err
			}
			show := c.YAML
			if a.json {
				show = c.JSON
			}
			text, err := show()
			if err != nil {
				return err
			}
			_, err = fmt.Fprintln(a.stdout, string(text))
			return err
		},
	}
}
