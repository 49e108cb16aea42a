package bounce

import (
	"context"
	"errors"
	"io"
	"net"
	"strings"
	"time"

	"github.com/emersion/go-smtp"

	"github.com/tidings-press/tidings/internal/connlimit"

	"github.com/tidings-press/tidings/mailer"
)

// The limits of the listeners. Reports may contain the whole returned mail.
const (
	inboundBytes      = 16 << 20
	inboundRecipients = 20
	inboundTimeout    = 2 * time.Minute
)

// ServeSMTP accepts mail to our return paths on a listener until the context ends. The MX record of
// the return paths' domain must point to it.
func (p *Processor) ServeSMTP(ctx context.Context, listener net.Listener) error {
	return p.serve(ctx, listener, "smtp")
}

// ServeLMTP is like ServeSMTP, for a mail server that delivers by LMTP (RFC 2033).
func (p *Processor) ServeLMTP(ctx context.Context, listener net.Listener) error {
	return p.serve(ctx, listener, "lmtp")
}

func (p *Processor) serve(ctx context.Context, listener net.Listener, protocol string) error {
	server := smtp.NewServer(smtp.BackendFunc(func(*smtp.Conn) (smtp.Session, error) {
		return &inboundSession{ctx: ctx, processor: p, source: protocol}, nil
	}))
	server.LMTP = protocol == "lmtp"
	server.Domain = p.addresses.Domain()
	server.MaxMessageBytes = inboundBytes
	server.MaxRecipients = inboundRecipients
	server.ReadTimeout, server.WriteTimeout = inboundTimeout, inboundTimeout
	server.EnableSMTPUTF8 = true
	server.ErrorLog = debugLog{p}
	defer context.AfterFunc(ctx, func() { _ = server.Close() })()
	err := server.Serve(connectionLimit().Wrap(listener))
	if ctx.Err() != nil || errors.Is(err, smtp.ErrServerClosed) {
		return nil
	}
	return err
}

// connectionLimit bounds the connections of a listener. When the limit is reached, the connection
// that has been idle longest is closed. Clients in the same network, such as a mail server that
// delivers by LMTP or a container's gateway, may open any number of connections.
func connectionLimit() *connlimit.Limiter {
	budget := connlimit.Descriptors()
	return connlimit.New(connlimit.Options{
		Max: budget.SMTP, PerClient: budget.PerSMTP, Exempt: connlimit.IsLocal,
		Refuse: func(conn net.Conn) {
			_ = conn.SetWriteDeadline(time.Now().Add(time.Second))
			_, _ = io.WriteString(conn, "421 4.7.0 Too many connections, try again later\r\n")
		},
	})
}

// debugLog logs go-smtp's messages about clients at debug level, because a public listener gets many.
type debugLog struct{ processor *Processor }

// Printf logs at debug level.
func (q debugLog) Printf(format string, args ...any) {
	q.processor.log.Debug("bounce listener", "format", format, "args", args)
}

// Println logs at debug level.
func (q debugLog) Println(args ...any) { q.processor.log.Debug("bounce listener", "args", args) }

// inboundSession is the go-smtp session of one connection.
type inboundSession struct {
	ctx       context.Context
	processor *Processor
	source    string
	from      string
	to        []string
}

// Mail accepts any sender: reports have the null sender, replies of people have any.
func (s *inboundSession) Mail(from string, _ *smtp.MailOptions) error {
	s.from = from
	return nil
}

var errUnknownRecipient = &smtp.SMTPError{Code: 550, EnhancedCode: smtp.EnhancedCode{5, 1, 1}, Message: "no such address here"}

// Rcpt accepts only our own addresses.
func (s *inboundSession) Rcpt(to string, _ *smtp.RcptOptions) error {
	if !s.processor.accepts(to) {
		return errUnknownRecipient
	}
	s.to = append(s.to, to)
	return nil
}

var errLater = &smtp.SMTPError{Code: 451, EnhancedCode: smtp.EnhancedCode{4, 3, 0}, Message: "not now, try again later"}

// Data processes the mail. It also accepts a mail that is not a report, because refusing it would
// only cause another bounce.
func (s *inboundSession) Data(r io.Reader) error {
	mail := io.MultiReader(strings.NewReader(mailer.ReturnPathHeader(s.from)), r)
	result, err := s.processor.Receive(s.ctx, s.source, s.to, mail)
	if err != nil {
		var smtpErr *smtp.SMTPError
		if errors.As(err, &smtpErr) {
			return err
		}
		s.processor.log.Error("a report could not be recorded", "source", s.source, "error", err)
		return errLater
	}
	s.processor.log.Debug("inbound mail", "source", s.source, "result", result)
	_, err = io.Copy(io.Discard, r)
	return err
}

// Reset clears the envelope.
func (s *inboundSession) Reset() { s.from, s.to = "", nil }

// Logout does nothing.
func (s *inboundSession) Logout() error { return nil }
