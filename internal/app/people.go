package app

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/tidings-press/tidings/internal/store"
	"github.com/tidings-press/tidings/internal/subscriber"
)

// NewSubscriber is a person whom an editor puts on digests.
type NewSubscriber struct {
	Address  subscriber.Address
	Name     string
	Language string
	Digests  []string // all when empty
	Topics   []string
	Consent  string
}

// AddSubscriber puts a person on digests, and adds them when they are not there.
func (p *Service) AddSubscriber(ctx context.Context, n NewSubscriber) (subscriber.Subscriber, error) {
	if err := p.CheckDigests(n.Digests); err != nil {
		return subscriber.Subscriber{}, err
	}
	if len(n.Digests) == 0 {
		n.Digests = p.DigestNames()
	}
	if err := p.checkTopics(ctx, n.Digests, n.Topics); err != nil {
		return subscriber.Subscriber{}, err
	}
	person, err := p.Store.AddSubscriber(ctx, subscriber.Subscriber{
		Address:  n.Address,
		Name:     subscriber.NormalizeName(n.Name),
		Language: n.Language,
		State:    subscriber.Active,
		Consent:  subscriber.Consent{Source: "editor", Text: n.Consent, At: p.Store.Now()},
	})
	if errors.Is(err, store.ErrExists) {
		person, err = p.Store.SubscriberByAddress(ctx, n.Address)
	}
	var held *store.SuppressedError
	if errors.As(err, &held) {
		err = fmt.Errorf("%w; ask them to subscribe on the site, or run \"tidings subscriber suppress --lift\" if they asked for it", err)
	}
	if err != nil {
		return person, err
	}
	if person.State != subscriber.Active && person.State != subscriber.Pending && person.State != subscriber.Paused {
		return person, fmt.Errorf("%s is %s; ask them to subscribe on the site", person.Address, person.State)
	}
	for _, digest := range n.Digests {
		if err := p.Store.Subscribe(ctx, person.ID, digest, n.Topics); err != nil {
			return person, err
		}
	}
	return person, nil
}

// FindSubscriber finds a person by address.
func (p *Service) FindSubscriber(ctx context.Context, address subscriber.Address) (subscriber.Subscriber, error) {
	found, err := p.Store.SubscriberByAddress(ctx, address)
	if errors.Is(err, store.ErrNotFound) {
		err = fmt.Errorf("no subscriber has the address %s; \"tidings subscriber list\" shows them", address)
	}
	return found, err
}

// DigestNames are the names of all digests.
func (p *Service) DigestNames() []string {
	names := make([]string, len(p.Config.Digests))
	for i, d := range p.Config.Digests {
		names[i] = d.Name
	}
	return names
}

// Zone is the site's timezone, in which the days of articles begin.
func (p *Service) Zone() *time.Location {
	if zone, err := time.LoadLocation(p.Config.Site.Timezone); err == nil {
		return zone
	}
	return time.UTC
}

// CheckDigests says which of some names is no digest.
func (p *Service) CheckDigests(names []string) error {
	known := p.DigestNames()
	for _, name := range names {
		if !slices.Contains(known, name) {
			return fmt.Errorf("unknown digest %q; configured digests: %s", name, strings.Join(known, ", "))
		}
	}
	return nil
}

// ExportSubscribers writes a list that ImportSubscribers reads back.
func (p *Service) ExportSubscribers(ctx context.Context, w io.Writer, query store.SubscriberQuery) error {
	list, err := subscriber.NewListWriter(w)
	if err != nil {
		return err
	}
	for one, err := range p.Store.Subscribers(ctx, query) {
		if err != nil {
			return err
		}
		if one.Subscriber.State == subscriber.Erased {
			continue // nothing is left to export
		}
		if err := list.Write(one.Subscriber, one.Subscriptions); err != nil {
			return err
		}
	}
	return list.Flush()
}
