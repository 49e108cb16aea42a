package store

import (
	"cmp"
	"context"
	"errors"
	"runtime"
	"slices"
	"sync"
	"time"

	"github.com/tidings-press/tidings/internal/digest"
	"github.com/tidings-press/tidings/internal/metrics"
	"github.com/tidings-press/tidings/internal/store/sqldb"
	"github.com/tidings-press/tidings/internal/subscriber"
)

// Intent announces that a mail is about to be sent.
type Intent struct {
	Chunk      Chunk
	Subscriber int64
	Nonce      int64 // a random number that identifies this intent; in the column attempt
}

// Outcome is the result of an intent.
type Outcome struct {
	Intent
	State    digest.DeliveryState // sent, deferred, refused or uncertain
	Reason   string
	Code     int
	Reply    string
	Relay    string
	NextTry  time.Time // for deferred ones
	Feedback *Feedback // the report of a refusal about the address, stored by the same commit; may be nil
	SoftRule SoftRule  // for Feedback
}

// Skip is a mail that is not attempted now: it is skipped, or deferred until NextTry.
type Skip struct {
	Chunk      Chunk
	Subscriber int64
	State      digest.DeliveryState
	Reason     string
	NextTry    time.Time
}

// RecorderEntry is the argument of Record. Each field may be nil.
type RecorderEntry struct {
	Outcome *Outcome
	Intent  *Intent
	Skip    *Skip
}

// Recorder commits outcomes and intents in groups (group commit): all entries that wait when
// a commit ends go into the next one, so that one commit serves all connections and none
// waits for a timer. PostgreSQL gets two commits at a time, so that one is prepared while
// the other is written. With more, each would serve fewer connections, and several nodes
// would block each other.
type Recorder struct {
	store   *Store
	entries chan pending
	work    sync.WaitGroup
	end     chan struct{}
	timeout time.Duration // of a commit

	mu     sync.Mutex
	counts chunkCounts // outcomes that are not yet added to the chunks' counters
}

type pending struct {
	entry  RecorderEntry
	answer chan answer
}

type answer struct {
	granted bool
	err     error
}

// maxGroup is the maximum number of entries in one commit.
const maxGroup = 512

// commitTimeout bounds the wait for a commit. Without it, a server that vanishes would block
// all connections until the network times out.
const commitTimeout = 45 * time.Second

// countEvery is the interval between updates of the counters: short enough for an editor who
// watches the progress, and long enough to cost little. Each chunk is also recounted when it
// is released.
const countEvery = 250 * time.Millisecond

// NewRecorder starts a recorder. Any number of connections may use it.
func (s *Store) NewRecorder() *Recorder {
	r := &Recorder{store: s, entries: make(chan pending, maxGroup), end: make(chan struct{}), timeout: commitTimeout, counts: chunkCounts{}}
	writers := 1
	if s.engine == Postgres {
		writers = sqldb.MaxRecorders
	}
	for range writers {
		r.work.Go(r.run)
	}
	go r.keepCounting()
	return r
}

// Close ends the recorder after all entries are committed.
func (r *Recorder) Close() {
	close(r.entries)
	r.work.Wait()
	close(r.end)
	r.count()
}

func (r *Recorder) keepCounting() {
	ticker := time.NewTicker(countEvery)
	defer ticker.Stop()
	for {
		select {
		case <-ticker.C:
			r.count()
		case <-r.end:
			return
		}
	}
}

// count updates the chunks' counters. After a failure they are updated next time.
func (r *Recorder) count() {
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.counts) == 0 {
		return
	}
	ctx, cancel := r.withTimeout()
	defer cancel()
	if err := r.store.write(ctx, func(tx *conn) error { return r.counts.add(ctx, tx) }); err == nil {
		clear(r.counts)
	}
}

// DiscardCounts drops the pending counts of a chunk that is about to be released, since its
// release recounts it.
func (r *Recorder) DiscardCounts(c Chunk) {
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.counts, chunkLease{c.Edition, c.Number, c.Epoch})
}

// Record commits an outcome together with the next intent, and returns when both are
// stored. granted reports whether the next mail may be sent; if it is false, its body must
// not be sent. After an error it is unknown what was stored, and calling again with the
// same entry is safe.
func (r *Recorder) Record(ctx context.Context, entry RecorderEntry) (granted bool, err error) {
	p := pending{entry, make(chan answer, 1)}
	select {
	case r.entries <- p:
	case <-ctx.Done():
		return false, ctx.Err()
	}
	a := <-p.answer
	return a.granted, a.err
}

func (r *Recorder) run() {
	group := make([]pending, 0, maxGroup)
	for first := range r.entries {
		group = append(group[:0], first)
		// Let connections that have an entry ready add it: when all processors are busy signing
		// mails, a commit would otherwise serve only one or two connections.
		runtime.Gosched()
		for len(group) < maxGroup {
			select {
			case p, open := <-r.entries:
				if open {
					group = append(group, p)
					continue
				}
			default:
			}
			break
		}
		r.commit(group)
	}
}

// withTimeout returns the context of a commit. On SQLite it has no timeout: SQLite bounds its
// waits itself, and the driver needs a goroutine for each statement that can be cancelled.
func (r *Recorder) withTimeout() (context.Context, context.CancelFunc) {
	if r.store.engine == SQLite {
		return context.Background(), func() {}
	}
	return context.WithTimeout(context.Background(), r.timeout)
}

// commit stores a group. An error of the store is returned to each caller.
func (r *Recorder) commit(group []pending) {
	ctx, cancel := r.withTimeout()
	defer cancel()
	defer metrics.StoreQuery("recorder", time.Now())
	counts := chunkCounts{}
	granted, err := r.store.record(ctx, group, counts)
	if err == nil && len(counts) > 0 {
		r.mu.Lock()
		r.counts.merge(counts)
		r.mu.Unlock()
	}
	for _, p := range group {
		a := answer{err: err}
		if next := p.entry.Intent; next != nil && err == nil {
			a.granted = granted[[2]int64{next.Chunk.Edition, next.Subscriber}]
		}
		p.answer <- a
	}
}

// record stores a group in one transaction: outcomes first, since a connection's next mail
// may be to the same subscriber, then skips, then intents.
func (s *Store) record(ctx context.Context, group []pending, counts chunkCounts) (map[[2]int64]bool, error) {
	batch := newBatch(group, millis(s.Now()))
	granted, met := map[[2]int64]bool{}, make([]bool, len(batch.outcomeEntries))
	outcomes, skips, intents := batch.outcomes(counts, met), batch.skips(counts), batch.intents(granted)
	failures := batch.failures()
	keys, err := s.keysFor(ctx, batch)
	if err != nil {
		return nil, err
	}
	era := s.history.era.Load()
	var fresh []Feedback
	err = s.recorders.Retry(ctx, func() error {
		fresh = fresh[:0]
		clear(granted)
		clear(counts)
		clear(met)
		if s.engine == Postgres && skips.n == 0 && failures.n == 0 && len(batch.feedbackEntries) == 0 {
			return s.recorders.changeBoth(ctx, outcomes, intents)
		}
		return s.recorders.transaction(ctx, func(tx *conn) error {
			for _, b := range []deliveryChange{outcomes, failures, skips, intents} {
				if err := tx.change(ctx, b); err != nil {
					return err
				}
			}
			for _, o := range batch.feedbackEntries {
				isNew, err := s.recordFeedback(ctx, tx, keys, *o.Feedback, o.SoftRule)
				if err != nil {
					return err
				}
				if isNew {
					fresh = append(fresh, *o.Feedback)
				}
			}
			return nil
		})
	})
	if err == nil {
		countFeedback(fresh...)
	}
	if err == nil { // before a mail is sent that an older copy of the store has granted
		err = s.checkReconnected(ctx, era)
	}
	if err == nil {
		s.journalMails(batch, granted)
		err = s.recordLate(ctx, batch.late(met))
	}
	return granted, err
}

// keysFor returns the keys for storing feedback, if there is any. They are read before the
// transaction, which may hold the only connection.
func (s *Store) keysFor(ctx context.Context, batch *recordBatch) (subscriber.Keys, error) {
	if len(batch.feedbackEntries) == 0 {
		return subscriber.Keys{}, nil
	}
	return s.Keys(ctx)
}

// recordLate stores outcomes whose intent was marked as uncertain because the lease of its
// holder expired. The same commit corrects the counters. Otherwise they would show an
// uncertain mail that does not exist if the process ended before the next count.
func (s *Store) recordLate(ctx context.Context, late []*Outcome) error {
	if len(late) == 0 {
		return nil
	}
	// All transactions lock chunks in the same order.
	slices.SortFunc(late, func(a, b *Outcome) int {
		return cmp.Or(cmp.Compare(a.Chunk.Edition, b.Chunk.Edition), cmp.Compare(a.Chunk.Number, b.Chunk.Number))
	})
	now := millis(s.Now())
	return s.recorders.Retry(ctx, func() error {
		return s.recorders.transaction(ctx, func(tx *conn) error {
			for _, o := range late {
				changed, err := tx.Exec(ctx, "delivery.late", o.row(now)...)
				if err != nil {
					return err
				}
				if changed == 0 {
					continue
				}
				if err := recountChunk(ctx, tx, o.Chunk.Edition, o.Chunk.Number); err != nil {
					return err
				}
			}
			return nil
		})
	})
}

// DenialReason returns why an intent was not granted: "lost" if another node has the chunk,
// "stopped" if the edition is not being sent, "unsubscribed" or the state of the subscriber
// if they get no mail, and "taken" if the mail has an outcome already.
func (s *Store) DenialReason(ctx context.Context, in Intent) (string, error) {
	var why string
	found, err := s.readers.One(ctx, "delivery.whyNot", []any{in.Chunk.Edition, in.Chunk.Number, in.Chunk.Epoch, in.Subscriber}, &why)
	if err == nil && !found {
		err = errors.New("edition not found")
	}
	return why, err
}
