package main

import (
	"errors"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"github.com/tidings-press/tidings/internal/app"
	"github.com/tidings-press/tidings/internal/store"
)

const migrateLong = `Migrate updates the schema of the store after an upgrade of the program. All content is kept. First
stop every tidings process on the store and make a backup: an older program refuses a store with
newer migrations.

All other commands refuse a store whose schema is out of date. An empty store gets its schema from
the first command that opens it.`

func newMigrate(a *cli) *cobra.Command {
	return &cobra.Command{
		Use:     "migrate",
		Short:   "Update the store's schema after an upgrade",
		Long:    migrateLong,
		Example: "  tidings backup before-upgrade.tidings && tidings migrate",
		Args:    exactly(),
		RunE: func(c *cobra.Command, _ []string) error {
			conf, err := a.config()
			if err != nil {
				return err
			}
			applied, err := store.Migrate(c.Context(), conf.Store.DSN.Reveal(), app.StoreOptions(conf))
			if err != nil {
				return fmt.Errorf("%s: %w", conf.Position("store.dsn"), err)
			}
			if applied == nil {
				applied = []string{}
			}
			return a.print(map[string][]string{"applied": applied}, func(w io.Writer) {
				for _, name := range applied {
					fmt.Fprintln(w, "applied", name)
				}
				fmt.Fprintln(w, "the schema is up to date")
			})
		},
	}
}

// explainMigration adds the exact command when a store's schema is out of date.
func (a *cli) explainMigration(err error) error {
	var due *store.MigrationDueError
	if errors.As(err, &due) && a.configPath != "" {
		return fmt.Errorf("%w; here: tidings --config %s migrate", err, a.configPath)
	}
	return err
}
