package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/spf13/cobra"
	"go.yaml.in/yaml/v3"

	"github.com/tidings-press/tidings/internal/app"
	"github.com/tidings-press/tidings/internal/config"
	"github.com/tidings-press/tidings/internal/settings"
	"github.com/tidings-press/tidings/internal/store"
)

func newConfig(a *cli) *cobra.Command {
	return group("config", "Check, show, export or change the configuration",
		newConfigCheck(a), newConfigShow(a), newConfigExport(a), newConfigSet(a), newConfigUnset(a))
}

// storeTimeout is how long "config check" waits for a store that does not answer.
const storeTimeout = 10 * time.Second

// unreadError reports a store whose settings of the admin cannot be read.
type unreadError struct{ error }

func (e *unreadError) Unwrap() error { return e.error }

// effective loads the configuration with the settings of the admin over the file's. A store that does
// not exist yet has none; it is not created.
func (a *cli) effective(ctx context.Context) (*config.Config, []store.Setting, error) {
	file, err := a.config()
	if err != nil {
		return nil, nil, err
	}
	stored, err := store.ReadSettings(ctx, file.Store.DSN.Reveal(), app.StoreOptions(file))
	if err != nil {
		return nil, nil, &unreadError{fmt.Errorf("%s: the settings of the admin cannot be read: %w", file.Position("store.dsn"), err)}
	}
	c, err := settings.Apply(file, stored)
	return c, stored, err
}

func newConfigCheck(a *cli) *cobra.Command {
	return &cobra.Command{
		Use:     "check",
		Short:   "Check the configuration and the templates",
		Long:    "Check reads the configuration, the settings of the admin and the templates as serve does. It prints errors, warnings,\nand a fingerprint that is equal on all nodes with the same settings.",
		Example: "  tidings config check",
		Args:    exactly(),
		RunE: func(cmd *cobra.Command, _ []string) error {
			ctx, cancel := context.WithTimeout(cmd.Context(), storeTimeout)
			defer cancel()
			c, stored, err := a.effective(ctx)
			var unread *unreadError
			if errors.As(err, &unread) { // the file can be checked before its store runs
				a.warn("note: %v; only the file is checked", unread)
				c, err = a.config()
			}
			if err != nil {
				return err
			}
			if _, err := app.CheckTemplates(c); err != nil {
				return &usageError{err}
			}
			return a.printCheck(c, len(stored))
		},
	}
}

func (a *cli) printCheck(c *config.Config, stored int) error {
	warnings, unused := []string{}, append([]string{}, c.Unused()...)
	for _, w := range c.Warnings() {
		warnings = append(warnings, w.Error())
	}
	return a.print(map[string]any{"file": c.Path(), "fingerprint": c.SharedHash(), "warnings": warnings, "stored": stored, "unused": unused}, func(w io.Writer) {
		for _, warning := range warnings {
			fmt.Fprintln(w, "note:", warning)
		}
		for _, key := range unused {
			fmt.Fprintf(w, "note: %s: %s has no place in the file; remove it with: tidings config unset '%s'\n", config.StoredPlace, key, key)
		}
		if stored > 0 {
			fmt.Fprintf(w, "%s set in the admin; \"tidings config show --stored\" lists them\n", some(stored, "value is", "values are"))
		}
		fmt.Fprintf(w, "%s is valid: %s, %s, %s; fingerprint %s\n", c.Path(), some(len(c.Feeds), "feed", "feeds"),
			some(len(c.Digests), "digest", "digests"), some(len(c.Relays), "relay", "relays"), c.SharedHash())
	})
}

func newConfigShow(a *cli) *cobra.Command {
	var effective, stored bool
	cmd := &cobra.Command{
		Use:     "show",
		Short:   "Show the configuration with defaults filled in and secrets hidden",
		Long:    "Show prints the file's configuration; with --effective, with the settings of the admin in place of the file's values; with\n--stored, only those settings, and who set them.",
		Example: "  tidings config show\n  tidings config show --effective --json\n  tidings config show --stored",
		Args:    exactly(),
		RunE: func(cmd *cobra.Command, _ []string) error {
			if stored {
				return a.showStored(cmd.Context())
			}
			c, err := a.config()
			if err == nil && effective {
				c, _, err = a.effective(cmd.Context())
			}
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
	cmd.Flags().BoolVar(&effective, "effective", false, "with the settings of the admin")
	cmd.Flags().BoolVar(&stored, "stored", false, "only the settings of the admin")
	cmd.MarkFlagsMutuallyExclusive("effective", "stored")
	return cmd
}

// storedSetting is a setting of the admin as "config show --stored" prints it.
type storedSetting struct {
	Key   string          `json:"key"`
	Value json.RawMessage `json:"value"`
	File  json.RawMessage `json:"file"` // the file's value now; null if it has none
	By    string          `json:"by"`
	At    time.Time       `json:"at"`
}

func (a *cli) showStored(ctx context.Context) error {
	c, stored, err := a.effective(ctx)
	if err != nil {
		return err
	}
	out := []storedSetting{}
	for _, s := range stored {
		shown := storedSetting{Key: s.Key, Value: json.RawMessage(s.Value), By: s.By, At: s.At}
		if value, found := c.File().Value(s.Key); found {
			shown.File = json.RawMessage(value)
		}
		out = append(out, shown)
	}
	return a.print(map[string]any{"settings": out}, func(w io.Writer) {
		for _, s := range out {
			fmt.Fprintf(w, "%s\t%s\tby %s, %s\n", s.Key, s.Value, s.By, s.At.Format(time.RFC3339))
		}
	})
}

func newConfigExport(a *cli) *cobra.Command {
	return &cobra.Command{
		Use:     "export",
		Short:   "Print config.yaml with the settings of the admin in place of its values",
		Long:    "Export prints the file, with its comments, and the values that were set in the admin in their place. Secrets that stand in\nthe file itself are hidden; references to the environment stay.",
		Example: "  tidings config export > merged.yaml",
		Args:    exactly(),
		RunE: func(cmd *cobra.Command, _ []string) error {
			c, _, err := a.effective(cmd.Context())
			if err != nil {
				return err
			}
			text, err := c.Export()
			if err != nil {
				return err
			}
			if a.json {
				return a.print(map[string]string{"yaml": string(text)}, nil)
			}
			_, err = a.stdout.Write(text)
			return err
		},
	}
}

// commandLine is who changes settings by a command.
const commandLine = "command line"

func newConfigSet(a *cli) *cobra.Command {
	return &cobra.Command{
		Use:     "set KEY VALUE",
		Short:   "Set a value over the file's, as in the admin",
		Long:    "Set stores a value that applies in place of the file's, after the checks of \"config check\". Running nodes take it within a\nsecond or two. VALUE is YAML. Digests and feeds are named in brackets.",
		Example: "  tidings config set site.title 'The Harbour Gazette'\n  tidings config set 'digests[weekly].schedule' '0 9 * * 5'",
		Args:    exactly("KEY", "VALUE"),
		RunE: func(cmd *cobra.Command, args []string) error {
			var value any
			err := yaml.Unmarshal([]byte(args[1]), &value)
			text, err2 := json.Marshal(value)
			if err != nil || err2 != nil {
				return usagef("%q is not a YAML value; put quotes around a text with special characters", args[1])
			}
			_, several := value.(map[string]any)
			if setting, ok := config.SettableOf(args[0]); ok && setting.IsText() && !several {
				text, _ = json.Marshal(args[1]) // a text such as 1984 or yes is no number
			}
			return a.changeSetting(cmd.Context(), settings.Change{Key: args[0], Value: string(text)})
		},
	}
}

func newConfigUnset(a *cli) *cobra.Command {
	return &cobra.Command{
		Use:     "unset KEY",
		Short:   "Use the file's value again in place of one that was set in the admin",
		Example: "  tidings config unset site.title",
		Args:    exactly("KEY"),
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.changeSetting(cmd.Context(), settings.Change{Key: args[0]})
		},
	}
}

// changeSetting changes one setting. It works also if the stored settings have errors now.
func (a *cli) changeSetting(ctx context.Context, change settings.Change) error {
	file, err := a.config()
	if err != nil {
		return err
	}
	s, err := store.Open(ctx, file.Store.DSN.Reveal(), app.StoreOptions(file))
	if err != nil {
		return a.explainMigration(err)
	}
	defer s.Close()
	manager := app.NewSettings(s, file, nil)
	var rows []store.Setting
	if change.Value == "" {
		rows, err = manager.Unset(ctx, commandLine, change.Key)
	} else {
		var revision int64
		if revision, err = s.SettingsRevision(ctx); err == nil {
			rows, err = manager.Change(ctx, revision, commandLine, []settings.Change{change})
		}
	}
	if err != nil {
		return err
	}
	return a.print(map[string]any{"changed": len(rows)}, func(w io.Writer) {
		switch {
		case len(rows) == 0:
			fmt.Fprintln(w, change.Key, "is unchanged")
		case rows[0].Value == "":
			fmt.Fprintln(w, change.Key, "has the file's value again")
		default:
			fmt.Fprintln(w, change.Key, "is set to", rows[0].Value)
		}
	})
}
