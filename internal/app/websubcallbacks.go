package app

import (
	"context"

	"github.com/tidings-press/tidings/internal/store"
	"github.com/tidings-press/tidings/internal/websub"
)

// callbacks is the store's table of subscriptions at our hub.
type callbacks struct{ store *store.Store }

func (c callbacks) Put(ctx context.Context, s websub.Subscription) error {
	return c.store.PutCallback(ctx, store.Callback{Topic: s.Topic, URL: s.Callback, Secret: s.Secret, Expires: s.Expires})
}

func (c callbacks) Drop(ctx context.Context, topic, callback string) error {
	return c.store.DropCallback(ctx, topic, callback)
}

func (c callbacks) Of(ctx context.Context, topic string) ([]websub.Subscription, error) {
	kept, err := c.store.Callbacks(ctx, topic)
	all := make([]websub.Subscription, len(kept))
	for i, one := range kept {
		all[i] = subscription(one)
	}
	return all, err
}

func (c callbacks) Find(ctx context.Context, topic, callback string) (websub.Subscription, error) {
	kept, err := c.store.Callback(ctx, topic, callback)
	if isNotFound(err) {
		err = websub.ErrNoSubscription
	}
	return subscription(kept), err
}

func subscription(c store.Callback) websub.Subscription {
	return websub.Subscription{Topic: c.Topic, Callback: c.URL, Secret: c.Secret, Expires: c.Expires, Sent: c.Version}
}

func (c callbacks) Sent(ctx context.Context, topic, callback, version string) error {
	return c.store.SetCallbackVersion(ctx, topic, callback, version)
}

func (c callbacks) Count(ctx context.Context, topic, callback string) (websub.Counts, error) {
	n, err := c.store.CountCallbacks(ctx, topic, callback)
	return websub.Counts(n), err
}
