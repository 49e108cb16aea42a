package middleware_test

import (
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"

	"github.com/tidings-press/tidings/internal/web/middleware"
)

func TestNetworksOfProxiesAreReadInEveryNotation(t *testing.T) {
	t.Parallel()
	for _, test := range []struct{ network, inside, outside string }{
		{"10.0.0.0/8", "10.255.255.255", "11.0.0.0"},
		{"10.1.2.3/8", "10.0.0.1", "11.1.2.3"}, // host bits are ignored
		{"192.0.2.7", "192.0.2.7", "192.0.2.8"},
		{"192.0.2.7/32", "192.0.2.7", "192.0.2.6"},
		{"0.0.0.0/0", "203.0.113.1", "2001:db8::1"},
		{"::/0", "2001:db8::1", "203.0.113.1"},
		{"2001:db8::/32", "2001:db8:ffff::1", "2001:db9::1"},
		{"2001:DB8::1", "2001:db8::1", "2001:db8::2"},
		{"::ffff:10.0.0.0/104", "10.200.0.1", "11.0.0.1"},
		{"::ffff:192.0.2.7", "192.0.2.7", "192.0.2.8"},
		{"fe80::/10", "fe80::1%eth0", "fec0::1"},
		{"fe80::1%eth0", "fe80::1%eth1", "fe80::2"},
	} {
		t.Run(test.network, func(t *testing.T) {
			t.Parallel()
			proxies, err := middleware.ParseProxies([]string{test.network})
			if err != nil {
				t.Fatal(err)
			}
			if !proxies.Trusts(netip.MustParseAddr(test.inside)) || proxies.Trusts(netip.MustParseAddr(test.outside)) || proxies.Trusts(netip.Addr{}) {
				t.Errorf("%v: want %s trusted, and neither %s nor the zero address", proxies, test.inside, test.outside)
			}
		})
	}
}

func TestWrongNetworkOfProxiesIsNamed(t *testing.T) {
	t.Parallel()
	for _, network := range []string{"", " ", "10.0.0.0/33", "10.0.0/8", "10.0.0.0/-1", "example.org", "10.0.0.0/8,10.1.0.0/8", "2001:db8::/129", "fe80::%eth0/64", "10.0.0.1:80"} {
		proxies, err := middleware.ParseProxies([]string{"10.0.0.0/8", network})
		if err == nil || !strings.Contains(err.Error(), `trusted proxy "`+network+`"`) || !strings.Contains(err.Error(), "10.0.0.0/8 or an address") {
			t.Errorf("%q gives %v, %v", network, proxies, err)
		}
	}
}

// TestForgedForwardedForNeverReachesTheClient: whatever a client sends stands before what the proxies add.
func TestForgedForwardedForNeverReachesTheClient(t *testing.T) {
	t.Parallel()
	proxies, err := middleware.ParseProxies([]string{"10.0.0.0/8"})
	if err != nil {
		t.Fatal(err)
	}
	random := rand.New(rand.NewPCG(31, 32))
	forged := []string{"127.0.0.1", "10.0.0.9", "::1", "unknown", "", "198.51.100.66", "_hidden", "\"[2001:db8::1]\"", "10.0.0.1%x", "for=1.2.3.4"}
	const client = "203.0.113.9"
	for range 3000 {
		r := httptest.NewRequest(http.MethodGet, "/", nil)
		r.RemoteAddr = "10.0.0.1:4711"
		var hops []string
		for range random.IntN(5) {
			hops = append(hops, forged[random.IntN(len(forged))])
		}
		hops = append(hops, client)
		for range random.IntN(3) {
			hops = append(hops, "10.0.0.2")
		}
		// A proxy may add a line instead of an element (RFC 9110, section 5.3).
		for len(hops) > 0 {
			n := 1 + random.IntN(len(hops))
			r.Header.Add("X-Forwarded-For", strings.Join(hops[:n], []string{",", ", ", " ,\t"}[random.IntN(3)]))
			hops = hops[n:]
		}
		if got := proxies.Client(r).String(); got != client {
			t.Fatalf("%q gives %s, want %s", r.Header["X-Forwarded-For"], got, client)
		}
	}
}

func TestClientOfAnUnusualPeer(t *testing.T) {
	t.Parallel()
	proxies, err := middleware.ParseProxies([]string{"fe80::/10", "127.0.0.0/8"})
	if err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct{ peer, forwarded, want string }{
		{"[fe80::1%eth0]:80", "198.51.100.1", "198.51.100.1"}, // a proxy on the link
		{"[fe80::1%eth0]:80", "", "fe80::1%eth0"},
		{"127.0.0.1:80", "[2001:db8::7]:443", "2001:db8::7"},
		{"127.0.0.1:80", "198.51.100.1,", "127.0.0.1"}, // the last proxy wrote nothing
		{"127.0.0.1:80", "198.51.100.1, 127.0.0.2:99999", "127.0.0.1"},
		{"127.0.0.1:80", "::ffff:198.51.100.1", "198.51.100.1"},
		{"127.0.0.1:80", "127.0.0.3, 127.0.0.2", "127.0.0.3"}, // all are proxies
		{"127.0.0.1", "198.51.100.1", "invalid IP"},
		{"", "198.51.100.1", "198.51.100.1"}, // a Unix socket on some systems
		{"", "", "invalid IP"},
	} {
		r := httptest.NewRequest(http.MethodGet, "/", nil)
		r.RemoteAddr = test.peer
		if test.forwarded != "" {
			r.Header.Set("X-Forwarded-For", test.forwarded)
		}
		if got := proxies.Client(r).String(); got != test.want {
			t.Errorf("from %q for %q: %s, want %s", test.peer, test.forwarded, got, test.want)
		}
	}
}
