package store

import (
	"context"
	"errors"
	"iter"
	"time"

	"github.com/tidings-press/tidings/subscriber"
)

// ImportOptions are how a list of subscribers is imported.
type ImportOptions struct {
	Digests  []string           // for the rows that name none
	State    subscriber.State   // for the rows that name none; Active when empty
	Consent  subscriber.Consent // for what the rows do not say
	Report   func(ImportLine)   // called for each line that adds nobody, in order; may be nil
	Progress func(ImportResult) // called now and then; may be nil
}

// ImportLine is a line that added nobody, and why.
type ImportLine struct {
	Line    int
	Address subscriber.Address
	Outcome LineOutcome
	Err     error // of a Bad one
}

// LineOutcome is what became of a line.
type LineOutcome string

// What may become of a line. Exists is a person who was there before: they are put
// on the digests unless they once left them. Repeated is one who stands further
// up in the same list.
const (
	Added      LineOutcome = "added"
	Exists     LineOutcome = "exists"
	Repeated   LineOutcome = "repeated"
	Suppressed LineOutcome = "suppressed"
	Bad        LineOutcome = "bad"
)

// ImportResult counts the lines by their outcomes.
type ImportResult struct {
	Lines, Added, Exists, Repeated, Suppressed, Bad int64
}

// ImportSubscribers imports a list as subscriber.ReadList gives it. It commits every
// few thousand lines, so memory is bounded and other writers get their turn; a
// list that breaks off, or an error, keeps what came before. To run it again is
// harmless.
func (s *Store) ImportSubscribers(ctx context.Context, rows iter.Seq2[subscriber.Row, error], opts ImportOptions) (ImportResult, error) {
	if opts.State == "" {
		opts.State = subscriber.Active
	}
	keys, err := s.Keys(ctx)
	if err != nil {
		return ImportResult{}, err
	}
	im := &importer{store: s, opts: opts, keys: keys, start: s.Now()}
	if _, err := s.readers.one(ctx, "subscriber.lastID", nil, &im.before); err != nil {
		return ImportResult{}, err
	}
	if s.engine == SQLite {
		defer im.makeRoom(ctx)()
	}
	ctx, cancel := context.WithCancel(ctx)
	batches := make(chan importBatch) // the next lines are read while the last ones are stored
	go readBatches(ctx, rows, batches)
	defer func() {
		cancel()
		for range batches { // the list is the caller's again when we return
		}
	}()
	for b := range batches {
		if err := im.store1(ctx, b); err != nil {
			return im.result, err
		}
	}
	return im.result, ctx.Err()
}

// batchSize is how many lines are committed together. Sorted by address, so many
// of them share pages of the index, which makes a long list twice as fast.
const batchSize = 20_000

// importBatch is a stretch of the list.
type importBatch struct {
	lines []importLine
	err   error // that ended the list
}

// importLine is a row on its way in.
type importLine struct {
	row     subscriber.Row
	key     string
	outcome LineOutcome
	id      int64
	err     error
}

// readBatches cuts the list into batches, in a goroutine of its own.
func readBatches(ctx context.Context, rows iter.Seq2[subscriber.Row, error], out chan<- importBatch) {
	defer close(out)
	b := importBatch{lines: make([]importLine, 0, batchSize)}
	send := func() bool {
		select {
		case out <- b:
			b = importBatch{lines: make([]importLine, 0, batchSize)}
			return true
		case <-ctx.Done():
			return false
		}
	}
	for row, err := range rows {
		var bad *subscriber.LineError
		switch {
		case errors.As(err, &bad):
			b.lines = append(b.lines, importLine{row: subscriber.Row{Line: bad.Line}, outcome: Bad, err: bad})
		case err != nil:
			b.err = err
		default:
			b.lines = append(b.lines, importLine{row: row, key: row.Address.Key()})
		}
		if (len(b.lines) == batchSize || b.err != nil) && !send() {
			return
		}
	}
	if len(b.lines) > 0 {
		send()
	}
}

// importer is one import.
type importer struct {
	store  *Store
	opts   ImportOptions
	keys   subscriber.Keys
	start  time.Time
	before int64 // highest number before the import
	result ImportResult
}

// store1 stores one batch and reports it.
func (im *importer) store1(ctx context.Context, b importBatch) error {
	err := im.store.write(ctx, func(tx *runner) error {
		for i := range b.lines { // a second attempt starts afresh
			if b.lines[i].outcome != Bad {
				b.lines[i].outcome, b.lines[i].id = "", 0
			}
		}
		return im.put(ctx, tx, b.lines)
	})
	if err != nil {
		return err
	}
	for i := range b.lines {
		im.count(&b.lines[i])
	}
	if im.opts.Progress != nil {
		im.opts.Progress(im.result)
	}
	return b.err
}

func (im *importer) count(l *importLine) {
	im.result.Lines++
	switch l.outcome {
	case Added:
		im.result.Added++
		return
	case Exists:
		im.result.Exists++
	case Repeated:
		im.result.Repeated++
	case Suppressed:
		im.result.Suppressed++
	case Bad:
		im.result.Bad++
	}
	if im.opts.Report != nil {
		im.opts.Report(ImportLine{Line: l.row.Line, Address: l.row.Address, Outcome: l.outcome, Err: l.err})
	}
}
