package delivery

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"time"

	"github.com/google/uuid"
	"golang.org/x/sync/singleflight"

	"github.com/tidings-press/tidings/internal/article"
	"github.com/tidings-press/tidings/internal/delivery/relay"
	"github.com/tidings-press/tidings/internal/digest"
	"github.com/tidings-press/tidings/internal/schedule"
	"github.com/tidings-press/tidings/internal/store"
	"github.com/tidings-press/tidings/internal/subscriber"
	"github.com/tidings-press/tidings/internal/token"
	"github.com/tidings-press/tidings/mailer"
	"github.com/tidings-press/tidings/templates"
)

// Definition is a digest of the configuration, ready to run.
type Definition struct {
	digest.Definition
	Schedule  *schedule.Schedule // nil for editions by hand only
	Filter    article.Filter
	Min, Max  int  // articles of an edition
	Oldest    bool // when there are more than Max, those that have waited longest win the places, not the newest
	From      mailer.Address
	ReplyTo   mailer.Address // none when its Email is empty
	Owner     string         // List-Owner address
	Automatic bool           // editions need no editor's approval
	Notify    Notify         // who gets mails about drafts and withdrawn articles
	Each      bool           // after downtime every missed tick counts, not only the latest
}

// Policy is how deliveries are tried.
type Policy struct {
	Resend   bool          // mails in doubt are sent again; else they wait for an editor
	RetryFor time.Duration // deferred mails are tried for so long
	Chunk    int           // subscribers that a node claims at once
	Soft     store.SoftRule
}

// Options make an Engine. Store, Keys, Templates and Log are needed.
type Options struct {
	Store     *store.Store
	Keys      subscriber.Keys
	Templates *templates.Set
	Site      digest.Site
	Digests   []Definition
	Relays    []relay.Config
	Policy    Policy
	DKIM      []mailer.DKIMKey
	// From is the sender of single mails where there is no digest; none when its Email
	// is empty.
	From mailer.Address
	// ReturnPath is the domain of return paths; that of each digest's sender when
	// empty.
	ReturnPath string
	// ReturnPaths says that mail to signed return paths is read. Without it mails go out
	// with their sender as return path.
	ReturnPaths bool
	// UnsubscribeMail says that mail to signed unsubscribe addresses is read. Without it
	// mails offer none.
	UnsubscribeMail bool
	Node            string        // begins the name of this node in leases; may be empty
	Lease           time.Duration // how long a silent node keeps its work; 10 s when 0
	Poll            time.Duration // how often the store is asked for work; 200 ms when 0
	Log             *slog.Logger
}

// Engine runs the editions of a store. It is safe for concurrent use.
type Engine struct {
	Options
	secret     []byte // of return paths and message ids
	names      *token.Deliveries
	editions   editionCache
	compiled   compiledCache
	approval   singleflight.Group
	wake       chan struct{}
	queue      *queue
	recorder   *store.Recorder
	signer     *mailer.Signer
	relays     *relay.Set
	leases     leaseSet
	heartbeats heartbeats
	activity   activity
}

// New checks the options and makes an engine that does not run yet.
func New(ctx context.Context, options Options) (*Engine, error) {
	// A name of its own for each run: what a predecessor held is not ours.
	options.Node = strings.TrimPrefix(options.Node+"-"+uuid.NewString()[:8], "-")
	if options.Lease == 0 {
		options.Lease = 10 * time.Second
	}
	if options.Poll == 0 {
		options.Poll = 200 * time.Millisecond
	}
	if options.Policy.RetryFor == 0 {
		options.Policy.RetryFor = 72 * time.Hour
	}
	if options.Policy.Chunk == 0 {
		options.Policy.Chunk = 500
	}
	secret, err := options.Store.Secret(ctx, "deliveries")
	if err != nil {
		return nil, err
	}
	signer, err := mailer.NewSigner(options.DKIM...)
	if err != nil {
		return nil, fmt.Errorf("dkim: %w", err)
	}
	e := &Engine{Options: options, secret: secret, names: token.NewDeliveries(secret), signer: signer, wake: make(chan struct{}, 1), queue: newQueue()}
	e.relays = relay.New(relay.Options{
		Relays: options.Relays, Store: options.Store, Node: options.Node, Lease: options.Lease, Pending: e.queue.length, Log: options.Log,
	})
	for i := range e.Digests {
		if err := e.ensure(ctx, &e.Digests[i]); err != nil {
			return nil, err
		}
	}
	return e, nil
}

// Run does the work of a node until the context ends: it fires ticks, approves
// what needs no editor, and sends. Then it finishes the mails on the wire, gives
// its leases back and returns nil.
func (e *Engine) Run(ctx context.Context) error {
	e.recorder = e.Store.NewRecorder()
	defer e.recorder.Close()
	e.relays.Reset(ctx)
	var work sync.WaitGroup
	work.Go(func() { e.every(ctx, "schedule", e.unlessQuarantined(afterOnce(e.dropOldDrafts, e.runSchedule))) })
	work.Go(func() { e.every(ctx, "approval", e.unlessQuarantined(e.approveDrafts)) })
	work.Go(func() { e.every(ctx, "notices", e.unlessQuarantined(e.sendNotices)) })
	work.Go(func() {
		e.every(ctx, "withdrawn articles", everyNthCall(withdrawnEvery, e.unlessQuarantined(e.notifyWithdrawn)))
	})
	work.Go(func() { e.dispatch(ctx) })
	work.Go(func() { e.relays.Run(ctx, e.serve) })
	// Leases are kept until the last mail on the wire is settled: a slow server's
	// answer may take longer than they last.
	keeping, stop := context.WithCancel(context.WithoutCancel(ctx))
	var keeper sync.WaitGroup
	keeper.Go(func() { e.keepLeases(keeping) })
	work.Wait()
	e.releaseAll()
	stop()
	keeper.Wait()
	return nil
}

// every calls a step again and again. Its errors are told once until they change:
// a store that is away for minutes must not fill the log.
func (e *Engine) every(ctx context.Context, name string, step func(ctx context.Context) error) {
	e.heartbeats.begin(name)
	defer e.heartbeats.end(name)
	last := ""
	for ctx.Err() == nil {
		err := step(ctx)
		e.heartbeats.round(name, err)
		switch {
		case err == nil && last != "":
			e.Log.Info("works again", "step", name)
			last = ""
		case errors.Is(err, store.ErrQuarantined):
			// The service says so once, at its start.
		case err != nil && !errors.Is(err, context.Canceled) && err.Error() != last:
			e.Log.Error("cannot go on for now", "step", name, "error", err)
			last = err.Error()
		}
		wait(ctx, e.Poll)
	}
}

// afterOnce returns a step that runs first until that has succeeded once, and then only step.
func afterOnce(first, step func(ctx context.Context) error) func(ctx context.Context) error {
	done := false
	return func(ctx context.Context) error {
		if !done {
			if err := first(ctx); err != nil {
				return err
			}
			done = true
		}
		return step(ctx)
	}
}

// nudge makes the dispatcher look for work now.
func (e *Engine) nudge() {
	select {
	case e.wake <- struct{}{}:
	default:
	}
}

// definition returns the digest of a name.
func (e *Engine) definition(name string) (*Definition, error) {
	for i := range e.Digests {
		if e.Digests[i].Name == name {
			return &e.Digests[i], nil
		}
	}
	var names []string
	for i := range e.Digests {
		names = append(names, e.Digests[i].Name)
	}
	return nil, fmt.Errorf("unknown digest %q; configured digests: %s", name, strings.Join(names, ", "))
}

// wait sleeps, or returns early when the context ends.
func wait(ctx context.Context, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
}
