package websub

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/http/httptrace"
	"net/netip"
	"slices"
	"sync"
	"syscall"
	"time"
)

// NewClient makes the client that sends requests to callbacks. Anyone may name a
// callback, so it connects to public addresses only: a hub must not give access to
// the network that it runs in. It follows no redirects.
func NewClient() *http.Client {
	var verified networkCounts
	dialer := &net.Dialer{Timeout: 10 * time.Second, ControlContext: func(ctx context.Context, _, address string, _ syscall.RawConn) error {
		ip, err := checkPublic(address)
		if err == nil && ctx.Value(verifying{}) != nil && !verified.allow(networkOf(ip), time.Now()) {
			err = errNetworkBusy
		}
		return err
	}}
	return &http.Client{
		Timeout: 20 * time.Second, // of the whole request
		Transport: &http.Transport{
			DialContext: dialer.DialContext, MaxIdleConns: 50, IdleConnTimeout: 30 * time.Second,
			TLSHandshakeTimeout: 10 * time.Second, MaxResponseHeaderBytes: 64 << 10,
		},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

var defaultClient = sync.OnceValue(NewClient)

// errPrivate says that the address of a callback is not public.
var errPrivate = errors.New("the callback's address is not public")

// verifying marks the context of a verification, which anyone can cause.
type verifying struct{}

// errNetworkBusy is returned for a verification that has to wait.
var errNetworkBusy = errors.New("too many verifications in this callback's network in this minute; it is verified later")

// maxVerified is how many connections for verifications are made to one network in a
// minute, whatever names resolve to it.
const maxVerified = 60

// networkCounts counts connections in the present minute by network.
type networkCounts struct {
	mu     sync.Mutex
	minute int64
	counts map[netip.Prefix]int
}

func (n *networkCounts) allow(network netip.Prefix, now time.Time) bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	if minute := now.Unix() / 60; minute != n.minute {
		n.minute, n.counts = minute, map[netip.Prefix]int{}
	}
	n.counts[network]++
	return n.counts[network] <= maxVerified
}

// networkOf returns the network that an address most likely shares with others of its
// owner: a /24 of IPv4, a /48 of IPv6.
func networkOf(ip netip.Addr) netip.Prefix {
	bits := 24
	if ip.Unmap().Is6() {
		bits = 48
	}
	prefix, err := ip.Unmap().WithZone("").Prefix(bits)
	if err != nil {
		return netip.Prefix{}
	}
	return prefix
}

// checkPublic is called after the name is resolved, with the address that the
// connection is going to use, so the name cannot resolve to another one in between.
func checkPublic(address string) (netip.Addr, error) {
	at, err := netip.ParseAddrPort(address)
	if err != nil {
		return netip.Addr{}, err
	}
	ip := at.Addr().Unmap()
	special := slices.ContainsFunc(reserved, func(p netip.Prefix) bool { return p.Contains(ip) })
	if special || !ip.IsGlobalUnicast() || ip.IsPrivate() {
		return ip, fmt.Errorf("%w: %w", errPermanent, errPrivate)
	}
	return ip, nil
}

// reserved are special networks besides those that netip knows (RFC 6890 and its
// registries).
var reserved = []netip.Prefix{
	netip.MustParsePrefix("0.0.0.0/8"),       // this network
	netip.MustParsePrefix("100.64.0.0/10"),   // carriers' (RFC 6598)
	netip.MustParsePrefix("192.0.0.0/24"),    // protocol assignments
	netip.MustParsePrefix("192.0.2.0/24"),    // documentation (RFC 5737), and the two below
	netip.MustParsePrefix("198.51.100.0/24"), //
	netip.MustParsePrefix("203.0.113.0/24"),  //
	netip.MustParsePrefix("198.18.0.0/15"),   // benchmarks (RFC 2544)
	netip.MustParsePrefix("240.0.0.0/4"),     // class E
	netip.MustParsePrefix("64:ff9b::/96"),    // IPv4 behind IPv6 (RFC 6052)
	netip.MustParsePrefix("64:ff9b:1::/48"),  // the same, for private use (RFC 8215)
	netip.MustParsePrefix("2001::/23"),       // protocol assignments, Teredo among them
	netip.MustParsePrefix("2001:db8::/32"),   // documentation (RFC 3849)
	netip.MustParsePrefix("2002::/16"),       // 6to4: IPv4 inside
	netip.MustParsePrefix("fec0::/10"),       // site-local, long abandoned
}

// traceNetwork returns a context for a request, and a function that returns the
// network that the request was sent to: "" before there was a connection.
func traceNetwork(ctx context.Context) (context.Context, func() string) {
	var network string
	trace := &httptrace.ClientTrace{GotConn: func(info httptrace.GotConnInfo) {
		if at, err := netip.ParseAddrPort(info.Conn.RemoteAddr().String()); err == nil {
			network = networkOf(at.Addr()).String()
		}
	}}
	return httptrace.WithClientTrace(ctx, trace), func() string { return network }
}
