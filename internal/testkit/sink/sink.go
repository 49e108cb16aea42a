// Package sink is an SMTP server that takes mail as fast as it comes, counts who
// it was for, and misbehaves when told to. It is the far end of benchmarks and
// fault tests; Start runs one.
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

// Options say how a sink behaves. The zero value takes everything, at once.
type Options struct {
	// Delay passes before each flight of replies, like the latency of a network:
	// replies to pipelined commands share one.
	Delay time.Duration
	// Keep gets each mail as it is accepted, from many goroutines. Without it
	// bodies are not looked at.
	Keep func(Mail)
	// Faults are tried in order; the first that applies strikes.
	Faults []Fault
	// Greylist refuses each recipient's first tries with 451.
	Greylist int
	// NoPipelining neither offers PIPELINING nor takes a command before the last
	// one is answered.
	NoPipelining bool
	// Lenient answers DATA with 354 although no recipient was accepted.
	Lenient bool
	// LMTP speaks RFC 2033.
	LMTP bool
	// Size is offered as the largest mail and enforced; 0 is no limit.
	Size int
	// SMTPUTF8 is offered.
	SMTPUTF8 bool
	// PerConnection is how many mails a connection takes before 421; 0 is any number.
	PerConnection int
	// Connections is how many it takes at once before 421; 0 is any number.
	Connections int
	// TLS is offered by STARTTLS, or from the first byte when Implicit.
	TLS      *tls.Config
	Implicit bool
	// Users and their passwords; AUTH is demanded when there are any.
	Users map[string]string
	// Mechanisms of AUTH that are offered in place of the usual ones.
	Mechanisms string
}

// Mail is what a sink has accepted.
type Mail struct {
	From string
	To   []string
	Data []byte // as it came, dots undoubled; for the receiver to keep
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

// Addr is where it listens.
func (s *Server) Addr() net.Addr { return s.listener.Addr() }

// Connections says how many were made so far, and how many at once at most.
func (s *Server) Connections() (made, peak int64) { return s.serial.Load(), s.peak.Load() }

// Open is how many connections there are at the moment.
func (s *Server) Open() int64 { return s.open.Load() }

// TurnedAway is the number of connections that were turned away with 421.
func (s *Server) TurnedAway() int64 { return s.refused.Load() }

// Close stops listening, cuts all connections and waits for their ends.
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
			time.Sleep(time.Millisecond) // out of file descriptors, say
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
	leave := sync.OnceFunc(func() { s.open.Add(-1) })
	defer leave()
	for peak := s.peak.Load(); n > peak && !s.peak.CompareAndSwap(peak, n); peak = s.peak.Load() {
	}
	ses := &session{server: s, conn: conn, raw: conn, id: s.serial.Add(1), countOut: leave}
	ses.run(s.opts.Connections > 0 && n > int64(s.opts.Connections))
	_ = conn.Close()
	s.mu.Lock()
	delete(s.conns, conn)
	s.mu.Unlock()
}

// Tally counts recipients. Those whose local part ends in a number, such as
// reader1234@example.net, take a bit each, so that a hundred million fit.
type Tally struct {
	mails   atomic.Int64
	bytes   atomic.Int64
	doubled atomic.Int64
	empty   atomic.Int64
	unknown atomic.Int64

	mu   sync.Mutex
	bits []uint64
	seen int64
}

const tallyMax = 1 << 31 // highest number that takes a bit

// add counts one mail to one recipient.
func (t *Tally) add(to string) {
	n, ok := number(to)
	if !ok {
		t.unknown.Add(1)
		return
	}
	word, bit := n/64, uint64(1)<<(n%64)
	t.mu.Lock()
	defer t.mu.Unlock()
	for word >= len(t.bits) {
		t.bits = append(t.bits, make([]uint64, max(1024, len(t.bits)/2))...)
	}
	if t.bits[word]&bit != 0 {
		t.doubled.Add(1)
		return
	}
	t.bits[word] |= bit
	t.seen++
}

// number reads the digits before the @.
func number(to string) (int, bool) {
	local, _, _ := strings.Cut(to, "@")
	start := len(local)
	for start > 0 && local[start-1] >= '0' && local[start-1] <= '9' {
		start--
	}
	n, err := strconv.Atoi(local[start:])
	return n, err == nil && n < tallyMax
}

// Mails is the number of mails taken.
func (t *Tally) Mails() int64 { return t.mails.Load() }

// Bytes is the sum of their sizes.
func (t *Tally) Bytes() int64 { return t.bytes.Load() }

// Empty is the number of mails of no octets.
func (t *Tally) Empty() int64 { return t.empty.Load() }

// Distinct is the number of numbered recipients that have at least one mail.
func (t *Tally) Distinct() int64 {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.seen
}

// Doubled is the number of mails to numbered recipients that had one already.
func (t *Tally) Doubled() int64 { return t.doubled.Load() }

// Unnumbered is the number of mails to recipients without a number.
func (t *Tally) Unnumbered() int64 { return t.unknown.Load() }

// Has reports whether the recipient with a number has a mail.
func (t *Tally) Has(n int) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return n/64 < len(t.bits) && t.bits[n/64]&(1<<(n%64)) != 0
}
