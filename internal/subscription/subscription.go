// Package subscription adds, edits, imports and exports subscribers: what the commands and the admin
// do with them, under the rules of consent. Start with Manager.
package subscription

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"slices"

	"github.com/tidings-press/tidings/internal/config"
	"github.com/tidings-press/tidings/internal/store"
	"github.com/tidings-press/tidings/internal/subscriber"
)

// Manager changes the subscribers of a site. It holds no state.
type Manager struct {
	Store  *store.Store
	Config *config.Config
}

// NewSubscriber is a person to subscribe.
type NewSubscriber struct {
	Address  subscriber.Address
	Name     string
	Language string // of the articles to send; all when empty
	// MailLanguage is the language of mails to the person; Language when empty.
	MailLanguage string
	Digests      []string // when empty all, but those that an existing person left
	Topics       []string
	Consent      string
}

// Add subscribes a person to digests, and adds the person if they are new.
func (m Manager) Add(ctx context.Context, n NewSubscriber) (subscriber.Subscriber, error) {
	if err := m.Config.CheckDigests(n.Digests); err != nil {
		return subscriber.Subscriber{}, err
	}
	named := len(n.Digests) > 0
	if !named {
		n.Digests = m.Config.DigestNames()
	}
	if err := m.checkTopics(ctx, n.Digests, n.Topics); err != nil {
		return subscriber.Subscriber{}, err
	}
	person, err := m.Store.AddSubscriber(ctx, subscriber.Subscriber{
		Address:      n.Address,
		Name:         subscriber.NormalizeName(n.Name),
		Language:     n.Language,
		MailLanguage: cmp.Or(n.MailLanguage, n.Language),
		State:        subscriber.Active,
		Consent:      subscriber.Consent{Source: "editor", Text: n.Consent, At: m.Store.Now()},
	})
	if errors.Is(err, store.ErrExists) {
		person, err = m.Store.SubscriberByAddress(ctx, n.Address)
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
	if !named {
		left, err := m.Store.LeftDigests(ctx, person.ID)
		if err != nil {
			return person, err
		}
		n.Digests = slices.DeleteFunc(n.Digests, func(name string) bool { return slices.Contains(left, name) })
	}
	for _, digest := range n.Digests {
		if err := m.Store.Subscribe(ctx, person.ID, digest, n.Topics); err != nil {
			return person, err
		}
	}
	return person, nil
}

// Find finds a subscriber by address.
func (m Manager) Find(ctx context.Context, address subscriber.Address) (subscriber.Subscriber, error) {
	found, err := m.Store.SubscriberByAddress(ctx, address)
	if errors.Is(err, store.ErrNotFound) {
		err = fmt.Errorf("no subscriber has the address %s; \"tidings subscriber list\" shows them", address)
	}
	return found, err
}

// Export writes a list that an import reads back.
func (m Manager) Export(ctx context.Context, w io.Writer, query store.SubscriberQuery) error {
	return writeList(w, m.Store.Subscribers(ctx, query))
}

// ExportFound writes the subscribers that a filter selects as a list that an import reads back.
func (m Manager) ExportFound(ctx context.Context, w io.Writer, filter store.SubscriberFilter) error {
	return writeList(w, m.Store.AllFound(ctx, filter))
}

func writeList(w io.Writer, people iter.Seq2[store.ListedSubscriber, error]) error {
	list, err := subscriber.NewListWriter(w)
	if err != nil {
		return err
	}
	for one, err := range people {
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
