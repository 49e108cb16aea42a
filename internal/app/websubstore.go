package app

import (
	"context"
	"time"

	"github.com/tidings-press/tidings/feed"
	"github.com/tidings-press/tidings/internal/store"
	"github.com/tidings-press/tidings/internal/websub"
)

// jobQueue is the store's job table as the queue of WebSub.
type jobQueue struct{ store *store.Store }

func (q jobQueue) Enqueue(ctx context.Context, jobs ...websub.Job) error {
	return q.store.EnqueueAll(ctx, keptJobs(q.store, jobs))
}

func keptJobs(s *store.Store, jobs []websub.Job) []store.Job {
	kept := make([]store.Job, len(jobs))
	for i, job := range jobs {
		kept[i] = store.Job{Kind: job.Kind, Key: job.Key, Payload: job.Payload, Newest: job.Newest, Due: s.Now().Add(job.After)}
	}
	return kept
}

func (q jobQueue) Open(ctx context.Context, kind, prefix string, limit int64) (int64, error) {
	return q.store.OpenJobs(ctx, kind, prefix, limit)
}

func (q jobQueue) Claim(ctx context.Context, kinds []string, n int, lease time.Duration) ([]websub.Job, error) {
	claimed, err := q.store.ClaimJobs(ctx, kinds, n, lease)
	jobs := make([]websub.Job, len(claimed))
	for i, job := range claimed {
		jobs[i] = websub.Job{Kind: job.Kind, Key: job.Key, Payload: job.Payload, Tries: job.Tries, Handle: job}
	}
	return jobs, err
}

func (q jobQueue) Settle(ctx context.Context, job websub.Job, end websub.End) error {
	kept := job.Handle.(store.Job)
	switch end.State {
	case websub.Done:
		return q.store.FinishJob(ctx, kept)
	case websub.Failed:
		return q.store.FailJob(ctx, kept, end.Reason)
	case websub.GotOn:
		return q.store.ContinueJob(ctx, kept, end.After)
	}
	return q.store.RetryJob(ctx, kept, end.After, end.Reason)
}

// hubChangeFeed is what changed in the store for readers.
type hubChangeFeed struct{ store *store.Store }

// changeRange is where a look at the news stood.
type changeRange struct{ from, to store.HubPosition }

// kindOf names the feeds of the store's labels.
var kindOf = map[string]feed.Kind{"tag": feed.ByTag, "author": feed.ByAuthor, "language": feed.ByLanguage}

func (n hubChangeFeed) Look(ctx context.Context, most int) (websub.Change, error) {
	from, err := n.store.HubPosition(ctx)
	if err != nil {
		return websub.Change{}, err
	}
	news, err := n.store.FeedChanges(ctx, from, most)
	change := websub.Change{
		Articles: news.Articles, More: news.More, Edited: news.Edited, Digests: news.Digests, Settings: from.Settings,
		Moved:  from.Count == 0 || news.After.Revision != from.Revision || !news.After.At.Equal(from.At),
		Count:  from.Count,
		Handle: changeRange{from, news.After},
	}
	for _, label := range news.Labels {
		change.Labels = append(change.Labels, websub.Label{Kind: kindOf[label.Kind], Name: label.Name})
	}
	return change, err
}

func (n hubChangeFeed) Announce(ctx context.Context, a websub.Announcement) (bool, error) {
	at := a.Change.Handle.(changeRange)
	at.to.Settings = a.Settings
	return n.store.Announce(ctx, store.Announcement{
		From: at.from, To: at.to, Hubs: a.Hubs, Topics: a.Topics, Due: n.store.Now().Add(a.After), Jobs: keptJobs(n.store, a.Jobs),
	})
}

// hubLists are the store's lists of what hubs have yet to be told of.
type hubLists struct{ store *store.Store }

func (l hubLists) Of(ctx context.Context, hub string, most int) ([]websub.Untold, error) {
	kept, err := l.store.PendingNotifications(ctx, hub, most)
	list := make([]websub.Untold, len(kept))
	for i, one := range kept {
		list[i] = websub.Untold{Topic: one.Topic, Due: one.Due, Since: one.Since, Handle: one}
	}
	return list, err
}

func (l hubLists) Strike(ctx context.Context, hub string, u websub.Untold) error {
	return l.store.DropNotification(ctx, hub, u.Handle.(store.PendingNotification))
}

func (l hubLists) Defer(ctx context.Context, hub string, u websub.Untold) error {
	return l.store.DeferNotification(ctx, hub, u.Handle.(store.PendingNotification))
}
