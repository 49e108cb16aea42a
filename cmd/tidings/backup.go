package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/tidings-press/tidings/internal/app"
	"github.com/tidings-press/tidings/internal/archive"
	"github.com/tidings-press/tidings/internal/config"
	"github.com/tidings-press/tidings/internal/store"
)

const backupLong = `Backup writes the whole store to one file: articles with their pictures and sounds, subscribers,
editions, keys. The service may keep running and sending; the file is a consistent snapshot. It is
written under a temporary name, read back and checked before it gets its own. Only its owner may read it.

The file has the addresses of your subscribers. It is encrypted to the public keys of age that
backup.recipients or --recipient names; without any, it is not encrypted. "tidings backup keygen"
makes a key pair. Restoring needs the private key.

A backup of either engine can be restored into either engine. Do not copy the files of a running
SQLite store instead: its log (-wal) would be missing. Back up your configuration and templates as
well. See docs/backup.md.`

func newBackup(a *cli) *cobra.Command {
	var recipients []string
	c := &cobra.Command{
		Use:     "backup FILE",
		Short:   "Write the whole store to a file while it is in use",
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
			keys, err := archive.ParseRecipients(append(recipients, conf.Backup.Recipients...))
			if err != nil {
				return usagef("--recipient or backup.recipients: %w", err)
			}
			summary, err := archive.Create(args[0], func(w io.Writer) error {
				return store.Backup(c.Context(), conf.Store.DSN.Reveal(), app.StoreOptions(conf), w)
			}, keys...)
			if errors.Is(err, archive.ErrExists) {
				return usagef("%w; choose another name", err)
			}
			if err != nil {
				return err
			}
			a.recordBackup(c.Context(), conf, args[0])
			if !summary.Encrypted {
				a.warn("The backup is not encrypted. It holds the data of %s; keep it where only you can read it, or set backup.recipients.", some(summary.Tables["subscribers"], "subscriber", "subscribers"))
			}
			return a.printArchive(args[0], summary)
		},
	}
	c.Flags().StringArrayVar(&recipients, "recipient", nil, "encrypt to this public `key` of age too; may be repeated")
	c.AddCommand(newBackupVerify(a), newBackupKeygen(a), newBackupNow(a), newBackupStatus(a))
	return c
}

// recordBackup adds the entry of a backup to the audit log of the store. The backup is good without it: the store
// may be on a full disk, or open only for reading.
func (a *cli) recordBackup(ctx context.Context, conf *config.Config, file string) {
	if path, err := filepath.Abs(file); err == nil {
		file = path
	}
	entry := store.AuditEntry{Who: store.AuditCommandLine, Action: "backup.make", Detail: "to " + file}
	if err := store.RecordBackup(ctx, conf.Store.DSN.Reveal(), app.StoreOptions(conf), entry); err != nil {
		a.warn("The backup is complete, but the audit log has no entry about it: %v", err)
	}
}

// printArchive prints what an archive holds.
func (a *cli) printArchive(path string, s archive.Summary) error {
	info, err := os.Stat(path)
	if err != nil {
		return err
	}
	shown := shownArchive(path, info.Size(), s)
	return a.print(shown, func(w io.Writer) { printArchiveText(w, path, info.Size(), s) })
}

// shownArchive is an archive in the form that the commands print as JSON.
func shownArchive(path string, size int64, s archive.Summary) map[string]any {
	return map[string]any{"file": path, "bytes": size, "taken": s.Header.Taken, "engine": s.Header.Engine, "rows": s.Rows, "tables": s.Tables, "encrypted": s.Encrypted}
}

func printArchiveText(w io.Writer, path string, size int64, s archive.Summary) {
	encrypted := "not encrypted"
	if s.Encrypted {
		encrypted = "encrypted"
	}
	fmt.Fprintf(w, "%s: %s, %s, as of %s; %s, checked\n", path, some(s.Rows, "row", "rows"), megabytes(size), s.Header.Taken.Format(time.RFC3339), encrypted)
	fmt.Fprintf(w, "%s, %s, %s, %s\n", some(s.Tables["articles"], "article", "articles"), some(s.Tables["media"], "media file", "media files"),
		some(s.Tables["subscribers"], "subscriber", "subscribers"), some(s.Tables["editions"], "edition", "editions"))
}

func megabytes(n int64) string { return fmt.Sprintf("%.1f MB", float64(n)/1e6) }

const restoreLong = `Restore creates the configured store from a file that "tidings backup" wrote, and updates its
schema. The whole file is checked first. Stop every tidings process before.

A store that is not empty is refused unless --replace is given; it is then renamed, not deleted.

A restored store is quarantined: no process starts an edition or sends a mail until an owner has
reviewed what was sent since the backup and released the store (see "tidings quarantine").
Unsubscriptions, suppressions and erasures since the backup are taken from the journal. On PostgreSQL
with several machines, copy all their journals to this machine and name each with --journal.`

func newRestore(a *cli) *cobra.Command {
	var replace, check bool
	var journals []string
	var identity string
	c := &cobra.Command{
		Use:     "restore FILE",
		Short:   "Create the store from a backup; nothing is sent until an owner releases it",
		Long:    restoreLong,
		Example: "  tidings restore /backups/tidings-2026-03-01.tidings\n  tidings restore --check /backups/tidings-2026-03-01.tidings",
		Args:    exactly("FILE"),
		RunE: func(c *cobra.Command, args []string) error {
			keys, err := identities(identity)
			if err != nil {
				return err
			}
			if check {
				summary, err := archive.Check(args[0], keys...)
				if err != nil {
					return err
				}
				return a.printArchive(args[0], summary)
			}
			conf, err := a.config()
			if err != nil {
				return err
			}
			options := store.RestoreOptions{Options: app.StoreOptions(conf), Replace: replace, Journals: journals, Keys: keys}
			restored, err := store.Restore(c.Context(), conf.Store.DSN.Reveal(), args[0], options)
			if err != nil {
				return err
			}
			searched := journals
			if options.Journal != "" {
				searched = append([]string{options.Journal}, journals...)
			}
			return a.printRestored(restored, searched)
		},
	}
	c.Flags().BoolVar(&replace, "replace", false, "rename an existing store")
	c.Flags().BoolVar(&check, "check", false, "only check the file; \"tidings backup verify\" checks more")
	c.Flags().StringVar(&identity, "identity", "", identityUsage)
	c.Flags().StringArrayVar(&journals, "journal", nil, "folder of another journal of the lost store; may be repeated")
	return c
}

// printRestored prints what was restored, and whether a journal in the folders that were searched covers the time
// since the backup.
func (a *cli) printRestored(r store.RestoredStore, searched []string) error {
	shown := map[string]any{"taken": r.Header.Taken, "rows": r.Rows, "aside": r.Aside, "journal": r.Journal, "applied": append([]string{}, r.Migrations...)}
	return a.print(shown, func(w io.Writer) {
		if r.Aside != "" {
			fmt.Fprintln(w, "the old store is now", r.Aside)
		}
		fmt.Fprintf(w, "restored %s, as of %s\n", some(r.Rows, "row", "rows"), r.Header.Taken.Format(time.RFC3339))
		switch folders := strings.Join(searched, ", "); {
		case r.Journal:
			fmt.Fprintln(w, "the journal covers the time since then:", folders)
		case folders == "":
			fmt.Fprintln(w, "no journal was read, since store.journal is not set: mails and unsubscriptions after that time are not known")
		default:
			fmt.Fprintf(w, "no journal covers the time since then, searched %s: mails and unsubscriptions after that time are not known\n", folders)
		}
		if !r.Journal {
			fmt.Fprintln(w, "if the lost store had a journal elsewhere, restore again before the release, with --replace --journal FOLDER")
		}
		fmt.Fprintln(w, "Nothing is sent until an owner releases the store: tidings quarantine show")
	})
}
