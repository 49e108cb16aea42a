package app

import (
	"context"
	"fmt"
	"strings"

	"github.com/tidings-press/tidings/internal/bounce"
	"github.com/tidings-press/tidings/internal/config"
	"github.com/tidings-press/tidings/internal/doctor"
	"github.com/tidings-press/tidings/internal/subscriber"
)

// testMail returns how the check test-mail sends mails to an address and reads them back.
func (s *Service) testMail(ctx context.Context, o DoctorOptions) (*doctor.TestMail, error) {
	engine, err := s.Engine(ctx)
	if err != nil {
		return nil, err
	}
	out := o.unsent()
	for i := range s.Config.Relays {
		out.Relays = append(out.Relays, s.Config.Relays[i].Name)
	}
	out.Send = func(ctx context.Context, relay string) (doctor.SentMail, error) {
		sent, err := engine.SendRelayTest(ctx, relay, o.SendTo)
		return doctor.SentMail{Relay: relay, Code: sent.Code, From: sent.From, ReturnPath: sent.ReturnPath, MessageID: sent.MessageID}, err
	}
	if box, name := s.testMailbox(o.SendTo); box != nil {
		reader := bounce.NewMailboxReader(*box)
		out.Read, out.Mailbox = reader.Pass, name
	}
	return out, nil
}

// testMailbox returns the mailbox in which mail to an address arrives, and its name for messages: the
// configured one, or the mailbox of bounces if the address belongs to it. Without either it returns nil.
func (s *Service) testMailbox(to subscriber.Address) (*bounce.Mailbox, string) {
	if m := s.Config.Mail.TestMailbox; m != nil {
		box := bounce.Mailbox{Protocol: m.Protocol, Host: m.Host, Port: m.Port, TLS: m.TLS, Username: m.Username, Password: m.Password.Reveal(), Folder: m.Folder}
		if m.Protocol == "maildir" {
			return &box, "the Maildir " + m.Folder
		}
		return &box, fmt.Sprintf("the mailbox of %s at %s", m.Username, m.Host)
	}
	m := s.Config.Bounces.Mailbox
	if m == nil || !strings.EqualFold(m.Username, to.ASCII()) && !strings.EqualFold(to.Domain(), s.bounceDomain()) {
		return nil, ""
	}
	box := bouncesMailbox(m)
	return &box, fmt.Sprintf("the mailbox of bounces (%s at %s)", m.Username, m.Host)
}

// bouncesMailbox returns the mailbox of bounces for its settings.
func bouncesMailbox(m *config.Mailbox) bounce.Mailbox {
	return bounce.Mailbox{Protocol: m.Protocol, Host: m.Host, Port: m.Port, TLS: m.TLS, Username: m.Username, Password: m.Password.Reveal(), Every: m.Every}
}
