package store

import (
	"context"
	"errors"
	"hash/maphash"
	"iter"
	"time"

	"github.com/tidings-press/tidings/internal/subscriber"
)

// ImportOptions control the import of a list of subscribers.
type ImportOptions struct {
	Digests []string           // of rows without digests
	State   subscriber.State   // of rows without a state; Active when empty
	Consent subscriber.Consent // of rows without consent
	// MailLanguage is the language of mails to the people of rows that name none; may be empty.
	MailLanguage string
	Labels       []string   // for all people of the list, also those who exist
	DryRun       bool       // only count
	Upload       *UploadRun // of an uploaded list; may be nil
	// Check looks at a row before it is imported, and may fill in its topics by digest. A
	// *subscriber.LineError refuses the row; any other error ends the import. It may be nil.
	Check    func(context.Context, *subscriber.Row) error
	Report   func(ImportLine)   // called in order for each line that adds no subscriber; may be nil
	Progress func(ImportResult) // called now and then; may be nil
}

// ImportLine is a line that added no subscriber, and why.
type ImportLine struct {
	Line    int
	Address subscriber.Address
	Outcome LineOutcome
	State   subscriber.State // of a Lowered one, the new state
	Err     error            // of a Refused one
}

// LineOutcome is the result of a line.
type LineOutcome string

// The results of lines.
const (
	Added      LineOutcome = "added"
	Recorded   LineOutcome = "recorded"   // a new address that the list marks as gone: stored with its state, and suppressed
	Present    LineOutcome = "unchanged"  // existed before; subscribed to digests that they were never subscribed to
	Repeated   LineOutcome = "repeated"   // occurs earlier in the same list
	Lowered    LineOutcome = "lowered"    // existed before, and the list marks it as gone: suppressed now
	Suppressed LineOutcome = "suppressed" // the address must not be mailed and is skipped
	Refused    LineOutcome = "refused"
)

// ImportResult counts the lines by their outcomes.
type ImportResult struct {
	Lines      int64 `json:"lines"`
	Added      int64 `json:"added"`
	Pending    int64 `json:"pending"` // of Added, who have not confirmed
	Unchanged  int64 `json:"unchanged"`
	Repeated   int64 `json:"repeated"`
	Lowered    int64 `json:"lowered"`
	Suppressed int64 `json:"suppressed"` // left out, or recorded as gone
	Refused    int64 `json:"refused"`
}

// MappedCount is a word of another system that was read as a state, and its number of lines.
type MappedCount struct {
	subscriber.Mapped
	Lines int64 `json:"lines"`
}

// ImportReport is the result with its counts by reason.
type ImportReport struct {
	ImportResult
	Updated   int64            `json:"updated"`              // of Unchanged: subscribed to a digest, or given a label
	Recorded  int64            `json:"recorded"`             // of Suppressed: new, and gone according to the list
	LoweredTo map[string]int64 `json:"lowered_to,omitempty"` // Lowered by the new state
	RefusedBy map[string]int64 `json:"refused_by,omitempty"` // Refused by the reason
	Values    []MappedCount    `json:"values,omitempty"`     // set by the caller
}

// Same returns how many lines changed nothing of a subscriber who existed before.
func (r ImportReport) Same() int64 { return r.Unchanged - r.Updated }

// LeftOut returns how many lines were left out since their addresses must not be mailed.
func (r ImportReport) LeftOut() int64 { return r.Suppressed - r.Recorded }

// ImportSubscribers imports a list as subscriber.ReadList returns it. It commits every few thousand
// lines, so that memory is bounded and other writers get their turn. If the list breaks off or an
// error occurs, the lines before it stay imported, and the import can be repeated.
//
// An import never raises a state: a subscriber who left, bounced, complained or never
// confirmed stays so. A row that marks an existing subscriber as gone lowers their state
// and suppresses the address, so that no later list brings them back.
func (s *Store) ImportSubscribers(ctx context.Context, rows iter.Seq2[subscriber.Row, error], opts ImportOptions) (ImportReport, error) {
	if opts.State == "" {
		opts.State = subscriber.Active
	}
	keys, err := s.Keys(ctx)
	if err != nil {
		return ImportReport{}, err
	}
	im := &importer{store: s, opts: opts, keys: keys, start: s.Now(), seed: maphash.MakeSeed(), size: s.batch}
	if _, err := s.readers.One(ctx, "subscriber.lastID", nil, &im.before); err != nil {
		return ImportReport{}, err
	}
	skip := im.resume()
	if s.engine == SQLite && opts.Upload == nil {
		defer im.enlargeCache(ctx)()
	}
	ctx, cancel := context.WithCancel(ctx)
	batches := make(chan importBatch) // the next lines are read while the last ones are stored
	go im.readBatches(ctx, rows, skip, batches)
	defer func() {
		cancel()
		for range batches { // the list is the caller's again when we return
		}
	}()
	for b := range batches {
		if err := im.storeBatch(ctx, b); err != nil {
			return im.result, err
		}
	}
	return im.result, ctx.Err()
}

// batchSize is how many lines are usually committed together. Sorted by address, so many
// of them share pages of the index, which makes a long list twice as fast.
const batchSize = 20_000

// importBatch is a part of the list that is stored in one transaction.
type importBatch struct {
	lines []importLine
	err   error // that ended the list
}

// importLine is a row that is being imported.
type importLine struct {
	row     subscriber.Row
	key     string
	outcome LineOutcome
	id      int64
	have    subscriber.State // of a subscriber who existed before
	updated bool             // of a Present one: subscribed to a digest, or given a label
	err     error
}

// readBatches checks the rows after the first ones, which are skipped, and cuts them into batches, in
// a separate goroutine.
func (im *importer) readBatches(ctx context.Context, rows iter.Seq2[subscriber.Row, error], skip int64, out chan<- importBatch) {
	defer close(out)
	b := importBatch{lines: make([]importLine, 0, im.size)}
	send := func() bool {
		select {
		case out <- b:
			b = importBatch{lines: make([]importLine, 0, im.size)}
			return true
		case <-ctx.Done():
			return false
		}
	}
	for row, err := range rows {
		if skip--; skip >= 0 && (err == nil || errors.As(err, new(*subscriber.LineError))) {
			continue
		}
		if err == nil && im.opts.Check != nil {
			err = im.opts.Check(ctx, &row)
		}
		var bad *subscriber.LineError
		switch {
		case errors.As(err, &bad):
			b.lines = append(b.lines, importLine{row: subscriber.Row{Line: bad.Line}, outcome: Refused, err: bad})
		case err != nil:
			b.err = err
		default:
			b.lines = append(b.lines, importLine{row: row, key: row.Address.Key()})
		}
		if (len(b.lines) == im.size || b.err != nil) && !send() {
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
	size   int   // of a batch
	result ImportReport
	seed   maphash.Seed
	seen   map[uint64]subscriber.State // of the addresses of a dry run, which are not stored, by their hash
}

// errDryRun rolls a dry run back.
var errDryRun = errors.New("a dry run stores nothing")

// storeBatch stores one batch and reports it.
func (im *importer) storeBatch(ctx context.Context, b importBatch) error {
	err := im.store.write(ctx, func(tx *conn) error {
		for i := range b.lines { // a second attempt starts again
			if b.lines[i].outcome != Refused {
				b.lines[i].outcome, b.lines[i].id, b.lines[i].updated = "", 0, false
			}
		}
		if err := im.put(ctx, tx, b.lines); err != nil {
			return err
		}
		if im.opts.DryRun {
			return errDryRun
		}
		return im.record(ctx, tx, b.lines)
	})
	if errors.Is(err, errDryRun) {
		im.correctDryRun(b.lines)
		err = im.recordDryRun(ctx, b.lines)
	}
	if err != nil {
		return err
	}
	for i := range b.lines {
		im.count(&b.lines[i])
	}
	if im.opts.Progress != nil {
		im.opts.Progress(im.result.ImportResult)
	}
	return b.err
}

// correctDryRun corrects the outcomes of a dry run for addresses of earlier batches, which were
// rolled back.
func (im *importer) correctDryRun(lines []importLine) {
	if im.seen == nil {
		im.seen = map[uint64]subscriber.State{}
	}
	for i := range lines {
		l := &lines[i]
		if l.outcome == Refused {
			continue
		}
		key := maphash.String(im.seed, l.key)
		state, before := im.seen[key]
		if now := im.state(l); !before || now.Worse(state) {
			im.seen[key] = now
		}
		switch fresh := l.outcome == Added || l.outcome == Recorded; {
		case before && fresh && im.state(l).Gone() && !state.Gone():
			l.outcome = Lowered
		case before && fresh:
			l.outcome = Repeated
		}
	}
}

// count adds a line to the result, and reports it.
func (im *importer) count(l *importLine) {
	im.result.add(l, im.state(l))
	if im.opts.Report == nil || l.outcome == Added || l.outcome == Recorded {
		return
	}
	im.opts.Report(ImportLine{Line: l.row.Line, Address: l.row.Address, Outcome: l.outcome, State: l.have, Err: l.err})
}

// add counts a line. asked is the state that the list gives it.
func (r *ImportReport) add(l *importLine, asked subscriber.State) {
	r.Lines++
	switch l.outcome {
	case Added:
		r.Added++
		if asked == subscriber.Pending {
			r.Pending++
		}
	case Present:
		r.Unchanged++
		if l.updated {
			r.Updated++
		}
	case Repeated:
		r.Repeated++
	case Lowered:
		r.Lowered++
		countBy(&r.LoweredTo, string(l.have))
	case Recorded:
		r.Recorded++
		r.Suppressed++
	case Suppressed:
		r.Suppressed++
	case Refused:
		r.Refused++
		countBy(&r.RefusedBy, refusalReason(l.err))
	}
}

func countBy(counts *map[string]int64, key string) {
	if *counts == nil {
		*counts = map[string]int64{}
	}
	(*counts)[key]++
}

// refusalReason returns the reason by which a refused line is counted.
func refusalReason(err error) string {
	var bad *subscriber.LineError
	if errors.As(err, &bad) && bad.Reason != "" {
		return bad.Reason
	}
	return "other"
}
