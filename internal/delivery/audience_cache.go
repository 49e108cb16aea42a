package delivery

import (
	"context"
	"time"

	"github.com/tidings-press/tidings/internal/digest"
	"github.com/tidings-press/tidings/internal/lru"
)

// cachedAudience is the number of recipients of messages to an audience, and when they were counted.
type cachedAudience struct {
	Recipients
	at time.Time
}

const (
	// maxAudiences bounds the cache, in audiences.
	maxAudiences = 200
	// An audience is counted again in the background when it is shown after audienceAge, as the figures of
	// subscribers are, and at once after maxAudienceAge.
	audienceAge    = 5 * time.Minute
	maxAudienceAge = time.Hour
)

// newAudienceCache returns the cache of the numbers of recipients, by audience.
func newAudienceCache() *lru.Cache[string, *cachedAudience] {
	return lru.New[string](maxAudiences, func(*cachedAudience) int64 { return 1 }, nil)
}

// cachedAudienceCount counts as AudienceCount does. For several digests or a segment the store reads all
// subscribers, which takes seconds in a large store; so there the numbers may be some minutes old. The
// approval counts them itself.
func (e *Engine) cachedAudienceCount(ctx context.Context, a digest.Audience) (Recipients, error) {
	many, err := e.Store.ManySubscribers(ctx)
	if err != nil {
		return Recipients{}, err
	}
	if !many {
		return e.AudienceCount(ctx, a)
	}
	kept, found := e.audienceCache.Get(audienceKey(a))
	if !found || e.Store.Now().Sub(kept.at) > maxAudienceAge {
		counted, err, _ := e.counting.Do(audienceKey(a), e.audienceCounter(ctx, a))
		out, _ := counted.(Recipients) // of the only type that audienceCounter returns
		return out, err
	}
	if e.Store.Now().Sub(kept.at) > audienceAge {
		e.countInBackground(ctx, a)
	}
	return kept.Recipients, nil
}

// countInBackground counts an audience in the background, for the pages that will show it.
func (e *Engine) countInBackground(ctx context.Context, a digest.Audience) {
	e.counting.DoChan(audienceKey(a), e.audienceCounter(ctx, a))
}

// audienceCounter returns a function that counts an audience, even if the request that asked for it ends.
func (e *Engine) audienceCounter(ctx context.Context, a digest.Audience) func() (any, error) {
	return func() (any, error) {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), audienceAge)
		defer cancel()
		counted, err := e.AudienceCount(ctx, a)
		if err != nil {
			e.Log.Warn("recipients of a message were not counted", "error", err)
		}
		return counted, err
	}
}

// audienceKey returns the part of an audience that decides who gets a message.
func audienceKey(a digest.Audience) string {
	return digest.Audience{Digests: a.Digests, Segment: a.Segment}.Encode()
}
