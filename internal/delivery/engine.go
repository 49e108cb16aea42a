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
	"github.com/tidings-press/tidings/internal/lint"
	"github.com/tidings-press/tidings/internal/lru"
	"github.com/tidings-press/tidings/internal/schedule"
	"github.com/tidings-press/tidings/internal/store"
	"github.com/tidings-press/tidings/internal/subscriber"
	"github.com/tidings-press/tidings/internal/token"
	"github.com/tidings-press/tidings/internal/words"
	"github.com/tidings-press/tidings/mailer"
	"github.com/tidings-press/tidings/templates"
)

// Definition is a digest of the configuration, ready to run.
type Definition struct {
	digest.Definition
	Schedule  *schedule.Schedule // nil when editions are only made by hand
	Paused    bool               // drafts that wait for their time are held then
	Filter    article.Filter
	Layout    digest.Layout
	Min, Max  int           // number of articles of an edition
	Oldest    bool          // when more than Max wait, take those that have waited longest, not the newest
	After     time.Duration // how long an article has been public here before an edition takes it
	From      mailer.Address
	ReplyTo   mailer.Address // none when its Email is empty
	Owner     string         // List-Owner address
	Automatic bool           // editions are sent without an editor's approval
	Notify    Notify         // who gets mails about editions
	Notices   map[Event]bool // about what; an event that is not in it has its default
	Each      bool           // after downtime fire every missed tick, not only the latest

	Approvers   int           // how many different editors must approve an edition; 0 is 1
	DraftBefore time.Duration // how long before its tick an edition is drafted; 0 for at the tick
	AtDeadline  Deadline      // with DraftBefore; empty for send if Automatic, and else hold
}

// Policy controls retries of deliveries.
type Policy struct {
	Resend   bool          // send uncertain mails again; otherwise they wait for an editor
	RetryFor time.Duration // how long to retry deferred mails
	Chunk    int           // subscribers that a node claims at once
	Undo     time.Duration // how long an edition that an editor approved waits before its first mail
	Soft     store.SoftRule
	Rates    RateLimits // pauses an edition that too many recipients refuse
}

// Options make an Engine. Store, Keys, Templates and Log are needed.
type Options struct {
	Store     *store.Store
	Keys      subscriber.Keys
	Templates *templates.Set
	Site      digest.Site
	Digests   []Definition
	Relays    []relay.Config
	Words     *words.Catalogue // translations of mails to editors; nil for English
	Policy    Policy
	Checks    Checks // of editions before they are sent
	// FirstSendCheck holds the first edition to more than store.FirstSendLimit recipients until the
	// service was diagnosed without errors.
	FirstSendCheck bool
	DKIM           []mailer.DKIMKey
	// From is the sender of single mails when no digest is configured; none when its Email is
	// empty.
	From mailer.Address
	// ReturnPath is the domain of return paths; when empty, the domain of each digest's sender.
	ReturnPath string
	// ReturnPaths is set when mail to signed return paths is read. Otherwise the sender's address
	// is the return path.
	ReturnPaths bool
	// UnsubscribeMail is set when mail to signed unsubscribe addresses is read. Otherwise mails do
	// not offer such an address.
	UnsubscribeMail bool
	// OwnersAlerted is set when owners get alerts about failed editions and stopped relays in
	// another way.
	OwnersAlerted bool
	Node          string        // prefix of this node's name in leases; may be empty
	Lease         time.Duration // how long a node that stopped renewing keeps its work; 10 s when 0
	Poll          time.Duration // interval between checks for work in the store; 200 ms when 0
	Log           *slog.Logger
}

// Engine runs the editions of a store. It is safe for concurrent use.
type Engine struct {
	Options
	secret         []byte // of return paths and message ids
	names          *token.Deliveries
	editions       *lru.Cache[int64, *loadedEdition] // by number
	compiled       *compiledCache
	backlogCache   backlogCache
	skipCountCache *lru.Cache[skippedOf, *skipReasons]
	variantCache   *lru.Cache[string, *digest.Variant]
	findingsCache  *lru.Cache[string, *cachedFindings]
	referenceCache *lru.Cache[string, *lint.References]
	audienceCache  *lru.Cache[string, *cachedAudience]
	counting       singleflight.Group // of audiences
	approval       singleflight.Group
	wake           chan struct{}
	queue          *queue
	recorder       *store.Recorder
	signer         *mailer.Signer
	relays         *relay.Set
	leases         leaseSet
	heartbeats     heartbeats
	activity       activity
	rateChecks     rateChecks

	draftAgain map[string]time.Time // by digest: when to try a draft again that had too few articles
}

// New checks the options and makes an engine that does not run yet.
func New(ctx context.Context, options Options) (*Engine, error) {
	// Each run has a new name, so that it does not take over leases of an earlier run.
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
	e := &Engine{Options: options, secret: secret, names: token.NewDeliveries(secret), signer: signer, wake: make(chan struct{}, 1), queue: newQueue(), draftAgain: map[string]time.Time{}}
	e.compiled = newCompiledCache()
	e.skipCountCache = lru.New[skippedOf](maxSkipReasons, func(*skipReasons) int64 { return 1 }, nil)
	e.variantCache = newVariantCache()
	e.findingsCache = newFindingsCache()
	e.referenceCache = newReferenceCache()
	e.audienceCache = newAudienceCache()
	e.editions = lru.New[int64](maxLoaded, func(*loadedEdition) int64 { return 1 }, nil)
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

// Run does the work of a node until the context ends: it fires ticks, approves drafts that need
// no editor, and sends. Then it finishes the mails that are being sent, releases its leases and
// returns nil.
func (e *Engine) Run(ctx context.Context) error {
	e.recorder = e.Store.NewRecorder()
	defer e.recorder.Close()
	e.relays.Reset(ctx)
	var work sync.WaitGroup
	work.Go(func() { e.every(ctx, "schedule", e.unlessQuarantined(afterOnce(e.dropOldDrafts, e.runSchedule))) })
	work.Go(func() { e.every(ctx, "approval", e.unlessQuarantined(e.approveDrafts)) })
	work.Go(func() {
		e.every(ctx, "approvals of editors", everyNthCall(reviewEvery, e.unlessQuarantined(e.reviewApprovals)))
	})
	work.Go(func() { e.every(ctx, "proofs", e.unlessQuarantined(e.sendProofs)) })
	work.Go(func() { e.every(ctx, "single mails", e.unlessQuarantined(e.sendSingleMails)) })
	work.Go(func() {
		e.every(ctx, "withdrawn articles", everyNthCall(withdrawnEvery, e.unlessQuarantined(e.notifyWithdrawn)))
	})
	work.Go(func() { e.every(ctx, "notices", everyNthCall(noticesEvery, e.unlessQuarantined(e.notifyEvents))) })
	work.Go(func() { e.every(ctx, "rates", everyNthCall(noticesEvery, e.unlessQuarantined(e.checkRates))) })
	work.Go(func() { e.dispatch(ctx) })
	work.Go(func() { e.relays.Run(ctx, e.serve) })
	// Leases are renewed until the last mail has an outcome: a slow server may take longer to
	// answer than a lease lasts.
	keeping, stop := context.WithCancel(context.WithoutCancel(ctx))
	var keeper sync.WaitGroup
	keeper.Go(func() { e.keepLeases(keeping) })
	work.Wait()
	e.releaseAll()
	stop()
	keeper.Wait()
	e.returnWarmups()
	return nil
}

// every calls a step repeatedly until the context ends. It logs an error only when it differs
// from the last one, so that a store that is down for minutes does not fill the log.
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
			// The service logs this once, when it starts.
		case err != nil && !errors.Is(err, context.Canceled) && err.Error() != last:
			e.Log.Error("a step of the engine failed and is tried again", "step", name, "error", err)
			last = err.Error()
		}
		wait(ctx, e.Poll)
	}
}

// afterOnce returns a step that calls first until it succeeds once, and step from then on.
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

// everyNthCall returns a step that runs on the first call and on every n-th call after it.
func everyNthCall(n int, step func(ctx context.Context) error) func(ctx context.Context) error {
	calls := 0
	return func(ctx context.Context) error {
		if calls++; calls%n != 1 {
			return nil
		}
		return step(ctx)
	}
}

// wakeDispatcher makes the dispatcher look for work now.
func (e *Engine) wakeDispatcher() {
	select {
	case e.wake <- struct{}{}:
	default:
	}
}

// definition returns the configured digest with a name.
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
