package delivery

import (
	"context"
	"errors"
	"fmt"
	"html"

	"github.com/google/uuid"

	"github.com/tidings-press/tidings/internal/subscriber"
	"github.com/tidings-press/tidings/mailer"
)

// RelayTestMail is a test mail as a relay took it.
type RelayTestMail struct {
	Code       string // that no other mail contains; the subject contains it
	From       string // address of the sender
	ReturnPath string
	MessageID  string // without angle brackets
}

// relayTestText is the text of test mails: its site, the relay and the code. Characters outside of ASCII
// and a long line show whether the mail arrives as it was sent.
const relayTestText = `This is a test mail of %s, sent by "tidings doctor" over the relay %s.

Its headers show whether receivers can authenticate the mail that this service sends. Nothing has to be done with it. These characters and this long line show whether a server on the way changes mails: Zoë, Łódź, Ærø, 東京, Ελλάδα.

Code: %s
`

// SendRelayTest sends a test mail to one address over a relay, with the sender of the first digest and the
// headers, the signatures and the return path of an edition's mails. Its links unsubscribe no one.
func (e *Engine) SendRelayTest(ctx context.Context, name string, to subscriber.Address) (RelayTestMail, error) {
	var out RelayTestMail
	if err := e.mayPublish(ctx); err != nil {
		return out, err
	}
	if len(e.Digests) == 0 {
		return out, errors.New("no digest is configured, so there is no sender")
	}
	fixed, err := e.settings(e.Digests[0].Name)
	if err != nil {
		return out, err
	}
	paths, err := mailer.NewSignedAddresses(e.secret, fixed.Domain)
	if err != nil {
		return out, err
	}
	id := mailer.DeliveryID{Edition: uuid.NewString()}
	out = RelayTestMail{Code: id.Edition, From: fixed.From.Email, ReturnPath: fixed.returnPath(paths, id), MessageID: paths.MessageID(id)}
	text := fmt.Sprintf(relayTestText, e.Site.Title, name, out.Code)
	list := fixed.list("", id.Edition, e.links(fixed.Site, uuid.Nil, fixed.Digest, id.Edition, "").Unsubscribe, paths.Unsubscribe(id))
	compiled, err := mailer.Compile(mailer.Message{
		From: fixed.From, ReplyTo: fixed.ReplyTo, To: mailer.Address{Email: to.ASCII()}, Subject: fmt.Sprintf("Test mail of %s (%s)", e.Site.Title, out.Code),
		Date: e.Store.Now(), MessageID: out.MessageID, Text: text,
		HTML:    `<!DOCTYPE html><html lang="en"><head><meta charset="utf-8"><title>Test mail</title></head><body><pre style="white-space:pre-wrap;font-family:inherit">` + html.EscapeString(text) + `</pre></body></html>`,
		Headers: list.Headers(),
	})
	if err != nil {
		return out, err
	}
	return out, e.sendByNamedRelay(ctx, name, compiledMail{from: out.ReturnPath, to: to, compiled: compiled, messageID: out.MessageID})
}

// sendByNamedRelay sends one mail over a relay, within its limits.
func (e *Engine) sendByNamedRelay(ctx context.Context, name string, m compiledMail) error {
	ctx, cancel := context.WithTimeout(ctx, singleMailTimeout)
	defer cancel()
	for _, r := range e.relays.All() {
		if r.Name != name {
			continue
		}
		if reason := r.HeldReason(); reason != "" {
			return fmt.Errorf("relay %s is paused: %s", name, reason)
		}
		conn := &singleMailConn{}
		defer conn.close()
		tried, err := e.sendByRelay(ctx, r, conn, m)
		if err == nil && !tried {
			err = fmt.Errorf("relay %s is at its limits", name)
		}
		return err
	}
	return fmt.Errorf("unknown relay %q", name)
}
