package main

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/spf13/cobra"
)

const rootLong = `Tidings is a self-hosted feed and newsletter server. It imports articles, serves them as RSS,
Atom and JSON feeds, and mails them as HTML digests on a schedule.

"tidings demo" runs everything with sample articles and an inbox of its own. For your own
publication, start with "tidings init", "tidings article import FOLDER" and "tidings serve".

Exit codes: 0 success; 1 failure; 2 wrong usage or configuration; 3 partial success: what was
left out is listed on standard error.`

// newRoot returns the tree of commands.
func newRoot(a *cli) *cobra.Command {
	root := &cobra.Command{
		Use:           "tidings",
		Short:         "A self-hosted feed and newsletter server",
		Long:          rootLong,
		Example:       "  tidings demo\n  tidings init && tidings serve",
		SilenceUsage:  true,
		SilenceErrors: true,
		PersistentPreRunE: func(c *cobra.Command, _ []string) error {
			if err := c.ValidateFlagGroups(); err != nil { // cobra would do it after this function
				return &usageError{err}
			}
			a.started, a.command = true, c
			return nil
		},
	}
	root.PersistentFlags().StringVar(&a.configPath, "config", "", "configuration file (default $TIDINGS_CONFIG, config.yaml here, or /etc/tidings/config.yaml)")
	root.PersistentFlags().BoolVar(&a.json, "json", false, "print JSON")
	root.AddGroup(
		&cobra.Group{ID: "run", Title: "Run:"},
		&cobra.Group{ID: "manage", Title: "Manage content and subscribers:"},
		&cobra.Group{ID: "setup", Title: "Set up:"},
		&cobra.Group{ID: "keep", Title: "Maintain the store:"},
	)
	add := func(group string, commands ...*cobra.Command) {
		for _, c := range commands {
			c.GroupID = group
			root.AddCommand(c)
		}
	}
	add("run", newDemo(a), newServe(a), newWorker(a))
	add("manage", newArticle(a), newFeed(a), newDigest(a), newMessage(a), newSubscriber(a), newEditor(a), newAudit(a))
	add("setup", newInit(a), newConfig(a), newTemplate(a), newDKIM(a), newMan(a), newVersion(a))
	add("keep", newDoctor(a))
	add("keep", newStatus(a), newBackup(a), newRestore(a), newQuarantine(a), newMigrate(a), newMigrateStore(a), newCheckUpdate(a))
	return root
}

// group returns a command that only holds subcommands.
func group(use, short string, commands ...*cobra.Command) *cobra.Command {
	c := &cobra.Command{
		Use:   use,
		Short: short,
		Args:  cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			return usagef("%s needs a subcommand; see %s --help", c.CommandPath(), c.CommandPath())
		},
	}
	c.AddCommand(commands...)
	return c
}

// hiddenAlias gives a command the name that it had in an earlier version, and hides it.
func hiddenAlias(name string, c *cobra.Command) *cobra.Command {
	_, args, _ := strings.Cut(c.Use, " ")
	c.Use, c.Hidden = strings.TrimSpace(name+" "+args), true
	return c
}

// exactly requires one argument for each name.
func exactly(names ...string) cobra.PositionalArgs {
	return func(c *cobra.Command, args []string) error {
		if len(args) == len(names) {
			return nil
		}
		if len(args) < len(names) {
			return usagef("%s is missing; usage: %s", names[len(args)], c.UseLine())
		}
		return usagef("unexpected argument %q; usage: %s", args[len(names)], c.UseLine())
	}
}

// atLeast requires one argument or more.
func atLeast(name string) cobra.PositionalArgs {
	return func(c *cobra.Command, args []string) error {
		if len(args) == 0 {
			return usagef("%s is missing; usage: %s", name, c.UseLine())
		}
		return nil
	}
}

// joined returns words with commas between them.
func joined[S ~string](words []S) string {
	out := make([]string, len(words))
	for i, word := range words {
		out[i] = string(word)
	}
	return strings.Join(out, ", ")
}

// limitFlag adds --limit with a default and the lowest number that it takes.
func limitFlag(c *cobra.Command, n *int, value, lowest int, usage string) {
	*n = value
	c.Flags().Var(&limitValue{n, lowest}, "limit", usage)
}

// limitValue is a number that is not below another. It implements pflag.Value.
type limitValue struct {
	n      *int
	lowest int
}

// Set reads the number.
func (l *limitValue) Set(text string) error {
	n, err := strconv.Atoi(text)
	if err != nil || n < l.lowest {
		return fmt.Errorf("use a number of %d or more", l.lowest)
	}
	*l.n = n
	return nil
}

// String returns the number.
func (l *limitValue) String() string {
	if l.n == nil { // pflag calls it on a zero value, to find out whether the default is one
		return ""
	}
	return strconv.Itoa(*l.n)
}

// Type names the kind of the value in help.
func (l *limitValue) Type() string { return "int" }

func usagef(format string, args ...any) error { return &usageError{fmt.Errorf(format, args...)} }
