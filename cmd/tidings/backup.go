package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"github.com/spf13/cobra"

	"github.com/tidings-press/tidings/internal/app"
	"github.com/tidings-press/tidings/internal/archive"
	"github.com/tidings-press/tidings/internal/store"
)

const backupLong = `Backup writes the whole store to one file: articles, subscribers, editions, keys. The service may
run and send meanwhile; the file shows the store at one moment. It is written under another name,
read back and checked before it gets its own, and only its owner may read it.

A backup of either engine can be restored into either engine. Do not copy the files of a running
SQLite store instead: what is in its log (-wal) would be missing. Configuration and templates are
files of yours; back them up as well. docs/backup.md says more.`

func newBackup(a *cli) *cobra.Command {
	return &cobra.Command{
		Use:     "backup FILE",
		Short:   "Write the whole store to a file, while it is in use",
		Long:    backupLong,
		Example: "  tidings backup /backups/tidings-2026-03-01.tidings",
		Args:    exactly("FILE"),
		RunE: func(c *cobra.Command, args []string) error {
			if info, err := os.Stat(args[0]); err == nil && info.IsDir() {
				return usagef("%s is a folder; name a file in it, such as %s", args[0], filepath.Join(args[0], "tidings-"+time.Now().Format(time.DateOnly)+".tidings"))
			}
			conf, err := a.config()
			if err != nil {
				return err
			}
			summary, err := archive.Create(args[0], func(w io.Writer) error {
				return store.Backup(c.Context(), conf.Store.DSN.Reveal(), app.StoreOptions(conf), w)
			})
			if errors.Is(err, archive.ErrExists) {
				return usagef("%w; choose another name", err)
			}
			if err != nil {
				return err
			}
			return a.printArchive(args[0], summary)
		},
	}
}

// printArchive says what an archive holds.
func (a *cli) printArchive(path string, s archive.Summary) error {
	info, err := os.Stat(path)
	if err != nil {
		return err
	}
	shown := map[string]any{"file": path, "bytes": info.Size(), "taken": s.Header.Taken, "engine": s.Header.Engine, "rows": s.Rows, "tables": s.Tables}
	return a.print(shown, func(w io.Writer) {
		fmt.Fprintf(w, "%s: %d rows, %s, as of %s; checked\n", path, s.Rows, megabytes(info.Size()), s.Header.Taken.Format(time.RFC3339))
		fmt.Fprintf(w, "%d articles, %d subscribers, %d editions\n", s.Tables["articles"], s.Tables["subscribers"], s.Tables["editions"])
	})
}

func megabytes(n int64) string { return fmt.Sprintf("%.1f MB", float64(n)/1e6) }

const restoreLong = `Restore makes the store of the configuration from a file that "tidings backup" wrote, and brings its
schema up to date. The file is checked as a whole first. Stop every tidings process before.

A store that is there and holds anything is left alone unless --replace is given; it is then moved
aside, not deleted.

A restored store is quarantined. No tick fires and no mail is sent, by any process, until an owner
has looked at what left since the backup and released it: see "tidings quarantine". Those who
unsubscribed, were suppressed or erased since the backup are taken from the journal. On PostgreSQL
with several machines, copy the journals of all of them here and name each with --journal.`

func newRestore(a *cli) *cobra.Command {
	var replace, check bool
	var journals []string
	c := &cobra.Command{
		Use:     "restore FILE",
		Short:   "Make the store from a backup; nothing is sent until an owner releases it",
		Long:    restoreLong,
		Example: "  tidings restore /backups/tidings-2026-03-01.tidings\n  tidings restore --check /backups/tidings-2026-03-01.tidings",
		Args:    exactly("FILE"),
		RunE: func(c *cobra.Command, args []string) error {
			if check {
				summary, err := archive.Check(args[0])
				if err != nil {
					return err
				}
				return a.printArchive(args[0], summary)
			}
			conf, err := a.config()
			if err != nil {
				return err
			}
			options := store.RestoreOptions{Options: app.StoreOptions(conf), Replace: replace, Journals: journals}
			restored, err := store.Restore(c.Context(), conf.Store.DSN.Reveal(), args[0], options)
			if err != nil {
				return err
			}
			return a.printRestored(restored)
		},
	}
	c.Flags().BoolVar(&replace, "replace", false, "move a store that is there aside")
	c.Flags().BoolVar(&check, "check", false, "only check the file")
	c.Flags().StringArrayVar(&journals, "journal", nil, "folder of another journal of the store that was lost; may be given again")
	return c
}

func (a *cli) printRestored(r store.RestoredStore) error {
	shown := map[string]any{"taken": r.Header.Taken, "rows": r.Rows, "aside": r.Aside, "journal": r.Journal, "applied": append([]string{}, r.Migrations...)}
	return a.print(shown, func(w io.Writer) {
		if r.Aside != "" {
			fmt.Fprintln(w, "the store that was there is now", r.Aside)
		}
		fmt.Fprintf(w, "restored %d rows, as of %s\n", r.Rows, r.Header.Taken.Format(time.RFC3339))
		if r.Journal {
			fmt.Fprintln(w, "the journal told what happened since")
		} else {
			fmt.Fprintln(w, "no journal tells what happened since: mails and unsubscribes after that time are not known")
		}
		fmt.Fprintln(w, "Nothing is sent until an owner releases the store: tidings quarantine show")
	})
}
