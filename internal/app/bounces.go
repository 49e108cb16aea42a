package app

import (
	"cmp"
	"context"
	"fmt"
	"net"
	"net/http"
	"slices"

	"github.com/tidings-press/tidings/feed"
	"github.com/tidings-press/tidings/internal/bounce"
	"github.com/tidings-press/tidings/internal/delivery"
	"github.com/tidings-press/tidings/internal/feedserver"
	"github.com/tidings-press/tidings/internal/health"
	"github.com/tidings-press/tidings/internal/loadshare"
	"github.com/tidings-press/tidings/internal/store"
	"github.com/tidings-press/tidings/internal/subscriber"
	"github.com/tidings-press/tidings/internal/web"
	"github.com/tidings-press/tidings/internal/websub"
	"github.com/tidings-press/tidings/mailer"
)

// bounceProcessor makes the processor of bounces and complaints.
func (p *Service) bounceProcessor(ctx context.Context) (*bounce.Processor, error) {
	secret, err := p.Store.Secret(ctx, "deliveries")
	if err != nil {
		return nil, err
	}
	paths, err := mailer.NewSignedAddresses(secret, p.bounceDomain())
	if err != nil {
		return nil, err
	}
	book := bounce.StoreRecorder{Store: p.Store, Soft: func() store.SoftRule { return softRule(p.Config.Delivery) }}
	return bounce.New(bounce.Options{Addresses: paths, Recorder: book, Log: p.Log, Now: p.Store.Now, Mailboxes: p.bounceAddresses()}), nil
}

// bounceAddresses are those that the listeners take besides return paths: the
// configured ones, and the two that each domain must have (RFC 2142), of every
// digest's sender.
func (p *Service) bounceAddresses() []string {
	all := slices.Clone(p.Config.Bounces.Addresses)
	for _, d := range p.Config.Digests {
		if _, sender, err := subscriber.ParseMailbox(d.Sender); err == nil && p.Config.Mail.ReturnPathDomain == "" {
			all = append(all, "abuse@"+sender.Domain(), "postmaster@"+sender.Domain())
		}
	}
	return all
}

// bounceDomain is where return paths lead to.
func (p *Service) bounceDomain() string {
	if p.Config.Mail.ReturnPathDomain != "" {
		return p.Config.Mail.ReturnPathDomain
	}
	for _, d := range p.Config.Digests {
		if _, sender, err := subscriber.ParseMailbox(d.Sender); err == nil {
			return sender.Domain()
		}
	}
	return "localhost.localdomain"
}

// openBounceListeners listens where bounce mails come in.
func (s *Node) openBounceListeners(ctx context.Context, open func(func() error)) error {
	b := s.Service.Config.Bounces
	if b.SMTP == "" && b.LMTP == "" {
		return nil
	}
	desk, err := s.Service.bounceProcessor(ctx)
	if err != nil {
		return err
	}
	for _, door := range []struct {
		key, address string
		serve        func(context.Context, net.Listener) error
	}{{"bounces.smtp", b.SMTP, desk.ServeSMTP}, {"bounces.lmtp", b.LMTP, desk.ServeLMTP}} {
		if door.address == "" {
			continue
		}
		listener, err := net.Listen("tcp", door.address)
		if err != nil {
			return s.Service.Config.Problem(door.key, err.Error(), "use a free address of this machine")
		}
		open(func() error { return door.serve(ctx, listener) })
	}
	return nil
}

// pollMailbox looks for bounce mails in a mailbox until the context ends.
func (p *Service) pollMailbox(ctx context.Context) {
	m := p.Config.Bounces.Mailbox
	if m == nil {
		return
	}
	desk, err := p.bounceProcessor(ctx)
	if err == nil {
		err = desk.Poll(ctx, bounce.Mailbox{Protocol: m.Protocol, Host: m.Host, Port: m.Port, TLS: m.TLS, Username: m.Username, Password: m.Password.Reveal(), Every: m.Every})
	}
	p.logError(ctx, "cannot poll the mailbox of bounces", err)
}

// webhooks are the doors that mail services report at.
func (p *Service) webhooks(ctx context.Context) (map[string]http.Handler, error) {
	out := map[string]http.Handler{}
	if len(p.Config.Bounces.Webhooks) == 0 {
		return out, nil
	}
	desk, err := p.bounceProcessor(ctx)
	if err != nil {
		return nil, err
	}
	for i, w := range p.Config.Bounces.Webhooks {
		handler, err := desk.Webhook(w.Service, w.Secret.Reveal())
		if err != nil {
			return nil, p.Config.Problem(fmt.Sprintf("bounces.webhooks[%d].secret", i), err.Error(), "")
		}
		out[cmp.Or(w.Name, w.Service)] = handler
	}
	return out, nil
}

// pages puts the whole HTTP side together. hub is our own WebSub hub, if there is one.
func (p *Service) pages(ctx context.Context, engine *delivery.Engine, monitor *health.Monitor, feeds *feedserver.Server, hub *websub.Hub, share *loadshare.Share) (*web.Site, error) {
	hooks, err := p.webhooks(ctx)
	if err != nil {
		return nil, err
	}
	polls := NewFeedPolls(p.Store, nodeName())
	deps := web.Deps{
		Store:     p.Store,
		Engine:    engine,
		Feeds:     feeds,
		Config:    p.Config,
		Templates: p.Templates,
		Readers:   func(ctx context.Context) (map[string]feed.Readers, error) { return polls.Readers(ctx, p.Store.Now()) },
		Webhooks:  hooks,
		Ready:     monitor,
		Share:     share,
		Log:       p.Log,
	}
	if hub != nil {
		deps.Hub = hub
	}
	return web.New(deps)
}
