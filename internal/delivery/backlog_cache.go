package delivery

import (
	"context"
	"sync"
	"time"

	"github.com/tidings-press/tidings/internal/digest"
	"github.com/tidings-press/tidings/internal/store"
)

// backlogCache holds the backlogs that this node counted last, by digest. In a store with many articles
// counting them takes seconds, so pages show these.
type backlogCache struct {
	mu      sync.Mutex
	entries map[string]*cachedBacklog
}

// cachedBacklog is the backlog of a digest, and when it was counted.
type cachedBacklog struct {
	Backlog
	at       time.Time
	of       backlogKey
	counting bool // it is being counted again, in the background
}

// backlogKey is what a backlog depends on besides the articles and the time. A backlog with another key is
// counted at once.
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

// backlog counts the articles that wait, as the function backlog does. In a store with many articles the numbers may
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
	if kept, ok := e.backlogCache.get(def.Name, key, w.Now); ok {
		if kept.stale {
			go e.recountBacklog(context.WithoutCancel(ctx), def, key, w)
		}
		return kept.Backlog, nil
	}
	b, err := backlog(ctx, e.Store, def, w)
	if err == nil {
		e.backlogCache.put(def.Name, cachedBacklog{Backlog: b, at: w.Now, of: key})
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
		e.backlogCache.forget(def.Name)
		return
	}
	e.backlogCache.put(def.Name, cachedBacklog{Backlog: b, at: w.Now, of: key})
}

// backlogHit is a backlog from the cache. stale tells the caller to count it again.
type backlogHit struct {
	Backlog
	stale bool
}

func (k *backlogCache) get(name string, key backlogKey, now time.Time) (backlogHit, bool) {
	k.mu.Lock()
	defer k.mu.Unlock()
	kept := k.entries[name]
	if kept == nil || kept.of != key || now.Sub(kept.at) > maxBacklogAge {
		return backlogHit{}, false
	}
	again := !kept.counting && now.Sub(kept.at) > backlogAge
	kept.counting = kept.counting || again
	return backlogHit{kept.Backlog, again}, true
}

func (k *backlogCache) put(name string, b cachedBacklog) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.entries == nil {
		k.entries = map[string]*cachedBacklog{}
	}
	k.entries[name] = &b
}

// forget drops the backlog of a digest whose queue was changed.
func (k *backlogCache) forget(name string) {
	k.mu.Lock()
	defer k.mu.Unlock()
	delete(k.entries, name)
}
