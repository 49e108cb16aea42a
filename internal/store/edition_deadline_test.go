package store_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/tidings-press/tidings/internal/digest"
	"github.com/tidings-press/tidings/internal/store"
	"github.com/tidings-press/tidings/internal/testkit/storetest"
)

// TestDeadlineIsDecidedForTheDraftThatWasReadOnly: when a node decides about a draft whose time has
// come, another node may have added the articles of the next tick to it in the meantime. Then the
// draft has a later time, and must neither be sent with articles that no editor has seen, nor held,
// nor cancelled.
func TestDeadlineIsDecidedForTheDraftThatWasReadOnly(t *testing.T) {
	t.Parallel()
	for name, decide := range map[string]func(ctx context.Context, s *store.Store, e store.Edition) error{
		"send": func(ctx context.Context, s *store.Store, e store.Edition) error {
			return s.SendDraft(ctx, e, store.Approval{Name: "schedule", At: s.Now()})
		},
		"hold": func(ctx context.Context, s *store.Store, e store.Edition) error { return s.HoldDueDraft(ctx, e) },
		"skip": func(ctx context.Context, s *store.Store, e store.Edition) error {
			return s.SkipDraft(ctx, e, "skipped")
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			storetest.Each(t, func(t *testing.T, s *store.Store) {
				was, update := dueDraft(t, s)
				next := was
				next.Articles, next.SendAt, next.Created = []string{"a1", "a2"}, was.SendAt.Add(24*time.Hour), s.Now()
				if err := s.ReplaceDraft(t.Context(), was, next, "tick2", update); err != nil {
					t.Fatal(err)
				}
				var changed *store.StateError
				if err := decide(t.Context(), s, was); !errors.As(err, &changed) {
					t.Errorf("decided about the joined draft: %v", err)
				}
				got, err := s.Edition(t.Context(), was.ID)
				if err != nil || got.State != digest.Draft || got.Automatic || got.Held != "" || !got.SendAt.Equal(next.SendAt) {
					t.Errorf("the joined draft is now %+v, %v", got, err)
				}
				if err := decide(t.Context(), s, got); err != nil {
					t.Errorf("not decided about the draft as it is: %v", err)
				}
			})
		})
	}
}

// TestDraftThatWasHeldMeanwhileIsNotReplaced: the hold of an editor would be lost.
func TestDraftThatWasHeldMeanwhileIsNotReplaced(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		was, update := dueDraft(t, s)
		if err := s.HoldDraft(t.Context(), was.ID, "held by ann"); err != nil {
			t.Fatal(err)
		}
		if err := s.ReplaceDraft(t.Context(), was, was, "tick2", update); err != store.ErrTaken {
			t.Errorf("replaced: %v", err)
		}
		held, err := s.Edition(t.Context(), was.ID)
		if err != nil || held.Held != "held by ann" {
			t.Errorf("held is %q, %v", held.Held, err)
		}
		if err := s.ReplaceDraft(t.Context(), held, held, "tick2", update); err != nil {
			t.Errorf("the draft as it is was not replaced: %v", err)
		}
	})
}

// dueDraft stores a draft whose time has come, and returns the update of the schedule for the tick
// after it.
func dueDraft(t *testing.T, s *store.Store) (store.Edition, store.ScheduleUpdate) {
	t.Helper()
	at := s.Now().Truncate(time.Millisecond)
	if _, err := s.EnsureDigest(t.Context(), store.DigestState{Name: "weekly", Spec: "x", Next: at, NextKey: "tick1"}); err != nil {
		t.Fatal(err)
	}
	e := store.Edition{Edition: digest.Edition{ID: "e1", Digest: "weekly", ScheduledFor: "tick1", Articles: []string{"a1"}, Created: at}, SendAt: at}
	if _, err := s.CreateDraft(t.Context(), e, &store.ScheduleUpdate{From: at, Next: at.Add(time.Hour), NextKey: "tick2"}); err != nil {
		t.Fatal(err)
	}
	e, err := s.Edition(t.Context(), "e1")
	if err != nil {
		t.Fatal(err)
	}
	return e, store.ScheduleUpdate{From: at.Add(time.Hour), Next: at.Add(2 * time.Hour), NextKey: "tick3"}
}
