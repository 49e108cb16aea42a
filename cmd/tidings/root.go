package main

import (
	"fmt"

	"github.com/spf13/cobra"
)

const rootLong = `Tidings is a self-hosted press room. Stored articles go in; RSS, Atom and JSON feeds and
cron-scheduled HTML mail digests come out.

"tidings demo" shows all of it with sample articles and an inbox of its own. For your own
publication begin with "tidings init", "tidings article import FOLDER" and "tidings serve".

Exit codes: 0 done; 1 failed; 2 wrong usage or configuration; 3 done in part, and what was
left out is listed on standard error.`

// newRoot puts the tree of commands together.
func newRoot(a *cli) *cobra.Command {
	root := &cobra.Command{
		Use:           "tidings",
		Short:         "A self-hosted press room: articles in, feeds and mail digests out",
		Long:          rootLong,
		Example:       "  tidings demo\n  tidings init && tidings serve",
		SilenceUsage:  true,
		SilenceErrors: true,
		PersistentPreRun: func(*cobra.Command, []string) {
			a.started = true
		},
	}
	root.PersistentFlags().StringVar(&a.configPath, "config", "", "configuration file (default $TIDINGS_CONFIG or config.yaml)")
	root.PersistentFlags().BoolVar(&a.json, "json", false, "print JSON")
	root.AddGroup(
		&cobra.Group{ID: "run", Title: "Run:"},
		&cobra.Group{ID: "room", Title: "Work in the press room:"},
		&cobra.Group{ID: "setup", Title: "Set up:"},
		&cobra.Group{ID: "keep", Title: "Look after the store:"},
	)
	add := func(group string, commands ...*cobra.Command) {
		for _, c := range commands {
			c.GroupID = group
			root.AddCommand(c)
		}
	}
	add("run", newDemo(a), newServe(a), newWorker(a))
	add("room", newArticle(a), newFeed(a), newDigest(a), newSubscriber(a), newEditor(a))
	add("setup", newInit(a), newConfig(a), newDKIM(a), newVersion(a))
	add("keep", newBackup(a), newRestore(a), newQuarantine(a), newMigrate(a))
	return root
}

// group is a command that only holds others.
func group(use, short string, commands ...*cobra.Command) *cobra.Command {
	c := &cobra.Command{
		Use:   use,
		Short: short,
		Args:  cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			return usagef("%s needs one of its commands; right would be: %s --help", c.CommandPath(), c.CommandPath())
		},
	}
	c.AddCommand(commands...)
	return c
}

// exactly asks for so many arguments, and says by name which are missing.
func exactly(names ...string) cobra.PositionalArgs {
	return func(c *cobra.Command, args []string) error {
		if len(args) == len(names) {
			return nil
		}
		if len(args) < len(names) {
			return usagef("%s is missing; right would be: %s", names[len(args)], c.UseLine())
		}
		return usagef("%q is one too many; right would be: %s", args[len(names)], c.UseLine())
	}
}

// atLeast asks for one argument or more.
func atLeast(name string) cobra.PositionalArgs {
	return func(c *cobra.Command, args []string) error {
		if len(args) == 0 {
			return usagef("%s is missing; right would be: %s", name, c.UseLine())
		}
		return nil
	}
}

func usagef(format string, args ...any) error { return &usageError{fmt.Errorf(format, args...)} }
