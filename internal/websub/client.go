package websub

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"slices"
	"sync"
	"syscall"
	"time"
)

// NewClient makes the client that calls subscribers back. Anybody may name a
// callback, so it connects to public addresses only: a hub must not be a door into
// the network that it stands in. It follows no redirects.
func NewClient() *http.Client {
	var verified networkCounts
	dialer := &net.Dialer{Timeout: 10 * time.Second, ControlContext: func(ctx context.Context, _, address string, _ syscall.RawConn) error {
		ip, err := public(address)
		if err == nil && ctx.Value(verifying{}) != nil && !verified.allow(networkOf(ip), time.Now()) {
			err = errNetworkBusy
		}
		return err
	}}
	return &http.Client{
		Timeout: 20 * time.Second, // from the first packet to the last
		Transport: &http.Transport{
			DialContext: dialer.DialContext, MaxIdleConns: 50, IdleConnTimeout: 30 * time.Second,
			TLSHandshakeTimeout: 10 * time.Second, MaxResponseHeaderBytes: 64 << 10,
		},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

var defaultClient = sync.OnceValue(NewClient)

// errPrivate says that a callback's address is not public.
var errPrivate = errors.New("the callback's address is not public")

// verifying marks the context of a verification: anyone can have one made.
type verifying struct{}

// errNetworkBusy is returned for a verification that has to wait.
var errNetworkBusy = errors.New("many callbacks in this network are asked whether they want a subscription; this one is asked later")

// mostVerified is how many connections for verifications are made to one network in a minute,
// whatever names lead there.
const mostVerified = 60

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
	return n.counts[network] <= mostVerified
}

// networkOf is the network that an address most likely shares with others of its owner.
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

// public is asked once the name is resolved, with the very address that is going to
// be used: a name cannot change its mind in between.
func public(address string) (netip.Addr, error) {
	at, err := netip.ParseAddrPort(address)
	if err != nil {
		return netip.Addr{}, err
	}
	ip := at.Addr().Unmap()
	special := slices.ContainsFunc(reserved, func(p netip.Prefix) bool { return p.Contains(ip) })
	if special || !ip.IsGlobalUnicast() || ip.IsPrivate() {
		return ip, fmt.Errorf("%w: %w", errGone, errPrivate)
	}
	return ip, nil
}

// reserved are the networks that lead into one's own, or nowhere, besides those that
// netip knows (RFC 6890 and its registries).
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
