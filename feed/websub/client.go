package websub

import (
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/netip"
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
		Timeout:       20 * time.Second,
		Transport:     &http.Transport{DialContext: dialer.DialContext, MaxIdleConns: 50, IdleConnTimeout: 30 * time.Second},
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
	if !ip.IsGlobalUnicast() || ip.IsPrivate() || shared.Contains(ip) || translated.Contains(ip) {
		return fmt.Errorf("%w: %w", errGone, errPrivate)
	}
	return nil
}

var (
	shared     = netip.MustParsePrefix("100.64.0.0/10") // carriers' (RFC 6598)
	translated = netip.MustParsePrefix("64:ff9b::/96")  // IPv4 behind IPv6 (RFC 6052)
)
