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

// What the listeners allow. Reports bring the whole mail back with them.
const (
	inboundSize       = 16 << 20
	inboundRecipients = 20
	inboundTimeout    = 2 * time.Minute
)

// ServeSMTP takes mail for our return paths on a listener until the context ends:
// point the MX of the return paths' domain there.
func (d *Processor) ServeSMTP(ctx context.Context, listener net.Listener) error {
	return d.serve(ctx, listener, "smtp")
}

// ServeLMTP does the same behind a mail server that hands over by LMTP (RFC 2033).
func (d *Processor) ServeLMTP(ctx context.Context, listener net.Listener) error {
	return d.serve(ctx, listener, "lmtp")
}

func (d *Processor) serve(ctx context.Context, listener net.Listener, protocol string) error {
	server := smtp.NewServer(smtp.BackendFunc(func(*smtp.Conn) (smtp.Session, error) {
		return &inbound{ctx: ctx, processor: d, source: protocol}, nil
	}))
	server.LMTP = protocol == "lmtp"
	server.Domain = d.addresses.Domain()
	server.MaxMessageBytes = inboundSize
	server.MaxRecipients = inboundRecipients
	server.ReadTimeout, server.WriteTimeout = inboundTimeout, inboundTimeout
	server.EnableSMTPUTF8 = true
	server.ErrorLog = debugLog{d}
	defer context.AfterFunc(ctx, func() { _ = server.Close() })()
	err := server.Serve(connectionLimit().Wrap(listener))
	if ctx.Err() != nil || errors.Is(err, smtp.ErrServerClosed) {
		return nil
	}
	return err
}

// connectionLimit bounds the connections of a listener. When they are all taken, the one that
// has been silent the longest is closed. A mail server of the same network (one that hands over
// by LMTP, or a container's gateway) may have any number of them.
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

// debugLog takes go-smtp's complaints about clients, of which the open network has
// many.
type debugLog struct{ processor *Processor }

// Printf logs at debug level.
func (q debugLog) Printf(format string, args ...any) {
	q.processor.log.Debug("bounce listener", "format", format, "args", args)
}

// Println logs at debug level.
func (q debugLog) Println(args ...any) { q.processor.log.Debug("bounce listener", "args", args) }

// inbound is one connection.
type inbound struct {
	ctx       context.Context
	processor *Processor
	source    string
	from      string
	to        []string
}

// Mail accepts any sender: reports have the null one, replies of people any.
func (s *inbound) Mail(from string, _ *smtp.MailOptions) error {
	s.from = from
	return nil
}

var errUnknownRecipient = &smtp.SMTPError{Code: 550, EnhancedCode: smtp.EnhancedCode{5, 1, 1}, Message: "no such address here"}

// Rcpt accepts our own addresses only: this is no relay and no catch-all.
func (s *inbound) Rcpt(to string, _ *smtp.RcptOptions) error {
	if !s.processor.accepts(to) {
		return errUnknownRecipient
	}
	s.to = append(s.to, to)
	return nil
}

var errLater = &smtp.SMTPError{Code: 451, EnhancedCode: smtp.EnhancedCode{4, 3, 0}, Message: "not now, try again later"}

// Data processes the mail. A mail that is not a report is accepted too: refusing it would only
// make one more bounce.
func (s *inbound) Data(r io.Reader) error {
	noted := io.MultiReader(strings.NewReader(mailer.ReturnPathHeader(s.from)), r)
	verdict, err := s.processor.Receive(s.ctx, s.source, s.to, noted)
	if err != nil {
		var said *smtp.SMTPError
		if errors.As(err, &said) {
			return err
		}
		s.processor.log.Error("a report could not be recorded", "source", s.source, "error", err)
		return errLater
	}
	s.processor.log.Debug("inbound mail", "source", s.source, "verdict", verdict)
	_, err = io.Copy(io.Discard, r)
	return err
}

// Reset forgets the envelope.
func (s *inbound) Reset() { s.from, s.to = "", nil }

// Logout has nothing to do.
func (s *inbound) Logout() error { return nil }
