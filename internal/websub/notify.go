package websub

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"
)

// publishKind is the kind of the jobs that work a hub's list off.
const publishKind = "websub.publish"

const (
	// atOnce is how many topics a hub is told of in one turn at most, and telling how
	// long that may take: with the last request it stays within the turn.
	atOnce  = 50
	telling = 30 * time.Second
	// patience is how long a hub that does not take a topic is told of it.
	patience = 3 * 24 * time.Hour
	// hubRest is the longest delay before a hub is asked again. Changes wait for it.
	hubRest = 15 * time.Minute
)

// publication is a hub's job. The notice makes each announcement another payload, so
// that a job which is being done finds that there is more.
type publication struct {
	Hub    string
	Notice string
}

// Jobs are the jobs that a Worker does for the publisher. How often is up to the
// topics, which are given up one by one.
func (p *Publisher) Jobs() map[string]Task {
	return map[string]Task{publishKind: {Do: p.publish, Tries: math.MaxInt, Rest: hubRest}}
}

// publish tells a hub what is on its list. Each topic that it takes is struck out,
// so that nothing is told again after a failure. One that it does not take goes
// behind the others.
func (p *Publisher) publish(ctx context.Context, payload []byte) error {
	var what publication
	if err := decode(payload, &what); err != nil {
		return err
	}
	list, err := p.Lists.Of(ctx, what.Hub, atOnce)
	if err != nil {
		return err
	}
	began := time.Now()
	for i, topic := range list {
		if wait := topic.Due.Sub(p.now()); wait > 0 {
			return gotOn{after: wait}
		}
		if time.Since(began) > telling {
			return gotOn{}
		}
		if err := p.one(ctx, what.Hub, topic); err != nil {
			if i > 0 {
				return gotOn{wrong: err} // the others were settled: it is not down
			}
			return err
		}
	}
	if len(list) == atOnce {
		return gotOn{}
	}
	return nil
}

// one tells a hub of one topic. The error is of those that may pass.
func (p *Publisher) one(ctx context.Context, hub string, topic Untold) error {
	if !slices.Contains(p.Site.Hubs, hub) {
		return p.Lists.Strike(ctx, hub, topic) // it was taken out of the settings
	}
	err := p.tell(ctx, hub, topic.Topic)
	switch {
	case err == nil:
	case errors.Is(err, errGone), p.now().Sub(topic.Since) > patience:
		p.Log.Warn("a hub is not told of a topic", "hub", hub, "topic", topic.Topic, "error", err)
	case ctx.Err() != nil: // that was us
		return err
	default:
		return errors.Join(err, p.Lists.Defer(ctx, hub, topic))
	}
	return p.Lists.Strike(ctx, hub, topic)
}

func (p *Publisher) tell(ctx context.Context, hub, topic string) error {
	if p.Local != nil && hub == p.LocalHub {
		return p.Local(ctx, topic)
	}
	return Notify(ctx, cmp.Or(p.Client, defaultNotifier()), hub, topic)
}

// NewNotifier makes the client that tells hubs. Which hubs is for whoever sets the
// site up to say, so they may stand anywhere. It follows a redirect that keeps the
// request as it is (307, 308); for any other, net/http would send a GET, and the page
// that it gets would pass for the hub's consent.
func NewNotifier() *http.Client {
	return &http.Client{
		Timeout: 15 * time.Second,
		CheckRedirect: func(next *http.Request, before []*http.Request) error {
			if next.Method != before[0].Method || len(before) > 5 {
				return http.ErrUseLastResponse
			}
			return nil
		},
	}
}

var defaultNotifier = sync.OnceValue(NewNotifier)

// Notify tells a hub that a topic has changed. WebSub leaves this request open; the
// form of PubSubHubbub 0.4 is what the hubs in use take, some by the one name and
// some by the other, and not all of them several topics at once.
func Notify(ctx context.Context, client *http.Client, hub, topic string) error {
	form := url.Values{"hub.mode": {"publish"}, "hub.url": {topic}, "hub.topic": {topic}}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, hub, strings.NewReader(form.Encode()))
	if err != nil {
		return fmt.Errorf("%w: hub %q: %v", errGone, hub, err)
	}
	request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	request.Header.Set("User-Agent", "Tidings")
	response, err := client.Do(request)
	if err != nil {
		return fmt.Errorf("hub %s: %w", hub, err)
	}
	defer response.Body.Close()
	said, _ := io.ReadAll(io.LimitReader(response.Body, 500))
	return consent(hub, response, strings.TrimSpace(string(said)))
}

// consent reads a hub's answer. What it refuses for good it will not take later.
func consent(hub string, response *http.Response, said string) error {
	switch status := response.StatusCode; {
	case status/100 == 2:
		return nil
	case status/100 == 3:
		return fmt.Errorf("hub %s has moved to %.200q; right would be that address in feed_server.hubs", hub, response.Header.Get("Location"))
	case status/100 == 4 && status != http.StatusRequestTimeout && status != http.StatusTooEarly && status != http.StatusTooManyRequests:
		return fmt.Errorf("%w: hub %s answers %s: %s", errGone, hub, response.Status, said)
	}
	return fmt.Errorf("hub %s answers %s: %s", hub, response.Status, said)
}
