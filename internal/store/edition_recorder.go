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
	"github.com/tidings-press/tidings/internal/store/sqldb"
	"github.com/tidings-press/tidings/internal/subscriber"
)

// Intent says that a mail is about to be sent.
type Intent struct {
	Chunk      Chunk
	Subscriber int64
	Attempt    int64 // a random word: tells this intent from every other one
}

// Outcome is what became of an intent.
type Outcome struct {
	Intent
	State    digest.DeliveryState // sent, deferred, refused or uncertain
	Reason   string
	Code     int
	Reply    string
	Relay    string
	NextTry  time.Time // for deferred ones
	Feedback *Feedback // what a refusal says of the address; kept by the same commit
	SoftRule SoftRule  // for Back
}

// Skip is a mail that gets no try: skipped for good, or deferred because its time
// has not come.
type Skip struct {
	Chunk      Chunk
	Subscriber int64
	State      digest.DeliveryState
	Reason     string
	NextTry    time.Time
}

// RecorderEntry is one call of Record: any of the three.
type RecorderEntry struct {
	Outcome *Outcome
	Intent  *Intent
	Skip    *Skip
}

// Recorder commits outcomes and intents in groups: whatever is waiting when a
// commit ends goes into the next one, so that one commit serves all connections
// and none waits for a timer. PostgreSQL gets two commits at once, one on its way
// while the other is written; with more of them they serve fewer connections each,
// and several nodes keep each other waiting.
type Recorder struct {
	store *Store
	notes chan pending
	work  sync.WaitGroup
	end   chan struct{}
	most  time.Duration // for a commit

	mu     sync.Mutex
	counts chunkCounts // outcomes that the chunks' counters do not have yet
}

type pending struct {
	note   RecorderEntry
	answer chan answer
}

type answer struct {
	granted bool
	err     error
}

// maxGroup bounds one commit.
const maxGroup = 512

// commitFor bounds how long a commit is waited for. A server that vanishes without a
// word would else keep all connections waiting until the network gives it up.
const commitFor = 45 * time.Second

// countEvery is how often counters are brought up to date: often enough for an
// editor who watches, seldom enough to cost nothing. Whoever gives a chunk back
// counts it exactly.
const countEvery = 250 * time.Millisecond

// NewRecorder starts a recorder. It is used by any number of connections.
func (s *Store) NewRecorder() *Recorder {
	r := &Recorder{store: s, notes: make(chan pending, maxGroup), end: make(chan struct{}), most: commitFor, counts: chunkCounts{}}
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

// Close ends the recorder after what it was given is committed.
func (r *Recorder) Close() {
	close(r.notes)
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

// count brings the chunks' counters up to date. What fails is counted next time.
func (r *Recorder) count() {
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.counts) == 0 {
		return
	}
	ctx, cancel := r.within()
	defer cancel()
	if err := r.store.write(ctx, func(tx *conn) error { return r.counts.add(ctx, tx) }); err == nil {
		clear(r.counts)
	}
}

// DiscardCounts drops what is not counted yet of a chunk: it is about to be given back,
// and counted exactly.
func (r *Recorder) DiscardCounts(c Chunk) {
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.counts, counted{c.Edition, c.Number, c.Epoch})
}

// Record commits an outcome together with the next intent, and returns when both
// are stored. granted says whether the next mail may be sent: when it is false,
// its body must not go out. An error says that the store failed and that nothing
// is known to be stored; calling again with the same note is safe.
func (r *Recorder) Record(ctx context.Context, note RecorderEntry) (granted bool, err error) {
	p := pending{note, make(chan answer, 1)}
	select {
	case r.notes <- p:
	case <-ctx.Done():
		return false, ctx.Err()
	}
	a := <-p.answer
	return a.granted, a.err
}

func (r *Recorder) run() {
	group := make([]pending, 0, maxGroup)
	for first := range r.notes {
		group = append(group[:0], first)
		// Connections that have a note ready but no processor go first: when all of
		// them are busy signing, a commit would else serve one or two.
		runtime.Gosched()
		for len(group) < maxGroup {
			select {
			case p, open := <-r.notes:
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

// within bounds a commit in time. SQLite does that by itself, and would keep a
// goroutine for each statement that can be cancelled.
func (r *Recorder) within() (context.Context, context.CancelFunc) {
	if r.store.engine == SQLite {
		return context.Background(), func() {}
	}
	return context.WithTimeout(context.Background(), r.most)
}

// commit stores a group. When the store fails all of it, each caller hears so.
func (r *Recorder) commit(group []pending) {
	ctx, cancel := r.within()
	defer cancel()
	counts := chunkCounts{}
	granted, err := r.store.record(ctx, group, counts)
	if err == nil && len(counts) > 0 {
		r.mu.Lock()
		r.counts.merge(counts)
		r.mu.Unlock()
	}
	for _, p := range group {
		a := answer{err: err}
		if next := p.note.Intent; next != nil && err == nil {
			a.granted = granted[[2]int64{next.Chunk.Edition, next.Subscriber}]
		}
		p.answer <- a
	}
}

// record is one transaction: outcomes first, since a connection's next mail may be
// the same reader's next edition, then skips, then intents.
func (s *Store) record(ctx context.Context, group []pending, counts chunkCounts) (map[[2]int64]bool, error) {
	batch := newBatch(group, millis(s.Now()))
	granted, met := map[[2]int64]bool{}, make([]bool, len(batch.done))
	outcomes, skips, intents := batch.outcomes(counts, met), batch.skips(counts), batch.intents(granted)
	keys, err := s.keysFor(ctx, batch)
	if err != nil {
		return nil, err
	}
	era := s.history.era.Load()
	err = s.recorders.Retry(ctx, func() error {
		clear(granted)
		clear(counts)
		clear(met)
		if s.engine == Postgres && skips.n == 0 && len(batch.back) == 0 {
			return s.recorders.atOnce(ctx, outcomes, intents)
		}
		return s.recorders.transaction(ctx, func(tx *conn) error {
			for _, b := range []bulk{outcomes, skips, intents} {
				if err := tx.change(ctx, b); err != nil {
					return err
				}
			}
			for _, o := range batch.back {
				if _, err := s.takeFeedback(ctx, tx, keys, *o.Feedback, o.SoftRule); err != nil {
					return err
				}
			}
			return nil
		})
	})
	if err == nil { // before a mail leaves that an older copy of the store has granted
		err = s.checkReconnected(ctx, era)
	}
	if err == nil {
		s.noteMails(batch, granted)
		err = s.recordLate(ctx, batch.late(met))
	}
	return granted, err
}

// keysFor are the keys that what came back is kept with, if anything did. They are
// read before the transaction, which may hold the one connection there is.
func (s *Store) keysFor(ctx context.Context, batch *noteBatch) (subscriber.Keys, error) {
	if len(batch.back) == 0 {
		return subscriber.Keys{}, nil
	}
	return s.Keys(ctx)
}

// recordLate stores outcomes that did not meet their intent: it is in doubt, since
// its holder was not heard of for longer than its lease. What counts the mail as
// one in doubt is put right by the same commit, or an editor could be shown a mail
// in doubt that is none, for good, should the process end before it counts again.
func (s *Store) recordLate(ctx context.Context, late []*Outcome) error {
	if len(late) == 0 {
		return nil
	}
	// Those who lock several chunks do so in one order.
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

// DenialReason says why an intent was not granted: "lost" when the chunk is another
// node's, "stopped" when the edition is not being sent, "taken" when the mail has
// an outcome already, and else the reader's state, or "unsubscribed".
func (s *Store) DenialReason(ctx context.Context, in Intent) (string, error) {
	var why string
	found, err := s.readers.One(ctx, "delivery.whyNot", []any{in.Chunk.Edition, in.Chunk.Number, in.Chunk.Epoch, in.Subscriber}, &why)
	if err == nil && !found {
		err = errors.New("the edition is gone")
	}
	return why, err
}
