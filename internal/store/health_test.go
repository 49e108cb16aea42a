package store_test

import (
	"errors"
	"io/fs"
	"os"
	"testing"
	"time"

	"github.com/tidings-press/tidings/internal/store"
	"github.com/tidings-press/tidings/internal/testkit/storetest"
)

func TestOneNodeSendsEachAlert(t *testing.T) {
	t.Parallel()
	for _, engine := range storetest.Engines {
		t.Run(string(engine), func(t *testing.T) {
			t.Parallel()
			now := time.Now()
			dsn := storetest.DSN(t, engine)
			clock := func() time.Time { return now }
			one := storetest.Reopen(t, dsn, store.Options{Clock: clock})
			two := storetest.Reopen(t, dsn, store.Options{Clock: clock})
			take := func(s *store.Store, cause string) bool {
				got, err := s.ClaimAlert(t.Context(), cause, time.Hour)
				if err != nil {
					t.Fatal(err)
				}
				return got
			}
			if !take(one, "disk") || take(two, "disk") || take(one, "disk") || !take(two, "relay") {
				t.Error("an alert is sent twice, or that of another cause is not sent")
			}
			now = now.Add(time.Hour)
			if !take(two, "disk") || take(one, "disk") {
				t.Error("after an hour the alert is not sent again")
			}
		})
	}
}

func TestLagIsTheAgeOfTheOldestDueWork(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		ctx := t.Context()
		if lag, err := s.Lag(ctx, []string{"weekly"}); err != nil || lag != (store.Lag{}) {
			t.Errorf("without any work: %+v, %v", lag, err)
		}
		now := s.Now()
		for name, next := range map[string]time.Time{"weekly": now.Add(-time.Minute), "gone": now.Add(-time.Hour), "later": now.Add(time.Hour)} {
			if _, err := s.EnsureDigest(ctx, store.DigestState{Name: name, Spec: "x", Since: now, Next: next, NextKey: "k"}); err != nil {
				t.Fatal(err)
			}
		}
		for _, due := range []time.Duration{-10 * time.Minute, -time.Minute, time.Minute} {
			if _, err := s.Enqueue(ctx, store.Job{Kind: "notice", Key: due.String(), Due: now.Add(due)}); err != nil {
				t.Fatal(err)
			}
		}
		lag, err := s.Lag(ctx, []string{"weekly", "later"})
		if err != nil || lag.Tick < time.Minute || lag.Tick > 5*time.Minute || lag.Job < 10*time.Minute || lag.Job > 20*time.Minute || lag.Chunk != 0 {
			t.Errorf("%+v, %v", lag, err)
		}
	})
}

func TestProbeDetectsADeletedFile(t *testing.T) {
	t.Parallel()
	path := t.TempDir() + "/tidings.db"
	s := storetest.Reopen(t, "sqlite:"+path, store.Options{})
	if err := s.Probe(t.Context(), "node"); err != nil {
		t.Fatal(err)
	}
	for _, file := range []string{path + "-wal", path} {
		if err := os.Rename(file, file+".away"); err != nil {
			t.Fatal(err)
		}
		err := s.Probe(t.Context(), "node")
		if store.FaultOf(err) != store.FaultReplaced || !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("without %s: %v", file, err)
		}
		if err := os.Rename(file+".away", file); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.Probe(t.Context(), "node"); err != nil {
		t.Errorf("with the files back: %v", err)
	}
}
