package store

import (
	"context"
	"database/sql"
	"time"

	"github.com/tidings-press/tidings/internal/store/sqldb"
)

// BackupState is the state of a backup on schedule.
type BackupState string

// The states of backups on schedule.
const (
	BackupRunning BackupState = "running"
	BackupDone    BackupState = "done"
	BackupFailed  BackupState = "failed"
)

// ScheduledBackup is the backup of a scheduled time.
type ScheduledBackup struct {
	Tick              time.Time
	State             BackupState
	Tries             int64
	Started, Finished time.Time // of the last try; Finished is zero before the first one has ended
	Name              string    // of the file
	Bytes             int64
	Error             string // of the last try that ended; empty if it succeeded
}

// ClaimBackup leases the backup of a scheduled time for a holder. It returns false if it is done,
// another holder has it, or its next try is not due.
func (s *Store) ClaimBackup(ctx context.Context, tick time.Time, holder string, lease time.Duration) (claimed bool, err error) {
	err = s.write(ctx, func(tx *conn) error {
		now := s.Now()
		var tries int64
		var err error
		claimed, err = tx.One(ctx, "backup.claim", []any{millis(tick), holder, millis(now.Add(lease)), millis(now)}, &tries)
		return err
	})
	return claimed, sqldb.Wrap("claim a backup", err)
}

// RenewBackup renews the lease. It returns false if the lease is lost.
func (s *Store) RenewBackup(ctx context.Context, tick time.Time, holder string, lease time.Duration) (renewed bool, err error) {
	err = s.write(ctx, func(tx *conn) error {
		n, err := tx.Exec(ctx, "backup.renew", millis(tick), holder, millis(s.Now().Add(lease)))
		renewed = n == 1
		return err
	})
	return renewed, err
}

// backupsKept is how long the results of backups are kept.
const backupsKept = 400 * 24 * time.Hour

// FinishBackup records the result of a claimed backup: its file, or the error and the time after
// which it is tried again. Old results are removed.
func (s *Store) FinishBackup(ctx context.Context, holder string, b ScheduledBackup, retry time.Duration) error {
	state := BackupDone
	if b.Error != "" {
		state = BackupFailed
	}
	err := s.write(ctx, func(tx *conn) error {
		now := s.Now()
		if _, err := tx.Exec(ctx, "backup.finish", millis(b.Tick), holder, string(state), millis(now.Add(retry)), millis(now), b.Name, b.Bytes, b.Error); err != nil {
			return err
		}
		_, err := tx.Exec(ctx, "backup.prune", millis(now.Add(-backupsKept)))
		return err
	})
	return sqldb.Wrap("record a backup", err)
}

// ScheduledBackups returns the latest backups on schedule, the last scheduled time first.
func (s *Store) ScheduledBackups(ctx context.Context, limit int) ([]ScheduledBackup, error) {
	var out []ScheduledBackup
	err := s.readers.Each(ctx, "backup.latest", []any{limit}, func(rows *sql.Rows) error {
		var b ScheduledBackup
		var tick, started, finished int64
		err := rows.Scan(&tick, &b.State, &b.Tries, &started, &finished, &b.Name, &b.Bytes, &b.Error)
		b.Tick, b.Started, b.Finished = timeOf(tick), timeOf(started), timeOf(finished)
		out = append(out, b)
		return err
	})
	return out, sqldb.Wrap("backups", err)
}
