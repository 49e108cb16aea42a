package store

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/tidings-press/tidings/internal/digest"
	"github.com/tidings-press/tidings/internal/journal"
)

// journaled maps each named query whose effect a restore of an older copy must not undo to
// a function that returns its journal record, or false if it needs none. The records are
// appended to the journal when the transaction of the query is committed.
var journaled = map[string]func(args []any) (journal.Record, bool){
	"suppression.put": func(args []any) (journal.Record, bool) {
		return journal.Suppressed(hex.EncodeToString(args[0].([]byte)), args[1].(string)), true
	},
	"suppression.drop": func(args []any) (journal.Record, bool) {
		return journal.SuppressionLifted(hex.EncodeToString(args[0].([]byte))), true
	},
	"subscriber.setState": func(args []any) (journal.Record, bool) {
		return journal.SubscriberState(args[0].(int64), args[2].(string)), true
	},
	"subscriber.erase": func(args []any) (journal.Record, bool) {
		return journal.SubscriberState(args[0].(int64), "erased"), true
	},
	"subscription.put": func(args []any) (journal.Record, bool) {
		return journal.Subscribed(args[1].(int64), args[0].(string)), true
	},
	"subscription.leave": func(args []any) (journal.Record, bool) {
		return journal.Unsubscribed(args[1].(int64), args[0].(string)), true
	},
	"subscription.leaveAll": func(args []any) (journal.Record, bool) {
		return journal.Unsubscribed(args[0].(int64), ""), true
	},
	"feedtoken.revoke": func(args []any) (journal.Record, bool) {
		return journal.FeedClosed(args[0].(int64), args[1].(string)), true
	},
	"editor.delete": func(args []any) (journal.Record, bool) {
		return journal.AccessChanged(args[0].(int64), journal.AccessRemoved, ""), true
	},
	"edition.finish": func(args []any) (journal.Record, bool) {
		return journal.EditionEnded(args[0].(int64), string(digest.Sent)), true
	},
	"edition.setState": func(args []any) (journal.Record, bool) {
		state := digest.State(args[2].(string))
		ends := state == digest.Sent || state == digest.Cancelled || state == digest.Failed
		return journal.EditionEndedByID(args[0].(string), string(state)), ends
	},
}

// journalWriter writes the journal of a store. A quarantine replaces the journal by a new one.
type journalWriter struct {
	folder string
	now    func() time.Time
	failed atomic.Pointer[error]

	mu         sync.RWMutex // held for writing while the journal is replaced
	journal    *journal.Journal
	generation string
}

func newJournalWriter(folder, generation string, now func() time.Time) *journalWriter {
	return &journalWriter{folder: folder, now: now, journal: journal.New(folder, generation), generation: generation}
}

// journalPosition is a position of the store together with the journal that it belongs to.
type journalPosition struct {
	of     *journal.Journal
	number int64
}

// append writes records of changes that are committed already. So it returns no error:
// JournalProblem reports a journal that cannot be written.
func (w *journalWriter) append(at journalPosition, records ...journal.Record) {
	w.mu.RLock()
	defer w.mu.RUnlock()
	if at.of != w.journal {
		at.number = 0 // the position belongs to a journal that was replaced meanwhile
	}
	if err := w.journal.Append(w.now(), at.number, records...); err != nil {
		w.failed.Store(&err)
		return
	}
	w.failed.Store(nil)
}

// id returns the current journal and its id.
func (w *journalWriter) id() (*journal.Journal, string, error) {
	w.mu.RLock()
	defer w.mu.RUnlock()
	id, err := w.journal.ID()
	return w.journal, id, err
}

// replace rotates the journal, if rotate is set, and begins one of a generation.
func (w *journalWriter) replace(generation string, rotate bool) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	err := w.journal.Close()
	if rotate {
		_, failed := journal.Rotate(w.folder, w.now())
		err = errors.Join(err, failed)
	}
	w.journal, w.generation = journal.New(w.folder, generation), generation
	return err
}

// current returns the journal.
func (w *journalWriter) current() *journal.Journal {
	w.mu.RLock()
	defer w.mu.RUnlock()
	return w.journal
}

// JournalProblem returns the error of the last write to the journal, or nil.
func (s *Store) JournalProblem() error {
	if s.journal == nil {
		return nil
	}
	if err := s.journal.failed.Load(); err != nil {
		return *err
	}
	return nil
}

// journalLimits bound the journal. It is assumed that no backup is restored after a year.
var journalLimits = journal.Limits{Size: 32 << 20, Keep: 400 * 24 * time.Hour}

// CompactJournal keeps the journal within its bounds.
func (s *Store) CompactJournal() error {
	if s.journal == nil {
		return nil
	}
	_, err := s.journal.current().Compact(s.Now(), journalLimits)
	return err
}

// record collects records for the journal until the transaction is committed.
func (c *conn) record(records ...journal.Record) {
	if c.records != nil {
		*c.records = append(*c.records, records...)
	}
}

// recordQuery collects the journal record of a named query that changed rows.
func (c *conn) recordQuery(name string, args []any, changed int64) {
	if c.records == nil || changed == 0 {
		return
	}
	if record, found := journaled[name]; found {
		if one, ok := record(args); ok {
			c.record(one)
		}
	}
}

// advanceJournal takes the next position in a transaction that has records.
func (c *conn) advanceJournal(ctx context.Context) (at journalPosition, err error) {
	if c.records == nil || len(*c.records) == 0 {
		return journalPosition{}, nil
	}
	of, id, err := c.journal.id()
	if err != nil {
		// A broken journal must not prevent mails and unsubscribes.
		c.journal.failed.Store(&err)
		*c.records = nil
		return journalPosition{}, nil
	}
	at.of = of
	_, err = c.One(ctx, "journal.advance", []any{id}, &at.number)
	return at, err
}

// journalMails records which mails are about to be sent, and which were deferred. It runs
// after the commit and before the first mail is sent.
func (s *Store) journalMails(batch *recordBatch, granted map[[2]int64]bool) {
	if s.journal == nil {
		return
	}
	var records []journal.Record
	put := func(kind func(int64, []int64) journal.Record, of map[int64][]int64) {
		for edition, subscribers := range of {
			slices.Sort(subscribers)
			records = append(records, kind(edition, subscribers))
		}
	}
	deferred, sending := map[int64][]int64{}, map[int64][]int64{}
	for _, o := range batch.outcomeEntries {
		if o.State == digest.DeliveryDeferred {
			deferred[o.Chunk.Edition] = append(deferred[o.Chunk.Edition], o.Subscriber)
		}
	}
	for key, ok := range granted {
		if ok {
			sending[key[0]] = append(sending[key[0]], key[1])
		}
	}
	put(journal.MailsDeferred, deferred)
	put(journal.MailsAttempted, sending)
	if len(records) > 0 {
		s.journal.append(journalPosition{}, records...)
	}
}

// startEdition marks an edition as being sent, if it was not yet.
func (s *Store) startEdition(ctx context.Context, tx *conn, seq int64) error {
	n, err := tx.Exec(ctx, "edition.start", seq, millis(s.Now()))
	if err != nil || n == 0 || tx.records == nil {
		return err
	}
	found, err := tx.editions(ctx, "edition.bySeq", seq)
	if err != nil || len(found) == 0 {
		return err
	}
	e := found[0]
	tx.record(journal.EditionBegun(journal.Edition{
		Seq: e.Seq, ID: e.ID, Digest: e.Digest, Number: e.Number, ScheduledFor: e.ScheduledFor, Subject: e.Subject, Audience: e.Recipients.Count, Articles: e.Articles,
	}))
	return nil
}

// sourceHash returns the hash that stands for an article's source in the journal, since a
// source may be a path on the author's machine.
func sourceHash(source string) string {
	sum := sha256.Sum256([]byte(source))
	return hex.EncodeToString(sum[:12])
}

// articleID returns the id of a new article: the id that an article from the same source had
// before a restore, or else fresh.
func (c *conn) articleID(ctx context.Context, source, fresh string) (string, error) {
	id := fresh
	_, err := c.One(ctx, "quarantine.articleID", []any{sourceHash(source)}, &id)
	return id, err
}

// History. A store may be replaced by an older copy of itself: before it is opened, or
// under a running node when PostgreSQL is recovered to a point in time. Every commit that
// the journal records raises a position in the store, and the journal is written after the
// commit, so a journal that is ahead of the store's position proves that commits were lost.

// CheckHistory compares the store with its journal and quarantines a store that is older.
// It also notices that another node did so. Every node calls it regularly (see Probe),
// and before it sends mail on a new connection: a recovery ends all connections.
func (s *Store) CheckHistory(ctx context.Context) error {
	if s.journal == nil {
		return nil
	}
	s.history.mu.Lock()
	defer s.history.mu.Unlock()
	connects := s.db.Connects()
	s.secrets.forget(generationSecret)
	if err := s.checkJournal(ctx); err != nil {
		return err
	}
	generation, err := s.Generation(ctx)
	if err != nil {
		return err
	}
	if name := hex.EncodeToString(generation); name != s.journal.generation { // another process replaced the journal
		s.secrets.forget(BrowserSecret)
		s.history.era.Add(1)
		if err := s.journal.replace(name, false); err != nil {
			return err
		}
	}
	s.history.checked.Store(connects)
	return nil
}

// history is a node's state of CheckHistory.
type history struct {
	mu      sync.Mutex
	checked atomic.Int64 // number of connections that had been made at the last check
	era     atomic.Int64 // rises with every quarantine that this node notices
}

// checkReconnected checks the history if a connection was made since the last check. era is
// the value of history.era when the caller began; if it has changed, the error is
// ErrQuarantined.
func (s *Store) checkReconnected(ctx context.Context, era int64) error {
	if s.journal == nil {
		return nil
	}
	if s.db.Connects() != s.history.checked.Load() {
		if err := s.CheckHistory(ctx); err != nil {
			return err
		}
	}
	if s.history.era.Load() != era {
		return ErrQuarantined
	}
	return nil
}

// checkJournal quarantines the store if it is older than its journal.
func (s *Store) checkJournal(ctx context.Context) error {
	tail, found, err := journal.ReadTail(s.journal.folder)
	if err != nil || !found {
		return err
	}
	generation, err := s.Generation(ctx)
	if err != nil {
		return err
	}
	if tail.Generation != hex.EncodeToString(generation) {
		return s.handleFormerJournal(ctx, tail)
	}
	var have int64
	if _, err := s.readers.One(ctx, "journal.mark", []any{tail.ID}, &have); err != nil {
		return err
	}
	behind := int64(0)
	if tail.Edition != 0 {
		if _, err := s.readers.One(ctx, "journal.behind", []any{tail.Edition, jsonList(tail.Recipients)}, &behind); err != nil {
			return err
		}
	}
	if have >= tail.Position && behind == 0 {
		return nil
	}
	taken, err := journal.TimeOf(s.journal.folder, have)
	if err != nil {
		return err
	}
	if taken.IsZero() {
		taken = s.Now()
	}
	s.history.era.Add(1)
	if err := s.beginQuarantine(ctx, OlderStore, taken.Add(-time.Millisecond)); err != nil {
		return err
	}
	return s.applyOwnJournal(ctx)
}

// checkMissingJournal quarantines a SQLite store whose journal is missing: a copy of its file in
// another place, which may be older than what was sent. On PostgreSQL each machine has a journal of
// its own, and a new one begins without.
func (s *Store) checkMissingJournal(ctx context.Context) error {
	if s.engine != SQLite {
		return nil
	}
	if _, found, err := journal.ReadTail(s.journal.folder); err != nil || found {
		return err
	}
	var journals, ran int64
	if _, err := s.readers.One(ctx, "journal.lost", nil, &journals, &ran); err != nil || journals == 0 {
		return err
	}
	taken := s.Now()
	if ran > 0 {
		taken = timeOf(ran)
	}
	return s.beginQuarantine(ctx, NoJournal, taken)
}

// handleFormerJournal handles a journal of another generation. If the store had that
// generation before a restore, the journal is applied while the quarantine lasts, and only
// rotated after that. Otherwise the error is *journal.OtherError.
func (s *Store) handleFormerJournal(ctx context.Context, tail journal.Tail) error {
	var former int
	if _, err := s.readers.One(ctx, "generation.former", []any{tail.Generation}, &former); err != nil {
		return err
	}
	if former == 0 {
		return &journal.OtherError{Path: s.journal.folder, Generation: tail.Generation}
	}
	s.history.era.Add(1)
	q, err := s.Quarantine(ctx)
	if err != nil {
		return err
	}
	if q != nil {
		return s.applyOwnJournal(ctx)
	}
	return s.replaceJournal(ctx)
}

// applyOwnJournal applies the state of the journal to the store, and begins a new journal.
func (s *Store) applyOwnJournal(ctx context.Context) error {
	recorded, err := journal.Read(s.journal.folder)
	if err != nil {
		return err
	}
	if err := s.applyJournal(ctx, recorded); err != nil {
		return err
	}
	return s.replaceJournal(ctx)
}

// replaceJournal rotates the journal and begins one of the store's generation.
func (s *Store) replaceJournal(ctx context.Context) error {
	generation, err := s.Generation(ctx)
	if err != nil {
		return err
	}
	return s.journal.replace(hex.EncodeToString(generation), true)
}

// openJournal begins to write the journal in a folder.
func (s *Store) openJournal(ctx context.Context, folder string) error {
	generation, err := s.Generation(ctx)
	if err != nil {
		return err
	}
	s.journal = newJournalWriter(folder, hex.EncodeToString(generation), s.Now)
	if err := s.checkMissingJournal(ctx); err != nil {
		return err
	}
	if err := s.CheckHistory(ctx); err != nil {
		return err
	}
	for _, c := range []*conn{s.writers, s.recorders} {
		c.journal = s.journal
	}
	return nil
}

// closeJournal syncs and closes the journal.
func (s *Store) closeJournal() error {
	if s.journal == nil {
		return nil
	}
	return s.journal.current().Close()
}
