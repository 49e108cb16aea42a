package app

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/tidings-press/tidings/internal/delivery"
	"github.com/tidings-press/tidings/internal/schedule"
	"github.com/tidings-press/tidings/internal/store"
)

// DigestView is a digest with its next times.
type DigestView struct {
	Name        string      `json:"name"`
	Title       string      `json:"title"`
	Schedule    string      `json:"schedule"` // in words
	Spec        string      `json:"spec"`
	Subscribers int64       `json:"subscribers"`
	Next        []time.Time `json:"next"`
}

// Digests returns the configured digests with their next three times.
func (s *Service) Digests(ctx context.Context) ([]DigestView, error) {
	out := []DigestView{}
	now := s.Store.Now()
	for _, d := range s.Config.Digests {
		times, err := schedule.Parse(d.Schedule, d.Timezone)
		if err != nil {
			return nil, err
		}
		count, err := s.Store.CountActive(ctx, d.Name)
		if err != nil {
			return nil, err
		}
		view := DigestView{Name: d.Name, Title: d.Title.String(), Schedule: times.Describe().String(), Spec: d.Schedule, Subscribers: count, Next: []time.Time{}}
		for _, tick := range times.NextN(now, 3) {
			view.Next = append(view.Next, tick.At)
		}
		out = append(out, view)
	}
	return out, nil
}

// Queue is the backlog of a digest.
type Queue struct {
	Digest string
	delivery.Backlog
}

// Queues returns the backlog of each configured digest that has run.
func (s *Service) Queues(ctx context.Context) ([]Queue, error) {
	var out []Queue
	for i := range s.Config.Digests {
		def, err := definition(s.Config, &s.Config.Digests[i])
		if err != nil {
			return nil, err
		}
		backlog, err := delivery.BacklogOf(ctx, s.Store, &def, time.Time{})
		if errors.Is(err, store.ErrNotFound) {
			continue
		}
		if err != nil {
			return nil, err
		}
		out = append(out, Queue{def.Name, backlog})
	}
	return out, nil
}

// FindEdition finds an edition by its id, or by the beginning of it if that is unique among
// recent editions.
func (s *Service) FindEdition(ctx context.Context, id string) (store.Edition, error) {
	edition, err := s.Store.Edition(ctx, id)
	if !errors.Is(err, store.ErrNotFound) {
		return edition, err
	}
	const recent = 200
	found, listErr := s.Store.Editions(ctx, "", recent)
	if listErr != nil {
		return edition, listErr
	}
	var fits []store.Edition
	for _, one := range found {
		if len(id) >= 4 && strings.HasPrefix(one.ID, id) {
			fits = append(fits, one)
		}
	}
	if len(fits) == 1 {
		return s.Store.Edition(ctx, fits[0].ID)
	}
	return edition, fmt.Errorf("unknown edition %q; \"tidings digest status\" shows the ids", id)
}
