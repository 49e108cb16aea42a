package subscription

import (
	"cmp"
	"context"
	"errors"

	"github.com/tidings-press/tidings/internal/store"
	"github.com/tidings-press/tidings/internal/subscriber"
	"github.com/tidings-press/tidings/internal/words"
)

// AddPending adds a person who gets mail once they confirm it. The caller sends the confirmation.
func (m Manager) AddPending(ctx context.Context, n NewSubscriber) (subscriber.Subscriber, error) {
	if err := m.checkNew(&n); err != nil {
		return subscriber.Subscriber{}, err
	}
	added, err := m.Store.AddSubscriber(ctx, n.subscriber(subscriber.Pending, subscriber.Consent{}))
	return added, refusal(err)
}

// AddAgreed adds a person who agreed in writing, and subscribes them to digests.
func (m Manager) AddAgreed(ctx context.Context, n NewSubscriber, s Statement) (subscriber.Subscriber, error) {
	if err := m.checkNew(&n); err != nil {
		return subscriber.Subscriber{}, err
	}
	consent, err := s.consent()
	if err == nil {
		err = m.Store.CheckConsent(consent)
	}
	if err != nil {
		return subscriber.Subscriber{}, err
	}
	added, err := m.Store.AddSubscriber(ctx, n.subscriber(subscriber.Active, consent))
	if err != nil {
		return added, refusal(err)
	}
	for _, name := range n.Digests {
		if err := m.Store.Subscribe(ctx, added.ID, name, nil); err != nil {
			return added, err
		}
	}
	return added, nil
}

// checkNew checks what an editor enters for a new person.
func (m Manager) checkNew(n *NewSubscriber) (err error) {
	if len(n.Digests) == 0 {
		return store.InvalidInput(words.T("choose at least one digest"))
	}
	if err := m.Config.CheckDigests(n.Digests); err != nil {
		return store.InvalidInput(words.T("{0}", err))
	}
	n.MailLanguage, err = parseLanguage(n.MailLanguage)
	return err
}

func (n NewSubscriber) subscriber(state subscriber.State, consent subscriber.Consent) subscriber.Subscriber {
	return subscriber.Subscriber{
		Address: n.Address, Name: subscriber.NormalizeName(n.Name), State: state,
		Language: n.Language, MailLanguage: cmp.Or(n.MailLanguage, n.Language), Consent: consent,
	}
}

// refusal returns the error of the store in the form that an editor can correct.
func refusal(err error) error {
	var held *store.SuppressedError
	switch {
	case errors.Is(err, store.ErrExists):
		return store.InvalidInput(words.T("this address is in the list already; search for it and open its page"))
	case errors.As(err, &held):
		return store.InvalidInput(words.T("this address is suppressed, so it cannot be added; the person can subscribe on the site, or an editor can lift the suppression on the person’s page"))
	}
	return err
}
