// Package backups makes the backups on schedule and removes old ones. New makes a Runner from the
// configuration; Runner.Run makes backups when they are due, Runner.Make makes one now.
package backups

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/tidings-press/tidings/internal/archive"
	"github.com/tidings-press/tidings/internal/config"
	"github.com/tidings-press/tidings/internal/schedule"
	"github.com/tidings-press/tidings/internal/store"
)

// Runner makes the backups of one node.
type Runner struct {
	store      *store.Store
	dsn        string
	schedule   *schedule.Schedule // nil without one
	keep       config.BackupKeep
	recipients []archive.Recipient
	folder     string // empty for a bucket only
	targets    []target
	log        *slog.Logger
	holder     string
	started    time.Time
}

// New makes a Runner. It does not run yet.
func New(s *store.Store, c *config.Config, log *slog.Logger) (*Runner, error) {
	b := c.Backup
	r := &Runner{store: s, dsn: c.Store.DSN.Reveal(), keep: b.Keep, folder: b.Folder, log: log, holder: rand.Text(), started: s.Now()}
	var err error
	if b.Schedule != "" {
		if r.schedule, err = schedule.Parse(b.Schedule, c.Site.Timezone); err != nil {
			return nil, err
		}
	}
	if r.recipients, err = archive.ParseRecipients(b.Recipients); err != nil {
		return nil, err
	}
	if b.Folder != "" {
		r.targets = append(r.targets, folder{b.Folder})
	}
	if b.S3 != nil {
		to, err := newBucket(*b.S3)
		if err != nil {
			return nil, err
		}
		r.targets = append(r.targets, to)
	}
	if len(r.targets) == 0 {
		return nil, errors.New("the configuration has neither backup.folder nor backup.s3; set one of them")
	}
	return r, nil
}

const (
	checkEvery = 10 * time.Second
	lease      = 2 * time.Minute
	retryAfter = 15 * time.Minute
)

// Run makes backups when they are due, until the context ends.
func (r *Runner) Run(ctx context.Context) {
	ticker := time.NewTicker(checkEvery)
	defer ticker.Stop()
	for r.schedule != nil {
		if err := r.RunDue(ctx); err != nil && ctx.Err() == nil {
			r.log.Error("the backup failed", "error", err)
		}
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
	}
}

// RunDue makes the backup of the last scheduled time, unless it is made already or another node
// makes it. The error of a backup that failed is recorded in the store too.
func (r *Runner) RunDue(ctx context.Context) error {
	last, err := r.store.ScheduledBackups(ctx, 1)
	if err != nil {
		return err
	}
	after := r.started
	if len(last) > 0 {
		after = last[0].Tick
		if last[0].State != store.BackupDone {
			after = after.Add(-time.Millisecond) // it is tried again, unless there is a later one
		}
	}
	tick, due := r.schedule.Latest(after, r.store.Now())
	if !due {
		return nil
	}
	_, err = r.claimAndMake(ctx, tick.At)
	return err
}

// Now makes a backup outside of the schedule, and records it like the others.
func (r *Runner) Now(ctx context.Context) (store.ScheduledBackup, error) {
	return r.claimAndMake(ctx, r.store.Now())
}

// claimAndMake makes the backup of a scheduled time if it can be claimed.
func (r *Runner) claimAndMake(ctx context.Context, tick time.Time) (store.ScheduledBackup, error) {
	b := store.ScheduledBackup{Tick: tick}
	claimed, err := r.store.ClaimBackup(ctx, tick, r.holder, lease)
	if err != nil || !claimed {
		return b, err
	}
	working, cancel := context.WithCancelCause(ctx)
	renewed := make(chan struct{})
	go func() {
		defer close(renewed)
		r.renew(working, cancel, tick)
	}()
	b.Name, b.Bytes, err = r.make(working)
	if cause := context.Cause(working); err != nil && cause != nil {
		err = cause
	}
	cancel(nil)
	<-renewed
	retry := time.Duration(0)
	if err != nil {
		b.Error, retry = err.Error(), retryAfter
	}
	// The result is recorded even if the process is ending: another node then tries again.
	record, done := context.WithTimeout(context.WithoutCancel(ctx), checkEvery)
	defer done()
	if err := errors.Join(err, r.store.FinishBackup(record, r.holder, b, retry)); err != nil {
		return b, err
	}
	r.log.Info("backup made", "file", b.Name, "bytes", b.Bytes)
	return b, nil
}

// renew renews the lease of a backup, and ends the work when it is lost.
func (r *Runner) renew(ctx context.Context, cancel context.CancelCauseFunc, tick time.Time) {
	ticker := time.NewTicker(lease / 4)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
		if ok, err := r.store.RenewBackup(ctx, tick, r.holder, lease); err == nil && !ok {
			cancel(errors.New("another node has taken over the backup"))
			return
		}
	}
}

// make makes a backup, stores it in all targets, and removes what is expired there.
func (r *Runner) make(ctx context.Context) (name string, size int64, err error) {
	name = fileName(r.store.Now(), len(r.recipients) > 0)
	work := r.folder
	if work == "" { // it is uploaded from a temporary folder
		if work, err = os.MkdirTemp("", "tidings-backup-"); err != nil {
			return name, 0, err
		}
		defer func() { err = errors.Join(err, os.RemoveAll(work)) }()
	}
	path := filepath.Join(work, name)
	if _, err := archive.Create(path, func(w io.Writer) error {
		return store.Backup(ctx, r.dsn, store.Options{Clock: r.store.Now}, w)
	}, r.recipients...); err != nil {
		return name, 0, explainReadOnly(work, err)
	}
	info, err := os.Stat(path)
	if err != nil {
		return name, 0, err
	}
	// A bucket that fails for weeks must not let the folder grow with each retry.
	var errs []error
	for _, to := range r.targets {
		err := to.put(ctx, path)
		if err == nil {
			err = r.removeExpired(ctx, to, name)
		}
		errs = append(errs, err)
	}
	return name, info.Size(), errors.Join(errs...)
}

// removeExpired removes expired backups from a target in which a new one was stored. It removes nothing
// if the target does not list the new one.
func (r *Runner) removeExpired(ctx context.Context, to target, made string) error {
	names, err := to.list(ctx)
	if err != nil {
		return err
	}
	if !slices.Contains(names, made) {
		return fmt.Errorf("%s was stored, but is not listed; no backup is removed", made)
	}
	// A later name is from a time when the clock was wrong. It must not count as a newer backup.
	names = slices.DeleteFunc(names, func(name string) bool { return name > made })
	for _, name := range expired(names, r.keep) {
		if err := to.remove(ctx, name); err != nil {
			return err
		}
		r.log.Info("expired backup removed", "file", name)
	}
	return nil
}
