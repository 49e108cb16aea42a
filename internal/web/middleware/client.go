package middleware

import (
	"fmt"
	"net/http"
	"net/netip"
	"strings"
)

// Proxies are the networks whose X-Forwarded-For is believed.
type Proxies []netip.Prefix

// ParseProxies reads networks such as 10.0.0.0/8, or single addresses.
func ParseProxies(networks []string) (Proxies, error) {
	var out Proxies
	for _, n := range networks {
		prefix, err := netip.ParsePrefix(n)
		if err != nil {
			one, errOne := netip.ParseAddr(n)
			if errOne != nil {
				return nil, fmt.Errorf("trusted proxy %q: %w; right would be a network such as 10.0.0.0/8", n, err)
			}
			prefix = netip.PrefixFrom(one, one.BitLen())
		}
		out = append(out, prefix.Masked())
	}
	return out, nil
}

// Client is the address that a request comes from. Each trusted proxy appends the
// address that it saw to X-Forwarded-For, so the last one that is no proxy of
// ours is the client; what stands before it, anyone can have made up.
func (p Proxies) Client(r *http.Request) netip.Addr {
	peer, err := netip.ParseAddrPort(r.RemoteAddr)
	if err != nil {
		return netip.Addr{}
	}
	client := peer.Addr().Unmap()
	if !p.Trusts(client) {
		return client
	}
	hops := strings.Split(strings.Join(r.Header.Values("X-Forwarded-For"), ","), ",")
	for i := len(hops) - 1; i >= 0; i-- {
		hop, err := readHop(strings.TrimSpace(hops[i]))
		if err != nil {
			return client
		}
		if client = hop; !p.Trusts(client) {
			return client
		}
	}
	return client
}

// readHop reads an address, which some proxies write with a port.
func readHop(s string) (netip.Addr, error) {
	if withPort, err := netip.ParseAddrPort(s); err == nil {
		return withPort.Addr().Unmap(), nil
	}
	a, err := netip.ParseAddr(s)
	return a.Unmap(), err
}

// Trusts reports whether an address is one of the proxies.
func (p Proxies) Trusts(a netip.Addr) bool {
	for _, prefix := range p {
		if prefix.Contains(a) {
			return true
		}
	}
	return false
}

// NarrowNetwork is the network that limits count by: the address itself for IPv4, and
// the /64 that one customer has for IPv6.
func NarrowNetwork(a netip.Addr) netip.Prefix {
	bits := a.BitLen()
	if a.Is6() {
		bits = 64
	}
	prefix, err := a.WithZone("").Prefix(bits)
	if err != nil {
		return netip.Prefix{}
	}
	return prefix
}

// WideNetwork is the network that limits over an hour count by: the /24 of an IPv4 address,
// and the /48 of an IPv6 one, which is what a site or a customer of a host gets.
func WideNetwork(a netip.Addr) netip.Prefix {
	bits := 24
	if a.Is6() {
		bits = 48
	}
	prefix, err := a.WithZone("").Prefix(bits)
	if err != nil {
		return netip.Prefix{}
	}
	return prefix
}
