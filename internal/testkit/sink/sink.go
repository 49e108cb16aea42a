// Package sink is an SMTP server for benchmarks and fault tests. It accepts mail as fast
// as possible, counts the recipients, and simulates the faults that its options ask for.
// Start runs one.
package sink

import (
	"crypto/tls"
	"errors"
	"net"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// Options configure a sink. With the zero value it accepts every mail without delay.
type Options struct {
	// Delay passes before replies are sent, like the latency of a network. Replies to
	// pipelined commands are sent together after one delay.
	Delay time.Duration
	// Keep is called with each accepted mail, from many goroutines. Without it, bodies
	// are discarded.
	Keep func(Mail)
	// Faults are checked in order; the first that applies is used.
	Faults []Fault
	// Greylist refuses each recipient's first tries with 451.
	Greylist int
	// NoPipelining does not offer PIPELINING, and ends a session whose client sends a
	// command before the reply to the last one.
	NoPipelining bool
	// Lenient answers DATA with 354 although no recipient was accepted.
	Lenient bool
	// LMTP speaks RFC 2033.
	LMTP bool
	// Size is announced as the size of the largest mail and enforced; 0 is no limit.
	Size int
	// SMTPUTF8 is offered.
	SMTPUTF8 bool
	// PerConnection is how many mails a connection accepts before 421; 0 is any number.
	PerConnection int
	// Connections is how many connections are accepted at once before 421; 0 is any
	// number.
	Connections int
	// TLS is offered by STARTTLS, or from the first byte when Implicit.
	TLS      *tls.Config
	Implicit bool
	// Users are passwords by user; AUTH is required when there are any.
	Users map[string]string
	// Mechanisms are the AUTH mechanisms to announce in place of the usual ones.
	Mechanisms string
}

// Mail is a mail that a sink has accepted.
type Mail struct {
	From string
	To   []string
	Data []byte // without the doubled dots of SMTP; the receiver may keep it
	Conn int64  // number of the connection
}

// Server is a running sink.
type Server struct {
	Tally Tally

	opts     Options
	listener net.Listener
	faults   []faultCounter
	greylist greylist
	serial   atomic.Int64
	open     atomic.Int64
	refused  atomic.Int64
	peak     atomic.Int64
	done     chan struct{}
	sessions sync.WaitGroup
	mu       sync.Mutex
	conns    map[net.Conn]struct{}
}

// Start serves on a listener until Close.
func Start(listener net.Listener, opts Options) *Server {
	s := &Server{opts: opts, listener: listener, done: make(chan struct{}), conns: map[net.Conn]struct{}{}}
	s.faults = make([]faultCounter, len(opts.Faults))
	if opts.TLS != nil && opts.Implicit {
		s.listener = tls.NewListener(listener, opts.TLS)
	}
	s.sessions.Add(1)
	go s.serve()
	return s
}

// Addr returns the address that the server listens on.
func (s *Server) Addr() net.Addr { return s.listener.Addr() }

// Connections returns how many connections were made so far, and how many were open at
// the same time at most.
func (s *Server) Connections() (made, peak int64) { return s.serial.Load(), s.peak.Load() }

// Open returns how many connections are open now.
func (s *Server) Open() int64 { return s.open.Load() }

// Refused returns how many connections were refused with 421.
func (s *Server) Refused() int64 { return s.refused.Load() }

// Close stops listening, closes all connections and waits until their sessions end.
func (s *Server) Close() error {
	s.mu.Lock()
	if s.conns == nil {
		s.mu.Unlock()
		return nil
	}
	close(s.done)
	err := s.listener.Close()
	for conn := range s.conns {
		_ = conn.Close()
	}
	s.conns = nil
	s.mu.Unlock()
	s.sessions.Wait()
	return err
}

func (s *Server) serve() {
	defer s.sessions.Done()
	for {
		conn, err := s.listener.Accept()
		if errors.Is(err, net.ErrClosed) {
			return
		}
		if err != nil {
			time.Sleep(time.Millisecond) // such as too many open files
			continue
		}
		if !s.register(conn) {
			return
		}
		go s.handle(conn)
	}
}

func (s *Server) register(conn net.Conn) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.conns == nil {
		_ = conn.Close()
		return false
	}
	s.conns[conn] = struct{}{}
	s.sessions.Add(1)
	return true
}

func (s *Server) handle(conn net.Conn) {
	defer s.sessions.Done()
	n := s.open.Add(1)
	countOut := sync.OnceFunc(func() { s.open.Add(-1) })
	defer countOut()
	for peak := s.peak.Load(); n > peak && !s.peak.CompareAndSwap(peak, n); peak = s.peak.Load() {
	}
	ses := &session{server: s, conn: conn, raw: conn, id: s.serial.Add(1), countOut: countOut}
	ses.run(s.opts.Connections > 0 && n > int64(s.opts.Connections))
	_ = conn.Close()
	s.mu.Lock()
	delete(s.conns, conn)
	s.mu.Unlock()
}

// Tally counts mails and recipients. A recipient whose local part ends in a number, such
// as reader1234@example.net, takes one bit of memory, so that a hundred million fit.
type Tally struct {
	mails      atomic.Int64
	bytes      atomic.Int64
	duplicates atomic.Int64
	empty      atomic.Int64

	mu   sync.Mutex
	bits []uint64
	seen int64
}

const maxNumber = 1 << 31 // recipients with higher numbers count as those without one

// add counts one mail to one recipient.
func (t *Tally) add(to string) {
	n, ok := number(to)
	if !ok {
		return
	}
	word, bit := n/64, uint64(1)<<(n%64)
	t.mu.Lock()
	defer t.mu.Unlock()
	for word >= len(t.bits) {
		t.bits = append(t.bits, make([]uint64, max(1024, len(t.bits)/2))...)
	}
	if t.bits[word]&bit != 0 {
		t.duplicates.Add(1)
		return
	}
	t.bits[word] |= bit
	t.seen++
}

// number returns the number before the @, and whether there is one below maxNumber.
func number(to string) (int, bool) {
	local, _, _ := strings.Cut(to, "@")
	start := len(local)
	for start > 0 && local[start-1] >= '0' && local[start-1] <= '9' {
		start--
	}
	n, err := strconv.Atoi(local[start:])
	return n, err == nil && n < maxNumber
}

// Mails returns the number of accepted mails.
func (t *Tally) Mails() int64 { return t.mails.Load() }

// Bytes returns the sum of the sizes of the accepted mails.
func (t *Tally) Bytes() int64 { return t.bytes.Load() }

// Empty returns the number of mails with an empty body.
func (t *Tally) Empty() int64 { return t.empty.Load() }

// Distinct returns the number of numbered recipients that have at least one mail.
func (t *Tally) Distinct() int64 {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.seen
}

// Duplicates returns the number of mails to numbered recipients that already had one.
func (t *Tally) Duplicates() int64 { return t.duplicates.Load() }

// Has reports whether the recipient with this number has at least one mail.
func (t *Tally) Has(n int) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return n/64 < len(t.bits) && t.bits[n/64]&(1<<(n%64)) != 0
}
