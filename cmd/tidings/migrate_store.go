package main

import (
	"cmp"
	"context"

	"github.com/spf13/cobra"

	"github.com/tidings-press/tidings/internal/app"
	"github.com/tidings-press/tidings/internal/config"
	"github.com/tidings-press/tidings/internal/store"
)

const migrateStoreLong = `Migrate-store copies the whole content of a store into an empty one: from SQLite to PostgreSQL, back, or
within an engine. It compares all rows. Stop every tidings process first, and set store.dsn to the new
store afterwards. Queued mails and half-sent editions continue there; no quarantine is needed.

The former store keeps its content. It is marked as moved, so that no process opens it or sends from it.
--undo removes the mark; use it only if nothing was sent from the new store.`

func newMigrateStore(a *cli) *cobra.Command {
	var from, to string
	var undo bool
	c := &cobra.Command{
		Use:     "migrate-store",
		Short:   "Move the store to another engine or place",
		Long:    migrateStoreLong,
		Example: "  tidings migrate-store --to postgres://tidings@localhost/tidings",
		Args:    exactly(),
		RunE: func(c *cobra.Command, _ []string) error {
			if undo == (to != "") {
				return usagef("name the new store with --to, or pass --undo")
			}
			conf, err := a.config()
			if err != nil {
				return err
			}
			from := cmp.Or(from, conf.Store.DSN.Reveal())
			if undo {
				if err := store.UndoMove(auditedMove(c.Context(), "store.move-undo", ""), from, app.StoreOptions(conf)); err != nil {
					return err
				}
				return a.report(map[string]any{"store": store.Redact(from), "moved": false}, "%s can be used again", store.Redact(from))
			}
			moved, err := store.Move(auditedMove(c.Context(), "store.move", "from "+store.Redact(from)+" to "+store.Redact(to)), from, to, app.StoreOptions(conf))
			if err != nil {
				return err
			}
			return a.report(map[string]any{"from": store.Redact(from), "to": store.Redact(to), "rows": moved.Rows},
				"%s moved to %s, all equal; set %s. %s is marked and not opened any more.", some(moved.Rows, "row", "rows"), store.Redact(to), afterMove(conf.Store, to), store.Redact(from))
		},
	}
	c.Flags().StringVar(&from, "from", "", "`DSN` of the store to move (default store.dsn)")
	c.Flags().StringVar(&to, "to", "", "`DSN` of the new store, such as sqlite:tidings.db or postgres://user@host/name")
	c.Flags().BoolVar(&undo, "undo", false, "remove the mark of a store that was moved")
	return c
}

// afterMove names what has to be set in the configuration after the move to a DSN. PostgreSQL has no
// default of store.journal, so a journal that had the default's place would be left behind.
func afterMove(former config.Store, to string) string {
	moved := config.Store{DSN: config.DSN(to), Journal: former.Journal}
	if folder := former.JournalFolder(); folder != "" && moved.JournalFolder() == "" {
		return "store.dsn to it, and store.journal to " + folder
	}
	return "store.dsn to it"
}

// auditedMove returns a context for Move and UndoMove, which add an entry to the audit log.
func auditedMove(ctx context.Context, action, detail string) context.Context {
	ctx, _ = store.WithAudit(ctx, store.AuditEntry{Who: store.AuditCommandLine, Action: action, Detail: detail})
	return ctx
}
