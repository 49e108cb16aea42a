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
	"github.com/tidings-press/tidings/internal/store"
	"github.com/tidings-press/tidings/internal/subscriber"
	"github.com/tidings-press/tidings/internal/web/middleware"
)

// requestKind is the kind of the jobs that carry what people asked for in a form.
const requestKind = "subscribe"

// request is a form that asks for digests. It is kept as a job before the form is
// answered, and looked at afterwards: the answer takes the same time for every
// address, so that its time does not tell who is on the list or suppressed.
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
	requestTries = 20          // over some twelve hours
	requestPoll  = time.Second // half to one and a half of it
)

// RequestConfirmation queues the mail that asks an address to confirm that it wants some
// digests, as if its owner had filled in the form.
func (p *Pages) RequestConfirmation(ctx context.Context, address subscriber.Address, digests []string) error {
	return p.keep(ctx, address, request{Digests: digests})
}

// keep keeps a request until it is handled.
func (p *Pages) keep(ctx context.Context, address subscriber.Address, r request) error {
	r.Address, r.IP = address.String(), middleware.Client(ctx).String()
	payload, err := json.Marshal(r)
	if err != nil {
		return err
	}
	_, err = p.store.Enqueue(ctx, store.Job{Kind: requestKind, Key: uuid.NewString(), Payload: payload, About: address})
	return err
}

// Run handles requests until the context ends, those that an earlier process or
// another node left behind too. It begins at times that a request has no say in: right
// after one, the work that it makes would slow down the answer to the next, and tell
// what it was.
func (p *Pages) Run(ctx context.Context) {
	for ctx.Err() == nil {
		select {
		case <-time.After(requestPoll/2 + rand.N(requestPoll)):
		case <-ctx.Done():
			return
		}
		if err := p.HandleRequests(ctx); err != nil && ctx.Err() == nil {
			p.log.Error("cannot handle subscription requests for now", "error", err)
		}
	}
}

// HandleRequests handles the requests that are due now. An error is about the store;
// a request that cannot be handled is tried again later.
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

// handleRequest handles one request and forgets it: its address must not outlive the
// person's own row.
func (p *Pages) handleRequest(ctx context.Context, job store.Job) error {
	var r request
	err := json.Unmarshal(job.Payload, &r)
	if err == nil {
		err = p.ask(ctx, r)
	}
	var late *overLimit
	if errors.As(err, &late) && job.Tries < requestTries {
		return p.store.RetryJob(ctx, job, waitOverLimit, late.Error())
	}
	if err == nil || job.Tries >= requestTries {
		if err != nil {
			p.log.Error("a subscription request is given up", "request", job.Key, "error", err)
		}
		return p.store.DropJob(ctx, job)
	}
	p.log.Warn("a subscription request is tried again later", "request", job.Key, "error", err)
	return p.store.RetryJob(ctx, job, backoff.Delay(10*time.Second, 6*time.Hour, job.Tries), "tried again")
}

// ask writes to someone who may want to subscribe. Nobody's state changes by it.
func (p *Pages) ask(ctx context.Context, r request) error {
	address, err := subscriber.ParseAddress(r.Address)
	if err != nil {
		return err
	}
	if ok, err := p.mayAsk(ctx, r, address); !ok || err != nil {
		return err
	}
	who, err := p.store.SubscriberByAddress(ctx, address)
	if errors.Is(err, store.ErrNotFound) {
		who, err = p.store.AddSubscriber(ctx, subscriber.Subscriber{
			Address: address, Name: r.Name, State: subscriber.Pending, MailLanguage: r.Language, // and articles in all languages
			Consent: subscriber.Consent{Source: "form", IP: r.IP, At: p.store.Now()},
		})
	}
	var suppressed *store.SuppressedError
	switch {
	case errors.As(err, &suppressed):
		return nil // it bounced or complained: it gets no mail, and the form says nothing of it
	case errors.Is(err, store.ErrExists): // someone else was faster
		who, err = p.store.SubscriberByAddress(ctx, address)
	}
	if err != nil {
		return err
	}
	if who.State == subscriber.Bounced || who.State == subscriber.Complained {
		return nil
	}
	who.MailLanguage = cmp.Or(who.MailLanguage, r.Language)
	return p.askToConfirm(ctx, who, r.Digests)
}

// Confirmation mails in an hour, so that the form is no means to fill other people's
// mailboxes, whatever spellings of an address and however many nodes are used.
const (
	mailboxPerHour = 3    // to one mailbox; more are dropped, since its owner has the mail
	networkPerHour = 60   // asked for from one network; more wait
	allPerHour     = 1000 // in all; more wait

	waitOverLimit = 15 * time.Minute // a request that waits is looked at again then, up to requestTries times
)

// overLimit says that a request has to wait.
type overLimit struct{ name string }

func (o *overLimit) Error() string { return "over the limit of confirmations: " + o.name }

// mayAsk counts a request and reports whether its mail may go now. An *overLimit error means
// later. The form has been answered before, so that nobody learns of the limits from it.
func (p *Pages) mayAsk(ctx context.Context, r request, address subscriber.Address) (bool, error) {
	key, err := p.store.MailboxKey(ctx, address)
	if err != nil {
		return false, err
	}
	limits := []store.RequestLimit{{Name: "mailbox", Key: key, Most: mailboxPerHour}, {Name: "all", Key: "all", Most: allPerHour}}
	if ip, err := netip.ParseAddr(r.IP); err == nil {
		network := middleware.WideNetwork(ip.Unmap()).String()
		limits = append(limits, store.RequestLimit{Name: "network", Key: "network " + network, Most: networkPerHour})
	}
	over, err := p.store.CountRequest(ctx, limits...)
	switch {
	case err != nil || over == "":
		return err == nil, err
	case over == "mailbox":
		p.log.Warn("a confirmation is not sent: its mailbox was asked for too often", "limit", mailboxPerHour)
		return false, nil
	}
	p.log.Warn("a confirmation waits: there were too many in the last hour", "limit", over, "network", r.IP)
	return false, &overLimit{over}
}
