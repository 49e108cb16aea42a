package mailer

import (
	"context"
	"errors"
	"fmt"
)

// What went wrong before the first mail. Use errors.Is.
var (
	ErrDial        = errors.New("cannot connect")
	ErrTLS         = errors.New("no TLS")
	ErrCertificate = errors.New("certificate refused") // is an ErrTLS too
	ErrAuth        = errors.New("authentication refused")
	ErrGreeting    = errors.New("the server turned us away") // banner or EHLO
)

// DialError is what Dial returns. Errors.Is finds its Kind, and Reply has the
// server's words if it said any.
type DialError struct {
	Relay string
	Kind  error // ErrDial, ErrTLS, ErrCertificate, ErrAuth or ErrGreeting
	Reply Reply // zero when the server did not answer
	Err   error
}

// Error names the relay, the step and the cause.
func (e *DialError) Error() string { return fmt.Sprintf("relay %s: %v: %v", e.Relay, e.Kind, e.Err) }

// Unwrap gives the kind and the cause.
func (e *DialError) Unwrap() []error { return []error{e.Kind, e.Err} }

// Temporary says whether the same dial may succeed later without a change of
// settings: false for refused certificates and passwords.
func (e *DialError) Temporary() bool { return false }

// Dial connects to a relay, up to and including AUTH. Its errors are *DialError.
func Dial(ctx context.Context, relay Relay) (*Conn, error) {
	return nil, errors.New("mailer: not dialled")
}
