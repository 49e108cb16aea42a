package app

import (
	"cmp"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"os"

	"github.com/tidings-press/tidings/internal/config"
	"github.com/tidings-press/tidings/internal/delivery"
	"github.com/tidings-press/tidings/internal/delivery/relay"
	"github.com/tidings-press/tidings/internal/digest"
	"github.com/tidings-press/tidings/internal/lint"
	"github.com/tidings-press/tidings/internal/schedule"
	"github.com/tidings-press/tidings/internal/store"
	"github.com/tidings-press/tidings/internal/subscriber"
	"github.com/tidings-press/tidings/internal/warmup"
	"github.com/tidings-press/tidings/internal/web/admin"
	"github.com/tidings-press/tidings/mailer"
)

// Engine returns the engine that sends editions. It is not running yet.
func (s *Service) Engine(ctx context.Context) (*delivery.Engine, error) {
	keys, err := s.Store.Keys(ctx)
	if err != nil {
		return nil, err
	}
	catalogue, err := admin.Catalogue()
	if err != nil {
		return nil, err
	}
	options := delivery.Options{
		Store:          s.Store,
		Keys:           keys,
		Templates:      s.Templates,
		Site:           digest.SiteOf(s.Config),
		Words:          catalogue,
		Policy:         policy(s.Config.Delivery),
		Checks:         checks(s.Config),
		FirstSendCheck: s.Config.Delivery.FirstSendCheck,
		ReturnPath:     s.Config.Mail.ReturnPathDomain,

		ReturnPaths:     s.Config.ReadsReturnPaths(),
		UnsubscribeMail: s.Config.ReadsUnsubscribeMail(),
		OwnersAlerted:   s.Config.Health.Alerts,
		Lease:           s.Config.Delivery.Lease,
		Log:             s.Log,
	}
	for i := range s.Config.Digests {
		definition, err := definition(s.Config, &s.Config.Digests[i])
		if err != nil {
			return nil, err
		}
		options.Digests = append(options.Digests, definition)
	}
	for i := range s.Config.Relays {
		relay, err := relayConfig(&s.Config.Relays[i])
		if err != nil {
			return nil, s.Config.Problem(fmt.Sprintf("relays[%d].ca_file", i), err.Error(), "name a PEM file with certificates")
		}
		options.Relays = append(options.Relays, relay)
	}
	for _, sender := range []string{s.Config.Mail.Owner, s.Config.Site.Editor, s.Config.Site.Webmaster} {
		if options.From, err = mailbox(sender); err == nil {
			break
		}
	}
	if options.DKIM, err = signingKeys(s.Config); err != nil {
		return nil, err
	}
	return delivery.New(ctx, options)
}

func policy(d config.Delivery) delivery.Policy {
	return delivery.Policy{Resend: d.Uncertain == "resend", RetryFor: d.RetryFor, Chunk: d.Chunk, Undo: d.Undo, Soft: softRule(d), Rates: delivery.RateLimits{
		WarnComplaints: d.ComplaintsWarn, StopComplaints: d.ComplaintsStop, StopRefusals: d.RefusalsStop,
	}}
}

// checks returns what the configuration says of the check of editions.
func checks(c *config.Config) delivery.Checks {
	out := delivery.Checks{OnErrors: delivery.OnErrors(c.Check.Errors)}
	if c.Check.Links {
		out.Fetcher = lint.NewFetcher(lint.FetcherOptions{Agent: "Tidings (check of links; " + c.Site.URL + ")", Intranet: c.Check.Intranet})
	}
	if c.Check.SpamAssassin != "" {
		out.Filters = append(out.Filters, lint.SpamAssassin(c.Check.SpamAssassin))
	}
	if c.Check.Rspamd != "" {
		out.Filters = append(out.Filters, lint.Rspamd(c.Check.Rspamd))
	}
	return out
}

func softRule(d config.Delivery) store.SoftRule {
	return store.SoftRule{Limit: d.SoftLimit, Days: d.SoftDays}
}

// definition returns the digest for its settings.
func definition(c *config.Config, d *config.Digest) (delivery.Definition, error) {
	out := delivery.Definition{
		Definition: digest.DefinitionOf(d),
		Min:        d.MinArticles,
		Max:        d.MaxArticles,
		Oldest:     d.Prefer == "oldest",
		After:      d.After,
		Notify:     delivery.Notify(d.Notify.To),
		Notices:    notices(&d.Notify),
		Automatic:  d.Approval == "automatic",
		Each:       d.Missed == "each",

		Approvers:   map[string]int{"two": 2}[d.Approval],
		DraftBefore: d.DraftBefore,
		AtDeadline:  delivery.Deadline(d.AtDeadline),
	}
	var err error
	if out.Schedule, err = schedule.Parse(d.Schedule, d.Timezone); err != nil {
		return out, err
	}
	if out.Paused = d.Paused(); out.Paused {
		out.Schedule = nil
	}
	if out.Filter, err = d.Filter.Compile(); err != nil {
		return out, err
	}
	if out.Layout, err = digest.LayoutOf(d); err != nil {
		return out, err
	}
	if out.From, err = mailbox(d.Sender); err != nil {
		return out, err
	}
	if d.ReplyTo != d.Sender {
		if out.ReplyTo, err = mailbox(d.ReplyTo); err != nil {
			return out, err
		}
	}
	owner, err := mailbox(cmp.Or(c.Mail.Owner, d.ReplyTo))
	out.Owner = owner.Email
	return out, err
}

// notices returns which events editors get mails about, as far as the settings say so.
func notices(n *config.Notify) map[delivery.Event]bool {
	out := map[delivery.Event]bool{}
	for event, set := range map[delivery.Event]*bool{
		delivery.EventProof: n.Proof, delivery.EventHeld: n.Held, delivery.EventSent: n.Sent, delivery.EventFailed: n.Failed,
		delivery.EventSkipped: n.Skipped, delivery.EventRelay: n.Relay, delivery.EventComplaints: n.Complaints, delivery.EventPaused: n.Paused,
	} {
		if set != nil {
			out[event] = *set
		}
	}
	return out
}

func mailbox(text string) (mailer.Address, error) {
	name, address, err := subscriber.ParseMailbox(text)
	return mailer.Address{Name: name, Email: address.ASCII()}, err
}

func relayConfig(r *config.Relay) (relay.Config, error) {
	roots, err := trusted(r.CAFile)
	plan, planErr := warmup.Parse(r.Warmup)
	perDomain, domainErr := warmup.Parse(r.WarmupPerDomain)
	return relay.Config{
		Relay: mailer.Relay{
			Name:     r.Name,
			Host:     r.Host,
			Port:     r.Port,
			Socket:   r.Socket,
			Protocol: mailer.Protocol(r.Protocol),
			Security: mailer.Security(r.TLS),
			TLS:      roots,
			Auth:     mailer.Mechanism(r.Auth),
			Username: r.Username,
			Password: r.Password.Reveal(),
			Helo:     helo(r.Helo),
		},
		Weight:        r.Weight,
		Connections:   r.Connections,
		PerNode:       r.ConnectionsPerNode,
		PerSecond:     r.PerSecond,
		PerHour:       r.PerHour,
		PerConnection: r.PerConnection,

		Warmup:          plan,
		WarmupPerDomain: perDomain,

		MaxSize: int64(r.MaxSize),
		Headers: headerLines(r.ExtraHeaders),
	}, errors.Join(err, planErr, domainErr)
}

func headerLines(lines []config.HeaderLine) []string {
	var out []string
	for _, line := range lines {
		out = append(out, line.Reveal())
	}
	return out
}

// helo returns the name to give in EHLO: the configured one, or the machine's.
func helo(name string) string {
	if name == "" {
		if host, err := os.Hostname(); err == nil {
			name = host
		}
	}
	return name
}

// trusted returns the certificates of a file and of the system.
func trusted(file string) (*tls.Config, error) {
	if file == "" {
		return nil, nil
	}
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	pool, err := x509.SystemCertPool()
	if err != nil {
		pool = x509.NewCertPool()
	}
	if !pool.AppendCertsFromPEM(text) {
		return nil, fmt.Errorf("%s holds no certificate", file)
	}
	return &tls.Config{RootCAs: pool}, nil
}

func signingKeys(c *config.Config) ([]mailer.DKIMKey, error) {
	var out []mailer.DKIMKey
	for i, k := range c.Mail.DKIM {
		text, err := os.ReadFile(k.KeyFile)
		if err != nil {
			return nil, err
		}
		signer, err := mailer.ParsePrivateKey(text)
		if err != nil {
			return nil, c.Problem(fmt.Sprintf("mail.dkim[%d].key_file", i), err.Error(), `create the file with "tidings dkim keygen"`)
		}
		out = append(out, mailer.DKIMKey{Domain: k.Domain, Selector: k.Selector, Signer: signer})
	}
	return out, nil
}
