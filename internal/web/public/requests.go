package public

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"math/rand/v2"
	"net/netip"
	"time"

	"github.com/google/uuid"

	"github.com/tidings-press/tidings/internal/backoff"
	"github.com/tidings-press/tidings/internal/connlimit"
	"github.com/tidings-press/tidings/internal/store"
	"github.com/tidings-press/tidings/internal/subscriber"
	"github.com/tidings-press/tidings/internal/web/middleware"
)

// requestKind is the kind of jobs of subscription requests.
const requestKind = "subscribe"

// request is a submitted subscription form. It is stored as a job, and processed after the form
// is answered. So the response takes the same time for every address, and does not reveal who is
// subscribed or suppressed.
type request struct {
	Address string
	Name    string
	Digests []string
	// Language is that of the page with the form; empty if it is not known.
	Language string `json:",omitempty"`
	IP       string
}

const (
	requestLease = time.Minute
	requestTries = 20          // over about twelve hours
	requestPoll  = time.Second // average; jitter of half of it
)

// RequestConfirmation queues a confirmation mail for a subscription to digests, as if the address
// had been entered in the form.
func (p *Pages) RequestConfirmation(ctx context.Context, address subscriber.Address, digests []string) error {
	return p.queueRequest(ctx, address, request{Digests: digests})
}

// queueRequest stores a request as a job.
func (p *Pages) queueRequest(ctx context.Context, address subscriber.Address, r request) error {
	r.Address, r.IP = address.String(), middleware.Client(ctx).String()
	payload, err := json.Marshal(r)
	if err != nil {
		return err
	}
	_, err = p.store.Enqueue(ctx, store.Job{Kind: requestKind, Key: uuid.NewString(), Payload: payload, About: address})
	return err
}

// Run processes requests until the context ends, also those that other nodes and earlier processes
// have left. It polls at random times and not right after a request: then the work for one request
// would slow down the next response, and its time would reveal what the work was.
func (p *Pages) Run(ctx context.Context) {
	for ctx.Err() == nil {
		select {
		case <-time.After(requestPoll/2 + rand.N(requestPoll)):
		case <-ctx.Done():
			return
		}
		if err := p.HandleRequests(ctx); err != nil && ctx.Err() == nil {
			p.log.Error("subscription requests not processed; trying again", "error", err)
		}
	}
}

// HandleRequests processes the requests that are due. It returns errors of the store; a request
// that fails is tried again later.
func (p *Pages) HandleRequests(ctx context.Context) error {
	for {
		jobs, err := p.store.ClaimJobs(ctx, []string{requestKind}, 1, requestLease)
		if err != nil || len(jobs) == 0 {
			return err
		}
		if err := p.handleRequest(ctx, jobs[0]); err != nil {
			return err
		}
	}
}

// handleRequest processes one request and deletes it, since its address must not outlive the
// person's own row.
func (p *Pages) handleRequest(ctx context.Context, job store.Job) error {
	var r request
	err := json.Unmarshal(job.Payload, &r)
	if err == nil {
		err = p.processRequest(ctx, r)
	}
	var late *overLimit
	if errors.As(err, &late) && job.Tries < requestTries {
		return p.store.RetryJob(ctx, job, waitOverLimit, late.Error())
	}
	if err == nil || job.Tries >= requestTries {
		if err != nil {
			p.log.Error("subscription request given up", "request", job.Key, "error", err)
		}
		return p.store.DropJob(ctx, job)
	}
	p.log.Warn("subscription request failed; it will be tried again", "request", job.Key, "error", err)
	return p.store.RetryJob(ctx, job, backoff.Delay(10*time.Second, 6*time.Hour, job.Tries), "tried again")
}

// processRequest sends the confirmation mail of a request. It changes no subscriber's state.
func (p *Pages) processRequest(ctx context.Context, r request) error {
	address, err := subscriber.ParseAddress(r.Address)
	if err != nil {
		return err
	}
	if ok, err := p.withinLimits(ctx, r, address); !ok || err != nil {
		return err
	}
	sub, err := p.store.SubscriberByAddress(ctx, address)
	if errors.Is(err, store.ErrNotFound) {
		sub, err = p.store.AddSubscriber(ctx, subscriber.Subscriber{
			Address: address, Name: r.Name, State: subscriber.Pending, MailLanguage: r.Language, // and articles in all languages
			Consent: subscriber.Consent{Source: "form", IP: r.IP, At: p.store.Now()},
		})
	}
	var suppressed *store.SuppressedError
	switch {
	case errors.As(err, &suppressed):
		return nil // the address bounced or complained
	case errors.Is(err, store.ErrExists): // added concurrently
		sub, err = p.store.SubscriberByAddress(ctx, address)
	}
	if err != nil {
		return err
	}
	if sub.State == subscriber.Bounced || sub.State == subscriber.Complained {
		return nil
	}
	held, err := p.store.Suppression(ctx, address)
	if err != nil || held.Reason != "" && !held.Reason.Personal() {
		return err // an editor suppressed the address of a subscriber
	}
	sub.MailLanguage = cmp.Or(sub.MailLanguage, r.Language)
	return p.mailConfirmation(ctx, sub, r.Digests)
}

// Maximum numbers of confirmation mails per hour, over all nodes, so that the form cannot be used
// to flood mailboxes. Spellings of one mailbox count together.
const (
	mailboxPerHour = 3    // to one mailbox; more are dropped, since its owner has a mail already
	networkPerHour = 60   // requested from one network; more wait
	allPerHour     = 1000 // in all; more wait

	waitOverLimit = 15 * time.Minute // delay of a request that waits, up to requestTries times
)

// overLimit is returned for a request that has to wait.
type overLimit struct{ name string }

func (o *overLimit) Error() string { return "over the limit of confirmations: " + o.name }

// withinLimits counts a request and reports whether its mail may be sent. It returns *overLimit if
// the mail may be sent later. The form was answered before, so it does not reveal the limits.
func (p *Pages) withinLimits(ctx context.Context, r request, address subscriber.Address) (bool, error) {
	key, err := p.store.MailboxKey(ctx, address)
	if err != nil {
		return false, err
	}
	limits := []store.RequestLimit{{Name: "mailbox", Key: key, Max: mailboxPerHour}, {Name: "all", Key: "all", Max: allPerHour}}
	if ip, err := netip.ParseAddr(r.IP); err == nil {
		network := connlimit.Network24or48(ip.Unmap()).String()
		limits = append(limits, store.RequestLimit{Name: "network", Key: "network " + network, Max: networkPerHour})
	}
	over, err := p.store.CountRequest(ctx, limits...)
	switch {
	case err != nil || over == "":
		return err == nil, err
	case over == "mailbox":
		p.log.Warn("confirmation not sent: too many requests for its mailbox", "limit", mailboxPerHour)
		return false, nil
	}
	p.log.Warn("confirmation delayed: too many in the last hour", "limit", over, "network", r.IP)
	return false, &overLimit{over}
}
