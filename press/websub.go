package press

import (
	"context"
	"maps"
	"net/http"
	"slices"
	"time"

	"github.com/tidings-press/tidings/feed/serve"
	"github.com/tidings-press/tidings/feed/websub"
	"github.com/tidings-press/tidings/store"
)

// HubPath is where our own WebSub hub answers. It is one when the configuration
// names it among the hubs.
const HubPath = "/hub"

// WebSub is what tells the world of changed feeds: Run it, and mount Hub at HubPath
// when it is not nil.
type WebSub struct {
	Hub       *websub.Hub
	publisher *websub.Publisher
	worker    *websub.Worker
}

// WebSub sets the publishing of feeds up.
func (p *Press) WebSub(feeds *serve.Server) *WebSub {
	site := feedSite(p.Config, nil)
	queue := jobQueue{p.Store}
	w := &WebSub{publisher: &websub.Publisher{
		Source: NewFeedSource(p.Store), Site: site, Definitions: feeds.Definitions(), Queue: queue,
		Client: &http.Client{Timeout: 30 * time.Second}, Log: p.Log,
	}}
	jobs := w.publisher.Jobs()
	if own := site.URL + HubPath; slices.Contains(site.Hubs, own) {
		w.Hub = &websub.Hub{
			Address: own, Site: site.URL, Feeds: feeds, Queue: queue, Registry: callbacks{p.Store}, Now: p.Store.Now, Log: p.Log,
		}
		w.publisher.LocalHub, w.publisher.Local = own, w.Hub.Distribute
		maps.Copy(jobs, w.Hub.Jobs())
	}
	w.worker = &websub.Worker{Queue: queue, Do: jobs, Log: p.Log}
	return w
}

// Run publishes until ctx ends.
func (w *WebSub) Run(ctx context.Context) error {
	if len(w.publisher.Site.Hubs) == 0 {
		return nil
	}
	done := make(chan error, 1)
	go func() { done <- w.worker.Run(ctx) }()
	err := w.publisher.Run(ctx)
	return firstOf(err, <-done)
}

func firstOf(a, b error) error {
	if a != nil {
		return a
	}
	return b
}

// jobQueue is the store's job table as the queue of WebSub.
type jobQueue struct{ store *store.Store }

func (q jobQueue) Enqueue(ctx context.Context, job websub.Job) error {
	kept := store.Job{Kind: job.Kind, Key: job.Key, Payload: job.Payload}
	if job.After > 0 {
		kept.Due = q.store.Now().Add(job.After)
	}
	_, err := q.store.Enqueue(ctx, kept)
	return err
}

func (q jobQueue) Claim(ctx context.Context, kinds []string, n int, lease time.Duration) ([]websub.Job, error) {
	claimed, err := q.store.ClaimJobs(ctx, kinds, n, lease)
	jobs := make([]websub.Job, len(claimed))
	for i, job := range claimed {
		jobs[i] = websub.Job{Kind: job.Kind, Key: job.Key, Payload: job.Payload, Tries: job.Tries, Handle: job}
	}
	return jobs, err
}

func (q jobQueue) Finish(ctx context.Context, job websub.Job) error {
	return q.store.FinishJob(ctx, job.Handle.(store.Job))
}

func (q jobQueue) Retry(ctx context.Context, job websub.Job, delay time.Duration, reason string) error {
	return q.store.RetryJob(ctx, job.Handle.(store.Job), delay, reason)
}

func (q jobQueue) Fail(ctx context.Context, job websub.Job, reason string) error {
	return q.store.FailJob(ctx, job.Handle.(store.Job), reason)
}

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
		all[i] = websub.Subscription{Topic: one.Topic, Callback: one.URL, Secret: one.Secret, Expires: one.Expires}
	}
	return all, err
}

func (c callbacks) Count(ctx context.Context, topic string) (int64, error) {
	return c.store.CountCallbacks(ctx, topic)
}
