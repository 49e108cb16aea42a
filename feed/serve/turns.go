package serve

import (
	"context"
	"errors"
	"runtime"
	"time"

	"github.com/tidings-press/tidings/feed"
)

// turns bound how many documents are rendered at the same time: more would finish
// none of them sooner, and each takes memory. Feeds that anybody can make up by
// their address have fewer, of their own, so that they keep no others waiting.
type turns struct {
	usual, asked chan struct{}
}

// askedPatience is how long a feed that somebody made up waits for its turn. What is
// asked for faster than it can be rendered is refused, not queued.
const askedPatience = 3 * time.Second

// errBusy says that other renderings come first.
var errBusy = errors.New("too many feeds of searches and expressions are asked for at once")

func newTurns() turns {
	processors := runtime.GOMAXPROCS(0)
	return turns{usual: make(chan struct{}, processors+1), asked: make(chan struct{}, max(processors/2, 1))}
}

// made reports whether somebody made the feed up by its address.
func (t *target) made() bool {
	return t.definition.Kind == feed.BySearch || t.definition.Kind == feed.ByMatch
}

func (t *turns) of(asked *target) chan struct{} {
	if asked.made() {
		return t.asked
	}
	return t.usual
}

// take waits for a turn to render a target.
func (t *turns) take(ctx context.Context, asked *target) error {
	if asked.made() {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, askedPatience)
		defer cancel()
	}
	select {
	case t.of(asked) <- struct{}{}:
		return nil
	case <-ctx.Done():
		if asked.made() {
			return errBusy
		}
		return ctx.Err()
	}
}

// give gives a turn back.
func (t *turns) give(asked *target) { <-t.of(asked) }
