package store

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"slices"
	"sync/atomic"
	"time"

	"github.com/tidings-press/tidings/internal/digest"
	"github.com/tidings-press/tidings/internal/journal"
)

// journaled are the named queries whose effect a restore from an older copy must not
// undo, and what the journal keeps of each. The transaction that ran one hands its
// records to the journal when it is committed.
var journaled = map[string]func(args []any) (journal.Record, bool){
	"suppression.put": func(args []any) (journal.Record, bool) {
		return journal.Suppress(hex.EncodeToString(args[0].([]byte)), args[1].(string)), true
	},
	"suppression.drop": func(args []any) (journal.Record, bool) {
		return journal.Lift(hex.EncodeToString(args[0].([]byte))), true
	},
	"subscriber.setState": func(args []any) (journal.Record, bool) {
		return journal.State(args[0].(int64), args[2].(string)), true
	},
	"subscriber.erase": func(args []any) (journal.Record, bool) {
		return journal.State(args[0].(int64), "erased"), true
	},
	"subscription.put": func(args []any) (journal.Record, bool) {
		return journal.Join(args[1].(int64), args[0].(string)), true
	},
	"subscription.leave": func(args []any) (journal.Record, bool) {
		return journal.Leave(args[1].(int64), args[0].(string)), true
	},
	"subscription.leaveAll": func(args []any) (journal.Record, bool) {
		return journal.Leave(args[0].(int64), ""), true
	},
	"edition.finish": func(args []any) (journal.Record, bool) {
		return journal.EndBySeq(args[0].(int64), string(digest.Sent)), true
	},
	"edition.setState": func(args []any) (journal.Record, bool) {
		state := digest.State(args[2].(string))
		ends := state == digest.Sent || state == digest.Cancelled || state == digest.Failed
		return journal.EndByID(args[0].(string), string(state)), ends
	},
}

// keeper writes the journal of a store.
type keeper struct {
	*journal.Journal
	folder string
	now    func() time.Time
	failed atomic.Pointer[error]
}

// append writes records. The store has committed what they say: a journal that cannot
// be written stops nothing, and JournalProblem tells.
func (k *keeper) append(mark int64, records ...journal.Record) {
	err := k.Append(k.now(), mark, records...)
	if err != nil {
		k.failed.Store(&err)
		return
	}
	k.failed.Store(nil)
}

// JournalProblem returns why the last record could not be kept in the journal, or
// nil.
func (s *Store) JournalProblem() error {
	if s.journal == nil {
		return nil
	}
	if err := s.journal.failed.Load(); err != nil {
		return *err
	}
	return nil
}

// JournalFolder is where the journal of the store is, empty when it has none.
func (s *Store) JournalFolder() string {
	if s.journal == nil {
		return ""
	}
	return s.journal.folder
}

// journalLimits bound the journal. After a year no backup is restored any more.
var journalLimits = journal.Limits{Size: 32 << 20, Keep: 400 * 24 * time.Hour}

// CompactJournal keeps the journal within its bounds.
func (s *Store) CompactJournal() error {
	if s.journal == nil {
		return nil
	}
	_, err := s.journal.Compact(s.Now(), journalLimits)
	return err
}

// record collects records for the journal until the transaction is committed.
func (c *conn) record(records ...journal.Record) {
	if c.records != nil {
		*c.records = append(*c.records, records...)
	}
}

// recordQuery keeps what a named query did, if it changed anything.
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

// advanceJournal takes the next mark in a transaction that has something to note.
func (c *conn) advanceJournal(ctx context.Context) (mark int64, err error) {
	if c.records == nil || len(*c.records) == 0 {
		return 0, nil
	}
	id, err := c.journal.ID()
	if err != nil {
		// A mail or an unsubscribe does not fail because a journal does.
		c.journal.failed.Store(&err)
		*c.records = nil
		return 0, nil
	}
	_, err = c.One(ctx, "journal.advance", []any{id}, &mark)
	return mark, err
}

// noteMails tells the journal which mails are about to leave, and which did not after
// all. It comes after the commit and before the first of them leaves.
func (s *Store) noteMails(batch *noteBatch, granted map[[2]int64]bool) {
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
	deferred, leaving := map[int64][]int64{}, map[int64][]int64{}
	for _, o := range batch.done {
		if o.State == digest.DeliveryDeferred {
			deferred[o.Chunk.Edition] = append(deferred[o.Chunk.Edition], o.Subscriber)
		}
	}
	for key, ok := range granted {
		if ok {
			leaving[key[0]] = append(leaving[key[0]], key[1])
		}
	}
	put(journal.Deferred, deferred)
	put(journal.Intents, leaving)
	if len(records) > 0 {
		s.journal.append(0, records...)
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
	tx.record(journal.Begin(journal.Edition{
		Seq: e.Seq, ID: e.ID, Digest: e.Digest, Number: e.Number, ScheduledFor: e.ScheduledFor, Subject: e.Subject, Audience: e.Recipients.Count, Articles: e.Articles,
	}))
	return nil
}

// sourceHash names where an article comes from in the journal: a source may be a path
// on the author's machine.
func sourceHash(source string) string {
	sum := sha256.Sum256([]byte(source))
	return hex.EncodeToString(sum[:12])
}

// articleID is the id of a new article: the one that an article from the same source
// had before a restore, or the fresh one.
func (c *conn) articleID(ctx context.Context, source, fresh string) (string, error) {
	id := fresh
	_, err := c.One(ctx, "quarantine.articleID", []any{sourceHash(source)}, &id)
	return id, err
}

// checkJournal compares the store with its journal at the start. A journal that is
// further shows that the store is an older copy: it is quarantined.
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
		return s.takeUpFormer(ctx, tail)
	}
	var mark int64
	if _, err := s.readers.One(ctx, "journal.mark", []any{tail.ID}, &mark); err != nil {
		return err
	}
	behind := int64(0)
	if tail.Edition != 0 {
		if _, err := s.readers.One(ctx, "journal.behind", []any{tail.Edition, jsonList(tail.Recipients)}, &behind); err != nil {
			return err
		}
	}
	if mark >= tail.Mark && behind == 0 {
		return nil
	}
	taken, err := journal.TimeOf(s.journal.folder, mark)
	if err != nil {
		return err
	}
	if taken.IsZero() {
		taken = s.Now()
	}
	if err := s.beginQuarantine(ctx, OlderStore, taken.Add(-time.Millisecond)); err != nil {
		return err
	}
	return s.takeUpJournal(ctx)
}

// takeUpFormer deals with a journal of another generation. One that the store had
// before a restore is taken up while its quarantine lasts, as those of several
// machines are; what it says comes too late after that.
func (s *Store) takeUpFormer(ctx context.Context, tail journal.Tail) error {
	var former int
	if _, err := s.readers.One(ctx, "generation.former", []any{tail.Generation}, &former); err != nil {
		return err
	}
	if former == 0 {
		return &journal.OtherError{Path: s.journal.folder, Generation: tail.Generation}
	}
	q, err := s.Quarantine(ctx)
	if err != nil {
		return err
	}
	if q == nil {
		_, err := journal.SetAside(s.journal.folder, s.Now())
		return err
	}
	return s.takeUpJournal(ctx)
}

// takeUpJournal has the store learn what its journal knows, and sets that aside.
func (s *Store) takeUpJournal(ctx context.Context) error {
	facts, err := journal.Read(s.journal.folder)
	if err != nil {
		return err
	}
	if err := s.takeUp(ctx, facts); err != nil {
		return err
	}
	fresh, err := s.Generation(ctx)
	if err != nil {
		return err
	}
	_, err = journal.SetAside(s.journal.folder, s.Now())
	s.journal.Journal = journal.New(s.journal.folder, hex.EncodeToString(fresh))
	return err
}

// openJournal begins to keep the journal in a folder.
func (s *Store) openJournal(ctx context.Context, folder string) error {
	generation, err := s.Generation(ctx)
	if err != nil {
		return err
	}
	keep := &keeper{Journal: journal.New(folder, hex.EncodeToString(generation)), folder: folder, now: s.Now}
	s.journal = keep
	if err := s.checkJournal(ctx); err != nil {
		return err
	}
	for _, c := range []*conn{s.writers, s.recorders} {
		c.journal = keep
	}
	return nil
}

// closeJournal brings the journal to disk.
func (s *Store) closeJournal() error {
	if s.journal == nil {
		return nil
	}
	return s.journal.Close()
}

// IsOtherJournal reports whether a store was not opened because the journal beside
// it belongs to another one.
func IsOtherJournal(err error) bool {
	var other *journal.OtherError
	return errors.As(err, &other)
}
