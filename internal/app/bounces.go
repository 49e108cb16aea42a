package app

import (
	"cmp"
	"context"
	"fmt"
	"net"
	"net/http"
	"slices"
	"strings"

	"github.com/tidings-press/tidings/internal/bounce"
	"github.com/tidings-press/tidings/internal/store"
	"github.com/tidings-press/tidings/internal/subscriber"
	"github.com/tidings-press/tidings/mailer"
)

// bounceProcessor makes the processor of bounces and complaints.
func (s *Service) bounceProcessor(ctx context.Context) (*bounce.Processor, error) {
	secret, err := s.Store.Secret(ctx, "deliveries")
	if err != nil {
		return nil, err
	}
	paths, err := mailer.NewSignedAddresses(secret, s.bounceDomain())
	if err != nil {
		return nil, err
	}
	book := bounce.StoreRecorder{Store: s.Store, Soft: func() store.SoftRule { return softRule(s.Config.Delivery) }}
	return bounce.New(bounce.Options{Addresses: paths, Recorder: book, Log: s.Log, Now: s.Store.Now, Mailboxes: s.bounceAddresses()}), nil
}

// bounceAddresses returns the addresses that the listeners accept besides return paths: the
// configured ones, and abuse and postmaster of each sender's domain (RFC 2142).
func (s *Service) bounceAddresses() []string {
	all := slices.Clone(s.Config.Bounces.Addresses)
	for _, d := range s.Config.Digests {
		if _, sender, err := subscriber.ParseMailbox(d.Sender); err == nil && s.Config.Mail.ReturnPathDomain == "" {
			all = append(all, "abuse@"+sender.Domain(), "postmaster@"+sender.Domain())
		}
	}
	return all
}

// bounceDomain returns the domain of return paths.
func (s *Service) bounceDomain() string {
	if s.Config.Mail.ReturnPathDomain != "" {
		return s.Config.Mail.ReturnPathDomain
	}
	for _, d := range s.Config.Digests {
		if _, sender, err := subscriber.ParseMailbox(d.Sender); err == nil {
			return sender.Domain()
		}
	}
	return "localhost.localdomain"
}

// openBounceListeners starts the listeners for bounce mails.
func (n *Node) openBounceListeners(ctx context.Context, open func(func() error)) error {
	b := n.Service.Config.Bounces
	if b.SMTP == "" && b.LMTP == "" {
		return nil
	}
	processor, err := n.Service.bounceProcessor(ctx)
	if err != nil {
		return err
	}
	for _, l := range []struct {
		key, address string
		serve        func(context.Context, net.Listener) error
	}{{"bounces.smtp", b.SMTP, processor.ServeSMTP}, {"bounces.lmtp", b.LMTP, processor.ServeLMTP}} {
		if l.address == "" {
			continue
		}
		listener, err := net.Listen("tcp", l.address)
		if err != nil {
			return n.Service.Config.Problem(l.key, err.Error(), "use a free address of this machine")
		}
		open(func() error { return l.serve(ctx, listener) })
	}
	return nil
}

// pollMailbox reads bounce mails from a mailbox until the context ends.
func (s *Service) pollMailbox(ctx context.Context) {
	m := s.Config.Bounces.Mailbox
	if m == nil {
		return
	}
	processor, err := s.bounceProcessor(ctx)
	if err == nil {
		err = processor.Poll(ctx, bouncesMailbox(m))
	}
	s.logError(ctx, "cannot poll the mailbox for bounces", err)
}

// webhooks returns the handlers for the reports of mail services, by name.
func (s *Service) webhooks(ctx context.Context) (map[string]http.Handler, error) {
	out := map[string]http.Handler{}
	if len(s.Config.Bounces.Webhooks) == 0 {
		return out, nil
	}
	processor, err := s.bounceProcessor(ctx)
	if err != nil {
		return nil, err
	}
	for i, w := range s.Config.Bounces.Webhooks {
		name := cmp.Or(w.Name, w.Service)
		handler, err := processor.Webhook(w.Service, w.Secret.Reveal(), strings.TrimRight(s.Config.Site.URL, "/")+"/webhooks/"+name)
		if err != nil {
			return nil, s.Config.Problem(fmt.Sprintf("bounces.webhooks[%d].secret", i), err.Error(), "")
		}
		out[name] = handler
	}
	return out, nil
}
