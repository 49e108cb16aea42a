package delivery

import (
	"context"
	"time"

	"github.com/tidings-press/tidings/internal/digest"
	"github.com/tidings-press/tidings/internal/lru"
)

// keptAudience is the number of recipients of messages to an audience when they were counted.
type keptAudience struct {
	Recipients
	at time.Time
}

const (
	// maxAudiences is of how many audiences the numbers are kept.
	maxAudiences = 200
	// An audience is counted again in the background when it is shown after audienceAge, as the figures of
	// subscribers are, and at once after maxAudienceAge.
	audienceAge    = 5 * time.Minute
	maxAudienceAge = time.Hour
)

// newAudiences returns the cache of the numbers of recipients, by audience.
func newAudiences() *lru.Cache[string, *keptAudience] {
	return lru.New[string](maxAudiences, func(*keptAudience) int64 { return 1 }, nil)
}

// shownAudience counts as AudienceCount does. For several digests or a segment the store reads all
// subscribers, which takes seconds in a large store; so there the numbers may be some minutes old. The
// approval counts them itself.
func (e *Engine) shownAudience(ctx context.Context, a digest.Audience) (Recipients, error) {
	many, err := e.Store.ManySubscribers(ctx)
	if err != nil {
		return Recipients{}, err
	}
	if !many {
		return e.AudienceCount(ctx, a)
	}
	kept, found := e.audiences.Get(audienceKey(a))
	if !found || e.Store.Now().Sub(kept.at) > maxAudienceAge {
		counted, err, _ := e.counting.Do(audienceKey(a), e.countInTime(ctx, a))
		out, _ := counted.(Recipients) // of the only type that countInTime returns
		return out, err
	}
	if e.Store.Now().Sub(kept.at) > audienceAge {
		e.countAhead(ctx, a)
	}
	return kept.Recipients, nil
}

// countAhead counts an audience in the background, for the pages that will show it.
func (e *Engine) countAhead(ctx context.Context, a digest.Audience) {
	e.counting.DoChan(audienceKey(a), e.countInTime(ctx, a))
}

// countInTime returns a function that counts an audience, even if the request that asked for it ends.
func (e *Engine) countInTime(ctx context.Context, a digest.Audience) func() (any, error) {
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
