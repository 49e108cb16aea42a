package middleware

import (
	"fmt"
	"net/http"
	"net/netip"
	"strings"
)

// Proxies are the networks whose X-Forwarded-For header is trusted.
type Proxies []netip.Prefix

// ParseProxies parses networks such as 10.0.0.0/8, or single addresses.
func ParseProxies(networks []string) (Proxies, error) {
	var out Proxies
	for _, n := range networks {
		prefix, err := netip.ParsePrefix(n)
		if err != nil {
			one, errOne := netip.ParseAddr(n)
			if errOne != nil || strings.Contains(one.Zone(), "/") {
				return nil, fmt.Errorf("trusted proxy %q: %w; use a network such as 10.0.0.0/8 or an address", n, err)
			}
			prefix = netip.PrefixFrom(one, one.BitLen())
		}
		if a := prefix.Addr(); a.Is4In6() && prefix.Bits() >= 96 { // clients are compared as IPv4
			prefix = netip.PrefixFrom(a.Unmap(), prefix.Bits()-96)
		}
		out = append(out, prefix.Masked())
	}
	return out, nil
}

// Client returns the address of a request's client, or the zero value if it is unknown. Each
// proxy appends the address of its peer to X-Forwarded-For, so the client is the last address
// that is not a trusted proxy. Addresses before that may be forged.
func (p Proxies) Client(r *http.Request) netip.Addr {
	var client netip.Addr
	if peer, err := netip.ParseAddrPort(r.RemoteAddr); err == nil {
		if client = peer.Addr().Unmap(); !p.Trusts(client) {
			return client
		}
	} else if r.RemoteAddr != "" && r.RemoteAddr != "@" { // those of a Unix socket, which only a proxy of this machine can open
		return netip.Addr{}
	}
	hops := strings.Split(strings.Join(r.Header.Values("X-Forwarded-For"), ","), ",")
	for i := len(hops) - 1; i >= 0; i-- {
		hop, err := parseHop(strings.TrimSpace(hops[i]))
		if err != nil {
			return client
		}
		if client = hop; !p.Trusts(client) {
			return client
		}
	}
	return client
}

// parseHop parses an address, which some proxies write with a port.
func parseHop(s string) (netip.Addr, error) {
	if withPort, err := netip.ParseAddrPort(s); err == nil {
		return withPort.Addr().Unmap(), nil
	}
	a, err := netip.ParseAddr(s)
	return a.Unmap(), err
}

// Trusts reports whether an address is one of the proxies.
func (p Proxies) Trusts(a netip.Addr) bool {
	a = a.WithZone("") // no Prefix contains an address with a zone
	for _, prefix := range p {
		if prefix.Contains(a) {
			return true
		}
	}
	return false
}
