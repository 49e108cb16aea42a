package websub

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/http/httptrace"
	"net/netip"
	"sync"
	"syscall"
	"time"

	"github.com/tidings-press/tidings/internal/connlimit"
	"github.com/tidings-press/tidings/internal/publicnet"
)

// NewClient returns the client for requests to callbacks. Anyone can request a subscription
// for any callback, so the client connects to public addresses only: the hub must not give
// access to its own network. It follows no redirects.
func NewClient() *http.Client {
	var verified networkCounts
	dialer := &net.Dialer{Timeout: 10 * time.Second, ControlContext: func(ctx context.Context, _, address string, _ syscall.RawConn) error {
		ip, err := publicnet.Check(address)
		if errors.Is(err, publicnet.ErrPrivate) {
			return fmt.Errorf("%w: the callback: %w", errPermanent, err)
		}
		if err == nil && ctx.Value(verifying{}) != nil && !verified.allow(connlimit.Network24or48(ip), time.Now()) {
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

// verifying marks the context of a verification, since anyone can cause verifications.
type verifying struct{}

// errNetworkBusy is returned for a verification that has to be tried again later.
var errNetworkBusy = errors.New("too many verifications in the callback's network in this minute; tried again later")

// maxVerified is the maximum number of connections for verifications to one network in a
// minute.
const maxVerified = 60

// networkCounts counts the connections of the current minute by network.
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

// traceNetwork returns a context for a request, and a function that returns the network to
// which the request was sent, or "" before there is a connection.
func traceNetwork(ctx context.Context) (context.Context, func() string) {
	var network string
	trace := &httptrace.ClientTrace{GotConn: func(info httptrace.GotConnInfo) {
		if at, err := netip.ParseAddrPort(info.Conn.RemoteAddr().String()); err == nil {
			network = connlimit.Network24or48(at.Addr()).String()
		}
	}}
	return httptrace.WithClientTrace(ctx, trace), func() string { return network }
}
