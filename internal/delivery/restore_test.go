package delivery_test

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/tidings-press/tidings/internal/archive"
	"github.com/tidings-press/tidings/internal/delivery"
	"github.com/tidings-press/tidings/internal/digest"
	"github.com/tidings-press/tidings/internal/journal"
	"github.com/tidings-press/tidings/internal/store"
	"github.com/tidings-press/tidings/internal/subscriber"
	"github.com/tidings-press/tidings/internal/testkit"
	"github.com/tidings-press/tidings/internal/testkit/sink"
	"github.com/tidings-press/tidings/internal/testkit/storetest"
)

// restorable is an env whose store can be lost and restored.
type restorable struct {
	*env
	journal string // folder; empty for none
}

// restoredLease is short, since a restored store holds leases of nodes that have ended.
const restoredLease = 4 * time.Second

// eachRestorable runs a test on both engines, with a journal or without.
func eachRestorable(t *testing.T, withJournal bool, wire sink.Options, test func(r *restorable)) {
	t.Helper()
	for _, kind := range storetest.Engines {
		t.Run(string(kind), func(t *testing.T) {
			t.Parallel()
			r := &restorable{env: setup(t, kind, wire)}
			r.options.Lease = restoredLease
			if withJournal {
				r.journal = filepath.Join(t.TempDir(), "journal")
			}
			_ = r.store.Close()
			r.reopen()
			test(r)
		})
	}
}

// reopen opens the store again, with its journal.
func (r *restorable) reopen() {
	r.t.Helper()
	s, err := store.Open(r.t.Context(), r.dsn, store.Options{Journal: r.journal})
	if err != nil {
		r.t.Fatal(err)
	}
	r.t.Cleanup(func() { _ = s.Close() })
	keys, err := s.Keys(r.t.Context())
	if err != nil {
		r.t.Fatal(err)
	}
	r.store, r.options.Store, r.options.Keys = s, s, keys
}

func (r *restorable) backUp() string {
	r.t.Helper()
	path := filepath.Join(r.t.TempDir(), "backup.tidings")
	if _, err := archive.Create(path, func(w io.Writer) error { return store.Backup(r.t.Context(), r.dsn, store.Options{}, w) }); err != nil {
		r.t.Fatal(err)
	}
	return path
}

// restore deletes the store and restores a backup of it.
func (r *restorable) restore(file string) store.RestoredStore {
	r.t.Helper()
	r.stop()
	if err := r.store.Close(); err != nil {
		r.t.Fatal(err)
	}
	restored, err := store.Restore(r.t.Context(), r.dsn, file, store.RestoreOptions{Options: store.Options{Journal: r.journal}, Replace: true})
	if err != nil {
		r.t.Fatal(err)
	}
	r.reopen()
	r.start()
	return restored
}

// wantNothingSent checks that a quarantined store sends nothing.
func (r *restorable) wantNothingSent() {
	r.t.Helper()
	ctx := r.t.Context()
	if q, err := r.store.Quarantine(ctx); err != nil || q == nil {
		r.t.Fatalf("quarantine %+v, %v", q, err)
	}
	before := len(r.server.Mails())
	if _, err := r.engine.SendNow(ctx, "weekly", "ann"); !errors.Is(err, store.ErrQuarantined) {
		r.t.Errorf("send now: %v", err)
	}
	if _, err := r.engine.SendTest(ctx, "weekly", delivery.PreviewOptions{Sample: true}, subscriber.MustParseAddress("ann@example.org")); !errors.Is(err, store.ErrQuarantined) && !errors.Is(err, delivery.ErrNothingNew) {
		r.t.Error("a test mail was sent")
	}
	if c, err := r.store.ClaimChunk(ctx, "other", time.Minute); c != nil || err != nil {
		r.t.Errorf("a chunk was claimed: %+v, %v", c, err)
	}
	if after := len(r.server.Mails()); after != before {
		r.t.Errorf("%d mails were sent in quarantine", after-before)
	}
}

func (r *restorable) release() []store.QuarantinedEdition {
	r.t.Helper()
	q, err := r.store.Quarantine(r.t.Context())
	if err != nil || q == nil {
		r.t.Fatal(err)
	}
	editions, err := r.engine.Release(r.t.Context(), !q.Journal)
	if err != nil {
		r.t.Fatal(err)
	}
	return editions
}

// unsubscribeAndErase unsubscribes some subscribers and erases others.
func (r *restorable) unsubscribeAndErase(unsubscribed, erased string) {
	r.t.Helper()
	for address, act := range map[string]func(id int64) error{
		unsubscribed: func(id int64) error { return r.store.Unsubscribe(r.t.Context(), id, "weekly") },
		erased:       func(id int64) error { return r.store.Erase(r.t.Context(), id) },
	} {
		sub, err := r.store.SubscriberByAddress(r.t.Context(), subscriber.MustParseAddress(address))
		if err == nil {
			err = act(sub.ID)
		}
		if err != nil {
			r.t.Fatal(err)
		}
	}
}

// counts checks how many mails some subscribers have, and how many all others have.
func (r *restorable) counts(n, others int, some map[string]int) {
	r.t.Helper()
	got := r.server.Received()
	for i := range n {
		address := fmt.Sprintf("reader%d@example.org", i)
		want, named := some[address]
		if !named {
			want = others
		}
		if got[address] != want {
			r.t.Errorf("%s has %d mails, want %d", address, got[address], want)
		}
	}
}

func TestRestoreFromBeforeEditionRepeatsNoMail(t *testing.T) {
	testkit.Slow(t)
	t.Parallel()
	eachRestorable(t, true, sink.Options{}, func(r *restorable) {
		r.addSubscribers(200)
		r.addArticle("ferries")
		r.start()
		file := r.backUp()
		r.addArticle("swifts")
		e := r.send()
		r.sent(e.ID)
		r.unsubscribeAndErase("reader3@example.org", "reader4@example.org")

		if restored := r.restore(file); !restored.Journal {
			r.t.Errorf("the journal was not read: %+v", restored)
		}
		r.wantNothingSent()
		q, err := r.store.Quarantine(r.t.Context())
		if err != nil || q.Unsubscribed != 1 || q.Erased != 1 || q.Suppressed == 0 || !q.Journal {
			r.t.Errorf("quarantine %+v, %v", q, err)
		}
		editions := r.release()
		if len(editions) != 1 || editions[0].ID != e.ID || editions[0].Subject != e.Subject || editions[0].Audience != 200 || editions[0].Stored != "" || editions[0].Decision != store.DecideSent {
			r.t.Errorf("editions %+v", editions)
		}
		r.addArticle("swifts") // imported again
		if _, err := r.engine.SendNow(r.t.Context(), "weekly", "ann"); !errors.Is(err, delivery.ErrNothingNew) {
			r.t.Errorf("both articles were mailed before: %v", err)
		}
		r.addArticle("herons")
		next := r.send()
		if next.Number != e.Number+1 {
			r.t.Errorf("the next edition has the number %d, the lost one had %d", next.Number, e.Number)
		}
		r.sent(next.ID)
		r.counts(200, 2, map[string]int{"reader3@example.org": 1, "reader4@example.org": 1})
	})
}

func TestRestoreFromMidEditionRepeatsNoMail(t *testing.T) {
	testkit.Slow(t)
	t.Parallel()
	eachRestorable(t, true, sink.Options{Delay: 2e6}, func(r *restorable) {
		r.addSubscribers(300)
		r.addArticle("ferries")
		r.start()
		e := r.send()
		r.untilProgress(e.ID, "under way", func(p progress) bool { return p.Counts.Sent > 50 })
		file := r.backUp()
		r.sent(e.ID)
		r.restore(file)
		r.wantNothingSent()
		editions := r.release()
		if len(editions) != 1 || editions[0].Decision != store.DecideSent || editions[0].Ended.IsZero() || editions[0].Stored != digest.Sending {
			r.t.Errorf("editions %+v", editions)
		}
		p := r.sent(e.ID)
		if p.Counts.Sent != 300 || p.Counts.Total != 300 {
			r.t.Errorf("counts %+v", p.Counts)
		}
		r.wantOneMailEach(300)
	})
}

func TestPartlySentEditionContinuesWithRemainingSubscribers(t *testing.T) {
	testkit.Slow(t)
	t.Parallel()
	eachRestorable(t, true, sink.Options{Delay: 2e6}, func(r *restorable) {
		r.addSubscribers(300)
		r.addArticle("ferries")
		r.options.Relays[0].PerHour = 200 // so that a part remains, however slow the backup is
		r.start()
		e := r.send()
		r.untilProgress(e.ID, "begun", func(p progress) bool { return p.Counts.Sent > 20 })
		file := r.backUp()
		r.untilProgress(e.ID, "further", func(p progress) bool { return p.Counts.Sent > 120 })
		r.stop()
		before := len(r.server.Mails())
		r.options.Relays[0].PerHour = 0
		r.restore(file)
		r.wantNothingSent()
		editions, err := r.store.QuarantinedEditions(r.t.Context())
		if err != nil || len(editions) != 1 || editions[0].Decision != "" || editions[0].Recorded != int64(before) {
			r.t.Fatalf("editions %+v, %v; %d mails had been sent", editions, err, before)
		}
		if err := r.store.DecideQuarantined(r.t.Context(), e.ID, store.DecideContinue); err != nil {
			r.t.Fatal(err)
		}
		r.release()
		r.sent(e.ID)
		r.wantOneMailEach(300)
	})
}

func TestPartlySentDraftContinuesWithRemainingSubscribers(t *testing.T) {
	testkit.Slow(t)
	t.Parallel()
	eachRestorable(t, true, sink.Options{Delay: 2e6}, func(r *restorable) {
		r.addSubscribers(300)
		r.addArticle("ferries")
		r.start()
		e, err := r.engine.Draft(r.t.Context(), "weekly", delivery.SendOptions{By: "ann"})
		if err != nil {
			r.t.Fatal(err)
		}
		file := r.backUp()
		if _, err := r.engine.Approve(r.t.Context(), e.ID); err != nil {
			r.t.Fatal(err)
		}
		r.untilProgress(e.ID, "begun", func(p progress) bool { return p.Counts.Sent > 100 })
		r.restore(file)
		r.wantNothingSent()
		if err := r.store.DecideQuarantined(r.t.Context(), e.ID, store.DecideContinue); err != nil {
			r.t.Fatal(err)
		}
		r.release()
		if _, err := r.engine.Approve(r.t.Context(), e.ID); err != nil {
			r.t.Fatal(err)
		}
		r.sent(e.ID)
		r.wantOneMailEach(300)
	})
}

func TestRestoreWithoutJournalHoldsEditions(t *testing.T) {
	testkit.Slow(t)
	t.Parallel()
	eachRestorable(t, false, sink.Options{Delay: 2e6}, func(r *restorable) {
		r.addSubscribers(300)
		r.addArticle("ferries")
		r.options.Relays[0].PerHour = 200 // so that a part remains, however slow the backup is
		r.start()
		e := r.send()
		r.untilProgress(e.ID, "begun", func(p progress) bool { return p.Counts.Sent > 20 })
		file := r.backUp()
		r.stop()
		r.options.Relays[0].PerHour = 0
		r.start()
		r.sent(e.ID)
		if restored := r.restore(file); restored.Journal {
			r.t.Errorf("restored %+v", restored)
		}
		r.wantNothingSent()
		editions := r.release()
		if len(editions) != 1 || editions[0].Decision != store.DecideHold || !editions[0].Began.IsZero() {
			r.t.Errorf("editions %+v", editions)
		}
		r.untilProgress(e.ID, "held", func(p progress) bool { return p.Edition.State == digest.Paused })
		if c, err := r.store.ClaimChunk(r.t.Context(), "other", time.Minute); c != nil || err != nil {
			r.t.Errorf("a chunk was claimed: %+v, %v", c, err)
		}
		r.wantOneMailEach(300)
	})
}

func TestRestoreWithoutJournalDoesNotResendArticles(t *testing.T) {
	testkit.Slow(t)
	t.Parallel()
	eachRestorable(t, false, sink.Options{}, func(r *restorable) {
		r.addSubscribers(20)
		r.addArticle("ferries")
		r.start()
		r.sent(r.send().ID)
		file := r.backUp()
		dated := r.store.Now()
		r.addDatedArticle("swifts", dated)
		r.sent(r.send().ID)
		r.restore(file)
		r.release()
		r.addDatedArticle("swifts", dated) // imported again
		if _, err := r.engine.SendNow(r.t.Context(), "weekly", "ann"); !errors.Is(err, delivery.ErrNothingNew) {
			r.t.Errorf("the article was mailed before: %v", err)
		}
		r.addDatedArticle("herons", r.store.Now().Add(time.Millisecond))
		r.eventually("an edition of the new articles", func() bool {
			_, err := r.engine.SendNow(r.t.Context(), "weekly", "ann")
			return err == nil
		})
		r.eventually("its mails", func() bool { return len(r.server.Mails()) == 60 })
		r.counts(20, 3, nil)
	})
}

func TestTicksBetweenBackupAndRestoreDoNotFire(t *testing.T) {
	testkit.Slow(t)
	t.Parallel()
	for _, withJournal := range []bool{true, false} {
		t.Run(fmt.Sprint("journal ", withJournal), func(t *testing.T) {
			t.Parallel()
			eachRestorable(t, withJournal, sink.Options{}, func(r *restorable) {
				r.options.Digests[0].Schedule = secondsSchedule(r.t)
				r.addSubscribers(20)
				r.addArticle("ferries")
				r.newDeliveryEngine()
				file := r.backUp()
				r.start()
				r.eventually("the edition of a tick", func() bool { return len(r.server.Mails()) == 20 })
				r.restore(file)
				r.wantNothingSent()
				missed, err := r.engine.MissedTicks(r.t.Context())
				if err != nil || len(missed) != 1 || len(missed[0].Keys) == 0 {
					r.t.Errorf("missed ticks %+v, %v", missed, err)
				}
				r.release()
				r.eventually("later ticks", func() bool {
					ticks, err := r.store.Ticks(r.t.Context(), "weekly", 5)
					return err == nil && len(ticks) > 0 && strings.Contains(ticks[0].Reason, "nothing new")
				})
				r.wantOneMailEach(20)
			})
		})
	}
}

func TestOlderCopyOfTheFileIsQuarantined(t *testing.T) {
	testkit.Slow(t)
	t.Parallel()
	for _, part := range []bool{true, false} {
		t.Run(fmt.Sprint("part sent ", part), func(t *testing.T) {
			t.Parallel()
			b := setup(t, store.SQLite, sink.Options{Delay: 2e6})
			b.options.Lease = restoredLease
			r := &restorable{env: b, journal: filepath.Join(t.TempDir(), "journal")}
			_ = r.store.Close()
			r.reopen()
			r.addSubscribers(300)
			r.addArticle("ferries")
			r.start()
			old := filepath.Join(t.TempDir(), "old.db")
			copyStore := func() {
				if _, err := r.store.DB().ExecContext(t.Context(), "VACUUM INTO '"+old+"'"); err != nil {
					t.Fatal(err)
				}
			}
			if !part {
				copyStore()
			}
			e := r.send()
			r.untilProgress(e.ID, "begun", func(p progress) bool { return p.Counts.Sent > 60 })
			if part {
				copyStore()
			}
			r.untilProgress(e.ID, "further", func(p progress) bool { return p.Counts.Sent > 200 })
			r.stop()
			before := len(r.server.Mails())
			if err := r.store.Close(); err != nil {
				t.Fatal(err)
			}
			path := strings.TrimPrefix(r.dsn, "sqlite:")
			if err := os.Rename(old, path); err != nil {
				t.Fatal(err)
			}
			r.reopen()
			q, err := r.store.Quarantine(t.Context())
			if err != nil || q == nil || q.Reason != store.OlderStore {
				t.Fatalf("quarantine %+v, %v", q, err)
			}
			r.start()
			r.wantNothingSent()
			editions, err := r.store.QuarantinedEditions(t.Context())
			if err != nil || len(editions) != 1 || editions[0].Recorded != int64(before) {
				t.Errorf("editions %+v, %v; %d mails had been sent", editions, err, before)
			}
			if part {
				if err := r.store.DecideQuarantined(t.Context(), e.ID, store.DecideContinue); err != nil {
					t.Fatal(err)
				}
			}
			r.release()
			if part {
				r.sent(e.ID)
				r.wantOneMailEach(300)
				return
			}
			if _, err := r.engine.SendNow(t.Context(), "weekly", "ann"); !errors.Is(err, delivery.ErrNothingNew) {
				t.Errorf("its article was mailed before: %v", err)
			}
			r.wantOneMailEach(before)
		})
	}
}

func TestJournalOfAnotherStoreIsRefused(t *testing.T) {
	t.Parallel()
	folder := filepath.Join(t.TempDir(), "journal")
	s, err := store.Open(t.Context(), storetest.DSN(t, store.SQLite), store.Options{Journal: folder})
	if err != nil {
		t.Fatal(err)
	}
	sub, err := s.AddSubscriber(t.Context(), subscriber.Subscriber{Address: subscriber.MustParseAddress("a@example.org"), State: subscriber.Active})
	if err == nil {
		err = s.UnsubscribeAll(t.Context(), sub.ID)
	}
	if err := errors.Join(err, s.Subscribe(t.Context(), sub.ID, "weekly", nil), s.Close()); err != nil {
		t.Fatal(err)
	}
	// The file was lost, and the next start would make an empty store.
	var other *journal.OtherError
	if _, err := store.Open(t.Context(), storetest.DSN(t, store.SQLite), store.Options{Journal: folder}); !errors.As(err, &other) {
		t.Errorf("an empty store with the journal of another store: %v", err)
	}
}
