package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"maps"
	"time"

	"github.com/tidings-press/tidings/internal/article"
	"github.com/tidings-press/tidings/internal/plaintext"
	"github.com/tidings-press/tidings/internal/subscriber"
)

// UploadRun is the run of an uploaded list by the holder of its job. Each batch is stored in one
// transaction with the report so far and the lease, so a run that was interrupted continues after its
// last batch. A dry run starts again.
type UploadRun struct {
	List  UploadedList
	Job   Job
	Lease time.Duration // from each batch on
}

// uploadBatch is how many lines of an uploaded list are committed together: few, since mail is sent
// meanwhile.
const uploadBatch = 1000

// resume prepares an importer to continue an import that was interrupted, and returns how many lines
// to skip.
func (im *importer) resume() (skip int64) {
	run := im.opts.Upload
	if run == nil {
		return 0
	}
	im.size = uploadBatch
	if !im.opts.DryRun {
		im.result, im.before, im.start = run.List.Report, run.List.Before, run.List.Started
	}
	return im.result.Lines
}

// record stores the report after a batch in its transaction, with the refused lines.
func (im *importer) record(ctx context.Context, tx *conn, lines []importLine) error {
	run := im.opts.Upload
	if run == nil {
		return nil
	}
	n, err := tx.Exec(ctx, "job.continue", run.Job.ID, run.Job.Epoch, millis(im.store.Now().Add(run.Lease)))
	if err == nil && n == 0 {
		err = ErrLease
	}
	if err != nil {
		return err
	}
	report := im.result.clone()
	for i := range lines {
		l := &lines[i]
		report.add(l, im.state(l))
		if l.outcome != Refused || report.Refused > maxRefusals {
			continue
		}
		if err := tx.addRefusal(ctx, run.Job.Key, report.Refused, l); err != nil {
			return err
		}
	}
	_, err = tx.Exec(ctx, "upload.progress", run.Job.Key, reportText(report))
	return err
}

func (c *conn) addRefusal(ctx context.Context, list string, number int64, l *importLine) error {
	bad := &subscriber.LineError{Line: l.row.Line}
	errors.As(l.err, &bad)
	short := func(text string) string { return plaintext.Shorten(article.CleanLine(text), maxRefusalText) }
	_, err := c.Exec(ctx, "upload.refuse", list, number, bad.Line, refusalReason(l.err), short(bad.Heading), short(bad.Value))
	return err
}

// clone returns a copy that shares nothing.
func (r ImportReport) clone() ImportReport {
	r.LoweredTo, r.RefusedBy = maps.Clone(r.LoweredTo), maps.Clone(r.RefusedBy)
	return r
}

// reportText returns a report as it is stored.
func reportText(r ImportReport) string {
	data, err := json.Marshal(r)
	if err != nil { // cannot happen with numbers and strings
		return "{}"
	}
	return string(data)
}

// UploadRefusal is a line of an uploaded list that was refused.
type UploadRefusal struct {
	Number         int64 // from 1, in the order of the file
	Line           int
	Reason         string // as in ImportReport.RefusedBy
	Heading, Value string // of the cell with the problem; may be empty
}

// UploadRefusals returns up to limit refused lines of the last run of a list, after a number.
func (s *Store) UploadRefusals(ctx context.Context, list string, after int64, limit int) ([]UploadRefusal, error) {
	var out []UploadRefusal
	err := s.readers.Each(ctx, "upload.refusals", []any{list, after, limit}, func(rows *sql.Rows) error {
		var r UploadRefusal
		err := rows.Scan(&r.Number, &r.Line, &r.Reason, &r.Heading, &r.Value)
		out = append(out, r)
		return err
	})
	return out, err
}

// recordDryRun stores the report of a dry run after a batch that was rolled back.
func (im *importer) recordDryRun(ctx context.Context, lines []importLine) error {
	if im.opts.Upload == nil {
		return nil
	}
	return im.store.write(ctx, func(tx *conn) error { return im.record(ctx, tx, lines) })
}
