package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"github.com/tidings-press/tidings/internal/archive"
	"github.com/tidings-press/tidings/internal/store"
)

const backupVerifyLong = `Verify checks a backup file:

  - its structure, the checksum of each table, and the seal of the whole file: it finds every changed
    bit and every missing byte, and names the table;
  - that it can be restored: it restores the file into a temporary SQLite store, and with --postgres into
    a temporary schema of that PostgreSQL database, compares each row and removes the store again;
  - its age, with --max-age.

It needs no configuration. The temporary SQLite store has the size of the original, in $TMPDIR; --quick
leaves it out. An encrypted file needs the private key.

Exit codes: 0 the file is whole and can be restored; 1 it is damaged, cannot be opened or cannot be
restored; 2 wrong usage; 3 it is whole, but older than --max-age.`

const identityUsage = "`file` with the private key of age that opens an encrypted backup"

// identities reads the private keys in a file; none if the name is empty.
func identities(path string) ([]archive.Identity, error) {
	if path == "" {
		return nil, nil
	}
	keys, err := archive.LoadIdentities(path)
	if err != nil {
		return nil, usagef("--identity: %w", err)
	}
	return keys, nil
}

// verifyOptions are the flags of "backup verify".
type verifyOptions struct {
	identity, postgres string
	maxAge             time.Duration
	quick              bool
}

func newBackupVerify(a *cli) *cobra.Command {
	var o verifyOptions
	c := &cobra.Command{
		Use:   "verify FILE",
		Short: "Check a backup file, and that it can be restored",
		Long:  backupVerifyLong,
		Example: "  tidings backup verify /backups/tidings-2026-03-01.tidings\n" +
			"  tidings backup verify --identity key.txt --max-age 26h /backups/tidings-2026-03-01.tidings.age",
		Args: exactly("FILE"),
		RunE: func(c *cobra.Command, args []string) error { return a.verifyBackup(c, args[0], o) },
	}
	c.Flags().StringVar(&o.identity, "identity", "", identityUsage)
	c.Flags().StringVar(&o.postgres, "postgres", "", "also restore into a temporary schema of this database, such as `postgres://user@host/name`")
	c.Flags().DurationVar(&o.maxAge, "max-age", 0, "exit with 3 if the backup is older, such as 26h")
	c.Flags().BoolVar(&o.quick, "quick", false, "check the file only, and restore it nowhere")
	return c
}

func (a *cli) verifyBackup(c *cobra.Command, path string, o verifyOptions) error {
	if o.quick && o.postgres != "" {
		return usagef("--quick and --postgres exclude each other; leave one out")
	}
	info, err := os.Stat(path)
	if err != nil {
		return usagef("%w", err)
	}
	keys, err := identities(o.identity)
	if err != nil {
		return err
	}
	var summary archive.Summary
	var restored []string
	if o.quick {
		summary, err = archive.Check(path, keys...)
	}
	for engine, dsn := range map[store.Engine]string{store.SQLite: "sqlite:", store.Postgres: o.postgres} {
		if o.quick || dsn == "" || err != nil {
			continue
		}
		var tried store.RestoredStore
		if tried, err = store.TryRestore(c.Context(), dsn, path, store.RestoreOptions{Keys: keys}); err == nil {
			summary, restored = tried.Summary, append(restored, string(engine))
		}
	}
	if err != nil {
		return err
	}
	slices.Sort(restored)
	age := time.Since(summary.Header.Taken)
	shown := shownArchive(path, info.Size(), summary)
	shown["age_seconds"], shown["restored_into"] = int64(age.Seconds()), append([]string{}, restored...)
	if err := a.print(shown, func(w io.Writer) { printVerified(w, path, info.Size(), summary, restored, age) }); err != nil {
		return err
	}
	if o.maxAge > 0 && age > o.maxAge {
		return &outdatedError{o.maxAge}
	}
	return nil
}

// outdatedError reports a backup that is whole, but older than wanted: exit code 3.
type outdatedError struct{ limit time.Duration }

func (e *outdatedError) Error() string { return fmt.Sprintf("the backup is older than %s", e.limit) }

// Is makes it an errPartly.
func (e *outdatedError) Is(target error) bool { return target == errPartly }

// engineNames are the names of the engines in messages.
var engineNames = map[string]string{string(store.SQLite): "SQLite", string(store.Postgres): "PostgreSQL"}

func printVerified(w io.Writer, path string, size int64, s archive.Summary, restored []string, age time.Duration) {
	printArchiveText(w, path, size, s)
	fmt.Fprintf(w, "%s old\n", age.Round(time.Second))
	for _, engine := range restored {
		fmt.Fprintf(w, "restored into a temporary %s store, all rows equal\n", engineNames[engine])
	}
	var names []string
	for name, rows := range s.Tables {
		if rows > 0 {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	for _, name := range names {
		fmt.Fprintf(w, "  %s\t%d\n", name, s.Tables[name])
	}
}

func newBackupKeygen(a *cli) *cobra.Command {
	return &cobra.Command{
		Use:   "keygen FILE",
		Short: "Make a key pair for encrypted backups",
		Long: `Keygen writes a new private key of age to a file that only you can read, and prints its public key. Write
the public key into backup.recipients. Keep the private key on another machine and on paper: without it,
no encrypted backup can be restored. "age-keygen" makes the same kind of key.`,
		Example: "  tidings backup keygen backup-key.txt",
		Args:    exactly("FILE"),
		RunE: func(_ *cobra.Command, args []string) error {
			private, public, err := archive.NewKey()
			if err != nil {
				return err
			}
			file, err := os.OpenFile(args[0], os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
			if errors.Is(err, os.ErrExist) {
				return usagef("%s exists already, and may hold the key of your backups; choose another name", args[0])
			}
			if err != nil {
				return err
			}
			_, err = file.WriteString(private)
			if err := errors.Join(err, file.Sync(), file.Close()); err != nil {
				return err
			}
			return a.print(map[string]string{"file": args[0], "recipient": public}, func(w io.Writer) {
				fmt.Fprintf(w, "the private key is in %s; the public key, for backup.recipients, is\n%s\n", args[0], public)
			})
		},
	}
}
