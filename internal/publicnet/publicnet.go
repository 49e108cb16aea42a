// Package publicnet keeps requests to addresses that strangers choose out of this machine's own
// network. Check reports whether an address is public; Control does that for each connection of a
// net.Dialer.
package publicnet

import (
	"context"
	"errors"
	"net/netip"
	"slices"
	"syscall"
)

// ErrPrivate is returned for an address that is not public.
var ErrPrivate = errors.New("the address is not public")

// Check returns the IP address of an address with a port, or ErrPrivate unless it is public.
func Check(address string) (netip.Addr, error) {
	at, err := netip.ParseAddrPort(address)
	if err != nil {
		return netip.Addr{}, err
	}
	ip := at.Addr().WithZone("").Unmap() // no Prefix contains an address with a zone
	special := slices.ContainsFunc(reserved, func(p netip.Prefix) bool { return p.Contains(ip) })
	if special || !ip.IsGlobalUnicast() || ip.IsPrivate() {
		return ip, ErrPrivate
	}
	return ip, nil
}

// Control is a net.Dialer's ControlContext. The dialer calls it with the address of the connection
// itself, so a name cannot resolve to another address afterwards.
func Control(_ context.Context, _, address string, _ syscall.RawConn) error {
	_, err := Check(address)
	return err
}

// reserved are the special networks that netip does not know (RFC 6890 and its registries).
var reserved = []netip.Prefix{
	netip.MustParsePrefix("0.0.0.0/8"),       // this network
	netip.MustParsePrefix("100.64.0.0/10"),   // carrier-grade NAT (RFC 6598)
	netip.MustParsePrefix("192.0.0.0/24"),    // protocol assignments
	netip.MustParsePrefix("192.0.2.0/24"),    // documentation (RFC 5737), and the two below
	netip.MustParsePrefix("198.51.100.0/24"), //
	netip.MustParsePrefix("203.0.113.0/24"),  //
	netip.MustParsePrefix("192.88.99.0/24"),  // 6to4 relays, deprecated (RFC 7526)
	netip.MustParsePrefix("198.18.0.0/15"),   // benchmarks (RFC 2544)
	netip.MustParsePrefix("240.0.0.0/4"),     // class E
	netip.MustParsePrefix("::/96"),           // IPv4-compatible IPv6, deprecated (RFC 4291, section 2.5.5.1)
	netip.MustParsePrefix("64:ff9b::/96"),    // IPv4 behind IPv6 (RFC 6052)
	netip.MustParsePrefix("64:ff9b:1::/48"),  // the same, for private use (RFC 8215)
	netip.MustParsePrefix("100::/64"),        // discarded (RFC 6666)
	netip.MustParsePrefix("2001::/23"),       // protocol assignments, Teredo among them
	netip.MustParsePrefix("2001:db8::/32"),   // documentation (RFC 3849)
	netip.MustParsePrefix("2002::/16"),       // 6to4: IPv4 inside
	netip.MustParsePrefix("3fff::/20"),       // documentation (RFC 9637)
	netip.MustParsePrefix("5f00::/16"),       // segment routing (RFC 9602)
	netip.MustParsePrefix("fec0::/10"),       // site-local, deprecated
}
