package serve

import (
	"context"
	"errors"
	"runtime"
	"time"

	"github.com/tidings-press/tidings/feed"
)

// renderLimit bounds how many documents are rendered at the same time: more would finish
// none of them sooner, and each takes memory. Feeds of searches and expressions, which
// anyone can make up, have fewer slots of their own, so that other feeds need not wait
// for them.
type renderLimit struct {
	usual, asked chan struct{}
}

// askedPatience is how long a feed of a search waits for a slot. What is asked for
// faster than it can be rendered is refused.
const askedPatience = 3 * time.Second

// errBusy is returned when no slot becomes free in time.
var errBusy = errors.New("too many feeds of searches and expressions are asked for at once")

func newRenderLimit() renderLimit {
	processors := runtime.GOMAXPROCS(0)
	return renderLimit{usual: make(chan struct{}, processors+1), asked: make(chan struct{}, max(processors/2, 1))}
}

// made reports whether the feed is made up by its address.
func (t *target) made() bool {
	return t.definition.Kind == feed.BySearch || t.definition.Kind == feed.ByMatch
}

func (l *renderLimit) of(asked *target) chan struct{} {
	if asked.made() {
		return l.asked
	}
	return l.usual
}

// acquire waits for a slot to render a target.
func (l *renderLimit) acquire(ctx context.Context, asked *target) error {
	if asked.made() {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, askedPatience)
		defer cancel()
	}
	select {
	case l.of(asked) <- struct{}{}:
		return nil
	case <-ctx.Done():
		if asked.made() {
			return errBusy
		}
		return ctx.Err()
	}
}

// release gives the slot back.
func (l *renderLimit) release(asked *target) { <-l.of(asked) }
