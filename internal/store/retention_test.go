package store_test

import (
	"testing"
	"time"

	"github.com/tidings-press/tidings/internal/store"
	"github.com/tidings-press/tidings/internal/testkit/storetest"
)

func TestRetentionRemovesOnlyOldDeliveries(t *testing.T) {
	t.Parallel()
	for _, engine := range storetest.Engines {
		t.Run(string(engine), func(t *testing.T) {
			t.Parallel()
			dsn := restoreStored(t, storedSchemas(t)[0], engine)
			if _, err := store.Migrate(t.Context(), dsn, store.Options{}); err != nil {
				t.Fatal(err)
			}
			s := storetest.Reopen(t, dsn, store.Options{})
			before := contentOf(t, s.DB())
			now := s.Now()
			for _, statement := range []string{
				"UPDATE editions SET finished = 1000, state = 'sent' WHERE seq = 1", "UPDATE editions SET state = 'sending' WHERE seq = 2",
				"UPDATE feedback SET at = 1000", "UPDATE jobs SET finished = 1000 WHERE state = 'failed'",
			} {
				if _, err := s.DB().ExecContext(t.Context(), statement); err != nil {
					t.Fatal(err)
				}
			}
			if removed, err := s.Prune(t.Context(), store.Retention{}); err != nil || removed.Deliveries+removed.Feedback+removed.Jobs != 0 {
				t.Errorf("without a retention it removed %+v, %v", removed, err)
			}
			cutoff := now.Add(-24 * time.Hour)
			removed, err := s.Prune(t.Context(), store.Retention{Deliveries: cutoff, Feedback: cutoff, Jobs: cutoff})
			if err != nil || removed.Deliveries != 7 || removed.Variants != 1 || removed.Feedback != 1 || removed.Jobs != 1 {
				t.Errorf("removed %+v, %v", removed, err)
			}
			after := contentOf(t, s.DB())
			for _, table := range []string{"ledger", "ticks", "subscribers", "subscriptions", "suppressions", "chunks", "edition_articles", "articles", "redirects"} {
				if before[table] != after[table] {
					t.Errorf("%s changed", table)
				}
			}
			first, err := s.EditionBySeq(t.Context(), 1)
			if err != nil {
				t.Fatal(err)
			}
			if v, err := s.FullVariant(t.Context(), first.Seq); err != nil || v.HTML == "" {
				t.Errorf("the page of the edition cannot be read: %v", err)
			}
			if counts, err := s.EditionCounts(t.Context(), first.Seq); err != nil || counts.Total != 7 {
				t.Errorf("the counts of the edition are %+v, %v", counts, err)
			}
			var open int
			if err := s.DB().QueryRowContext(t.Context(), "SELECT count(*) FROM deliveries WHERE edition = 2").Scan(&open); err != nil || open != 7 {
				t.Errorf("%d deliveries of the edition that is being sent, %v", open, err)
			}
		})
	}
}
