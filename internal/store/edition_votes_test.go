package store_test

import (
	"sync"
	"testing"

	"github.com/tidings-press/tidings/internal/digest"
	"github.com/tidings-press/tidings/internal/store"
	"github.com/tidings-press/tidings/internal/testkit/storetest"
)

func TestVotesAreCountedUpToTheRecipients(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		e := store.Edition{Seq: 7, Edition: digest.Edition{ID: "an edition"}}
		e.Recipients.Count = 5
		var all sync.WaitGroup
		for i := range 8 {
			all.Go(func() {
				if _, err := s.Vote(t.Context(), e, i%2 == 0); err != nil {
					t.Error(err)
				}
			})
		}
		all.Wait()
		if votes, err := s.Votes(t.Context(), 7); err != nil || votes.Total() != 5 || votes.Helpful < 1 || votes.Unhelpful < 1 {
			t.Errorf("%+v, %v; want 5 votes of both kinds", votes, err)
		}
		if counted, err := s.Vote(t.Context(), e, true); counted || err != nil {
			t.Errorf("a vote more than there are recipients: %v, %v", counted, err)
		}
		if votes, err := s.Votes(t.Context(), 8); err != nil || votes != (store.Votes{}) {
			t.Errorf("an edition without votes: %+v, %v", votes, err)
		}
	})
}
