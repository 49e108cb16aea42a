package websub

import (
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
	dialer := &net.Dialer{Timeout: 10 * time.Second, Control: public}
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

// public is asked once the name is resolved, with the very address that is going to
// be used: a name cannot change its mind in between.
func public(_, address string, _ syscall.RawConn) error {
	at, err := netip.ParseAddrPort(address)
	if err != nil {
		return err
	}
	ip := at.Addr().Unmap()
	special := slices.ContainsFunc(reserved, func(p netip.Prefix) bool { return p.Contains(ip) })
	if special || !ip.IsGlobalUnicast() || ip.IsPrivate() {
		return fmt.Errorf("%w: %w", errGone, errPrivate)
	}
	return nil
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
