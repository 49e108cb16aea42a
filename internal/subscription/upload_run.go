package subscription

import (
	"context"
	"errors"
	"log/slog"
	"math/rand/v2"
	"strings"
	"time"

	"github.com/tidings-press/tidings/internal/backoff"
	"github.com/tidings-press/tidings/internal/store"
	"github.com/tidings-press/tidings/internal/subscriber"
)

const (
	uploadLease = time.Minute
	uploadTries = 10          // without progress
	uploadPoll  = time.Second // average; jitter of half of it
)

// RunUploads checks and imports uploaded lists until the context ends, also those that other nodes and
// earlier processes have left. An import that was interrupted continues after its last stored batch.
func (m Manager) RunUploads(ctx context.Context, log *slog.Logger) {
	for ctx.Err() == nil {
		select {
		case <-time.After(uploadPoll/2 + rand.N(uploadPoll)):
		case <-ctx.Done():
			return
		}
		for ran := true; ran && ctx.Err() == nil; {
			var err error
			if ran, err = m.RunUpload(ctx, log); err != nil && ctx.Err() == nil {
				log.Error("uploaded lists not processed; trying again", "error", err)
			}
		}
	}
}

// RunUpload checks or imports the next uploaded list that waits, and reports whether there was one.
func (m Manager) RunUpload(ctx context.Context, log *slog.Logger) (bool, error) {
	jobs, err := m.Store.ClaimJobs(ctx, []string{store.UploadJob}, 1, uploadLease)
	if err != nil || len(jobs) == 0 {
		return false, err
	}
	job := jobs[0]
	report, err := m.runUpload(ctx, job)
	recording, done := context.WithTimeout(context.WithoutCancel(ctx), uploadLease/2)
	defer done()
	return true, m.recordUpload(recording, log, job, report, err, ctx.Err() != nil)
}

// recordUpload records how a run ended. stopped reports that the server is being stopped.
func (m Manager) recordUpload(ctx context.Context, log *slog.Logger, job store.Job, report store.ImportReport, err error, stopped bool) error {
	var input *store.InputError
	switch {
	case errors.Is(err, store.ErrLease):
		log.Warn("another node continues with an uploaded list", "list", job.Key)
		return nil
	case err == nil:
		log.Info("uploaded list processed", "list", job.Key, "lines", report.Lines, "added", report.Added, "refused", report.Refused)
		if err := m.Store.FinishUpload(ctx, job, report, ""); err != nil {
			return err
		}
		return m.Store.PruneUploads(ctx) // the file of an import is not needed any more
	case stopped:
		return m.Store.ContinueJob(ctx, job, 0)
	case errors.As(err, &input), errors.Is(err, subscriber.ErrList) && !errors.Is(err, store.ErrUploadRead), job.Tries >= uploadTries:
		log.Error("uploaded list not imported", "list", job.Key, "error", err)
		return m.Store.FinishUpload(ctx, job, report, strings.TrimPrefix(err.Error(), subscriber.ErrList.Error()+": "))
	}
	log.Warn("uploaded list broke off; trying again", "list", job.Key, "error", err)
	return m.Store.RetryJob(ctx, job, backoff.Delay(5*time.Second, 10*time.Minute, job.Tries), "tried again")
}

// runUpload does the dry run or the import of a list.
func (m Manager) runUpload(ctx context.Context, job store.Job) (store.ImportReport, error) {
	list, err := m.Store.Upload(ctx, job.Key)
	if errors.Is(err, store.ErrNotFound) {
		return store.ImportReport{}, nil
	}
	if err != nil {
		return store.ImportReport{}, err
	}
	s, err := SettingsOf(list)
	if err != nil {
		return list.Report, err
	}
	if list.State == store.UploadImporting {
		ctx = store.WithActor(ctx, list.Editor)
	}
	rows, err := subscriber.OpenList(m.Store.UploadFile(ctx, list.ID), subscriber.ListOptions{Latin1: s.Latin1, Positions: s.Columns})
	if err != nil {
		return list.Report, err
	}
	summary, err := m.ImportList(ctx, rows, ListImport{
		Digests: s.Digests, Consent: s.consentText(), MailLanguage: s.MailLanguage, Labels: s.Labels, Topics: s.Topics,
		DryRun: list.State == store.UploadChecking,
		Upload: &store.UploadRun{List: list, Job: job, Lease: uploadLease},
	})
	return summary.ImportReport, err
}
