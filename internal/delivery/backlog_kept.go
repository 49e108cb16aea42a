package delivery

import (
	"context"
	"sync"
	"time"

	"github.com/tidings-press/tidings/internal/digest"
	"github.com/tidings-press/tidings/internal/store"
)

// keptBacklogs are the backlogs that this node counted last, by digest. In a store with many articles
// counting them takes seconds, so that pages show these.
type keptBacklogs struct {
	mu   sync.Mutex
	kept map[string]*keptBacklog
}

// keptBacklog is the backlog of a digest when it was counted.
type keptBacklog struct {
	Backlog
	at       time.Time
	of       backlogKey
	counting bool // again, in the background
}

// backlogKey is what a backlog depends on besides the articles and the time. Another one is counted at
// once.
type backlogKey struct {
	since, began time.Time
	newest       int64 // edition of the digest
	state        digest.State
}

// A backlog is counted again in the background when it is requested after backlogAge, and at once after
// maxBacklogAge.
const (
	backlogAge    = 30 * time.Second
	maxBacklogAge = 10 * time.Minute
)

// backlog counts the articles that wait, as backlog does. In a store with many articles the numbers may
// be a minute old.
func (e *Engine) backlog(ctx context.Context, def *Definition, w store.QueueQuery) (Backlog, error) {
	many, err := e.Store.ManyArticles(ctx)
	if err != nil || !many {
		if err == nil {
			return backlog(ctx, e.Store, def, w)
		}
		return Backlog{}, err
	}
	key := backlogKey{since: w.Since, began: w.Began}
	newest, err := e.Store.Editions(ctx, def.Name, 1)
	if err != nil {
		return Backlog{}, err
	}
	if len(newest) > 0 {
		key.newest, key.state = newest[0].Seq, newest[0].State
	}
	if kept, ok := e.backlogs.get(def.Name, key, w.Now); ok {
		if kept.again {
			go e.recountBacklog(context.WithoutCancel(ctx), def, key, w)
		}
		return kept.Backlog, nil
	}
	b, err := backlog(ctx, e.Store, def, w)
	if err == nil {
		e.backlogs.put(def.Name, keptBacklog{Backlog: b, at: w.Now, of: key})
	}
	return b, err
}

// recountBacklog counts a backlog again.
func (e *Engine) recountBacklog(ctx context.Context, def *Definition, key backlogKey, w store.QueueQuery) {
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	w.Remember = true
	b, err := backlog(ctx, e.Store, def, w)
	if err != nil {
		e.Log.Warn("articles that wait were not counted", "digest", def.Name, "error", err)
		e.backlogs.forget(def.Name)
		return
	}
	e.backlogs.put(def.Name, keptBacklog{Backlog: b, at: w.Now, of: key})
}

// shownBacklog is a backlog that was counted before. again tells the caller to count it again.
type shownBacklog struct {
	Backlog
	again bool
}

func (k *keptBacklogs) get(name string, key backlogKey, now time.Time) (shownBacklog, bool) {
	k.mu.Lock()
	defer k.mu.Unlock()
	kept := k.kept[name]
	if kept == nil || kept.of != key || now.Sub(kept.at) > maxBacklogAge {
		return shownBacklog{}, false
	}
	again := !kept.counting && now.Sub(kept.at) > backlogAge
	kept.counting = kept.counting || again
	return shownBacklog{kept.Backlog, again}, true
}

func (k *keptBacklogs) put(name string, b keptBacklog) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.kept == nil {
		k.kept = map[string]*keptBacklog{}
	}
	k.kept[name] = &b
}

// forget makes the backlog of a digest be counted again: its queue was changed.
func (k *keptBacklogs) forget(name string) {
	k.mu.Lock()
	defer k.mu.Unlock()
	delete(k.kept, name)
}
