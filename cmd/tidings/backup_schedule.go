package main

import (
	"context"
	"fmt"
	"io"
	"time"

	"github.com/spf13/cobra"

	"github.com/tidings-press/tidings/internal/app"
	"github.com/tidings-press/tidings/internal/store"
)

func newBackupNow(a *cli) *cobra.Command {
	return &cobra.Command{
		Use:   "now",
		Short: "Make a backup as on schedule: to backup.folder and backup.s3",
		Long: `Now makes a backup at once, stores it where the backups on schedule are stored, and removes expired ones
there. Use it to try the settings.`,
		Example: "  tidings backup now",
		Args:    exactly(),
		RunE: func(c *cobra.Command, _ []string) error {
			return a.with(c.Context(), func(p *app.Service) error {
				runner, err := p.Backups()
				if err != nil {
					return &usageError{err}
				}
				b, err := runner.Now(c.Context())
				if err != nil {
					return err
				}
				if len(p.Config.Backup.Recipients) == 0 {
					a.warn("The backup is not encrypted and holds the addresses of your subscribers; set backup.recipients.")
				}
				return a.report(map[string]any{"file": b.Name, "bytes": b.Bytes}, "%s: %s, checked and stored", b.Name, megabytes(b.Bytes))
			})
		},
	}
}

// shownBackup is a backup on schedule in the form that the commands print.
type shownBackup struct {
	Scheduled time.Time  `json:"scheduled"`
	State     string     `json:"state"`
	Tries     int64      `json:"tries"`
	Finished  *time.Time `json:"finished,omitempty"`
	File      string     `json:"file,omitempty"`
	Bytes     int64      `json:"bytes"`
	Error     string     `json:"error,omitempty"`
}

func newBackupStatus(a *cli) *cobra.Command {
	var limit int
	c := &cobra.Command{
		Use:   "status",
		Short: "List the latest backups on schedule and their results",
		Long: `Status lists the latest backups on schedule, the last one first. The exit code is 1 if the last one
failed.`,
		Example: "  tidings backup status",
		Args:    exactly(),
		RunE: func(c *cobra.Command, _ []string) error {
			return a.with(c.Context(), func(p *app.Service) error { return a.backupStatus(c.Context(), p, limit) })
		},
	}
	limitFlag(c, &limit, 10, 1, "maximum number to list")
	return c
}

func (a *cli) backupStatus(ctx context.Context, p *app.Service, limit int) error {
	found, err := p.Store.ScheduledBackups(ctx, limit)
	if err != nil {
		return err
	}
	shown := []shownBackup{}
	for _, b := range found {
		one := shownBackup{Scheduled: b.Tick, State: string(b.State), Tries: b.Tries, File: b.Name, Bytes: b.Bytes, Error: b.Error}
		if !b.Finished.IsZero() {
			one.Finished = &b.Finished
		}
		shown = append(shown, one)
	}
	if err := a.print(shown, func(w io.Writer) { printBackups(w, p, shown) }); err != nil {
		return err
	}
	if len(found) > 0 && found[0].State == store.BackupFailed {
		return fmt.Errorf("the last backup failed: %s", found[0].Error)
	}
	return nil
}

func printBackups(w io.Writer, p *app.Service, backups []shownBackup) {
	if len(backups) == 0 {
		fmt.Fprintln(w, "No backup on schedule was made yet.")
	}
	for _, b := range backups {
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\n", b.Scheduled.In(p.Zone()).Format(time.DateTime), b.State, megabytes(b.Bytes), b.File, b.Error)
	}
}
