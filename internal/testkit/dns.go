package testkit

import (
	"net"
	"strings"
	"sync"
	"testing"

	"github.com/miekg/dns"
)

// DNS is a server with the records of a test.
type DNS struct {
	Address string // HOST:PORT

	mu      sync.Mutex
	records map[string][]dns.RR // by name in lower case
	broken  map[string]bool     // names that are answered by SERVFAIL
	asked   map[string]int      // how often each name was asked for
}

// StartDNS starts a server on a free port of the loopback that has the records of a zone, one on a line,
// such as `example.test. TXT "v=spf1 -all"`. It runs until the test ends.
func StartDNS(t testing.TB, zone string) *DNS {
	t.Helper()
	packets, listener := listenBoth(t)
	s := &DNS{Address: packets.LocalAddr().String(), records: map[string][]dns.RR{}, broken: map[string]bool{}, asked: map[string]int{}}
	s.Add(t, zone)
	// Long answers are asked for again by TCP.
	for _, server := range []*dns.Server{{PacketConn: packets, Handler: s}, {Listener: listener, Handler: s}} {
		go func() { _ = server.ActivateAndServe() }()
		t.Cleanup(func() { _ = server.Shutdown() })
	}
	return s
}

// listenBoth listens on a port of the loopback that is free for UDP and TCP. A port that is free for UDP
// may be that of a TCP connection, so several are tried.
func listenBoth(t testing.TB) (net.PacketConn, net.Listener) {
	t.Helper()
	for tries := 0; ; tries++ {
		packets, err := net.ListenPacket("udp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		listener, err := net.Listen("tcp", packets.LocalAddr().String())
		if err == nil {
			return packets, listener
		}
		_ = packets.Close()
		if tries == 100 {
			t.Fatal(err)
		}
	}
}

// Add adds the records of a zone.
func (s *DNS) Add(t testing.TB, zone string) {
	t.Helper()
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, line := range strings.Split(zone, "\n") {
		record, err := dns.NewRR(strings.TrimSpace(line))
		if err != nil {
			t.Fatalf("%s: %v", line, err)
		}
		if record != nil {
			name := strings.ToLower(record.Header().Name)
			s.records[name] = append(s.records[name], record)
		}
	}
}

// Break makes the server answer all queries for a name with a failure.
func (s *DNS) Break(name string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.broken[dns.Fqdn(name)] = true
}

// Asked returns how often a name was asked for.
func (s *DNS) Asked(name string) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.asked[dns.Fqdn(name)]
}

// ServeDNS answers a query.
func (s *DNS) ServeDNS(w dns.ResponseWriter, query *dns.Msg) {
	s.mu.Lock()
	defer s.mu.Unlock()
	answer := new(dns.Msg).SetReply(query)
	answer.RecursionAvailable = true // like a resolver
	name := strings.ToLower(query.Question[0].Name)
	s.asked[name]++
	records, known := s.records[name]
	switch {
	case s.broken[name]:
		answer.Rcode = dns.RcodeServerFailure
	case !known:
		answer.Rcode = dns.RcodeNameError
	}
	for _, record := range records {
		if record.Header().Rrtype == query.Question[0].Qtype {
			answer.Answer = append(answer.Answer, record)
		}
	}
	if w.RemoteAddr().Network() == "udp" {
		answer.Truncate(dns.MinMsgSize)
	}
	_ = w.WriteMsg(answer)
}
