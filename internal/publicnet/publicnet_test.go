package publicnet_test

import (
	"context"
	"errors"
	"math/rand/v2"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"testing"

	"github.com/tidings-press/tidings/internal/publicnet"
)

func TestOnlyPublicAddressesPass(t *testing.T) {
	t.Parallel()
	for address, public := range map[string]bool{
		"93.184.215.14:443": true, "[2606:2800:21f:cb07::1]:80": true,
		"127.0.0.1:80": false, "[::1]:80": false, "10.1.2.3:80": false, "192.168.0.1:443": false, "172.16.0.1:80": false,
		"169.254.169.254:80": false, "0.0.0.0:80": false, "100.64.0.1:80": false, "224.0.0.1:80": false, "240.0.0.1:80": false,
		"[::ffff:127.0.0.1]:80": false, "[fe80::1]:80": false, "[fd00::1]:80": false, "[2002:7f00:1::]:80": false, "[64:ff9b::7f00:1]:80": false,
	} {
		_, err := publicnet.Check(address)
		if public != (err == nil) || !public && !errors.Is(err, publicnet.ErrPrivate) {
			t.Errorf("%s: %v, want public %t", address, err, public)
		}
		if got := publicnet.Control(t.Context(), "tcp", address, nil); (got == nil) != public {
			t.Errorf("a connection to %s: %v", address, got)
		}
	}
	if _, err := publicnet.Check("no address"); err == nil {
		t.Error("text that is no address passes")
	}
}

// TestSpecialNetworksEndWhereTheirRegistrySays has the first and last address of each network of the registries
// of RFC 6890 that is not globally reachable, and the neighbours that are public.
func TestSpecialNetworksEndWhereTheirRegistrySays(t *testing.T) {
	t.Parallel()
	for _, test := range []struct{ network, before, after string }{
		{"0.0.0.0/8", "", "1.0.0.0"},
		{"10.0.0.0/8", "9.255.255.255", "11.0.0.0"},
		{"100.64.0.0/10", "100.63.255.255", "100.128.0.0"},
		{"127.0.0.0/8", "126.255.255.255", "128.0.0.0"},
		{"169.254.0.0/16", "169.253.255.255", "169.255.0.0"},
		{"172.16.0.0/12", "172.15.255.255", "172.32.0.0"},
		{"192.0.0.0/24", "191.255.255.255", "192.0.1.0"},
		{"192.0.2.0/24", "192.0.1.255", "192.0.3.0"},
		{"192.88.99.0/24", "192.88.98.255", "192.88.100.0"},
		{"192.168.0.0/16", "192.167.255.255", "192.169.0.0"},
		{"198.18.0.0/15", "198.17.255.255", "198.20.0.0"},
		{"198.51.100.0/24", "198.51.99.255", "198.51.101.0"},
		{"203.0.113.0/24", "203.0.112.255", "203.0.114.0"},
		{"224.0.0.0/4", "223.255.255.255", ""},
		{"240.0.0.0/4", "", ""},
		{"::/96", "", ""},
		{"64:ff9b::/96", "64:ff9a:ffff:ffff:ffff:ffff:ffff:ffff", "64:ff9b::1:0:0"},
		{"64:ff9b:1::/48", "64:ff9b:0:ffff:ffff:ffff:ffff:ffff", "64:ff9b:2::"},
		{"100::/64", "ff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "100:0:0:1::"},
		{"2001::/23", "2000:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "2001:200::"},
		{"2001:db8::/32", "2001:db7:ffff:ffff:ffff:ffff:ffff:ffff", "2001:db9::"},
		{"2002::/16", "2001:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "2003::"},
		{"3fff::/20", "3ffe:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "3fff:1000::"},
		{"5f00::/16", "5eff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "5f01::"},
		{"fc00::/7", "fbff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "fe00::"},
		{"fe80::/10", "fe7f:ffff:ffff:ffff:ffff:ffff:ffff:ffff", ""},
		{"fec0::/10", "", ""},
		{"ff00::/8", "", ""},
	} {
		t.Run(test.network, func(t *testing.T) {
			t.Parallel()
			network := netip.MustParsePrefix(test.network)
			check := func(ip netip.Addr, public bool) {
				t.Helper()
				got, err := publicnet.Check(netip.AddrPortFrom(ip, 443).String())
				if public && err != nil || !public && !errors.Is(err, publicnet.ErrPrivate) || got != ip {
					t.Errorf("%s: %s, %v; want public %t", ip, got, err, public)
				}
			}
			check(network.Addr(), false)
			check(last(network), false)
			if test.before != "" {
				check(netip.MustParseAddr(test.before), true)
			}
			if test.after != "" {
				check(netip.MustParseAddr(test.after), true)
			}
		})
	}
}

// last returns the last address of a network.
func last(p netip.Prefix) netip.Addr {
	b := p.Addr().AsSlice()
	for i := p.Bits(); i < len(b)*8; i++ {
		b[i/8] |= 0x80 >> (i % 8)
	}
	ip, _ := netip.AddrFromSlice(b)
	return ip
}

// TestZoneDoesNotHideASpecialNetwork: netip.Prefix contains no address with a zone, which a URL may have
// (RFC 6874).
func TestZoneDoesNotHideASpecialNetwork(t *testing.T) {
	t.Parallel()
	for _, ip := range []string{"64:ff9b::7f00:1", "2002:7f00:1::", "2001:db8::1", "fec0::1", "::ffff:127.0.0.1", "fe80::1", "fd00::1", "::1"} {
		for _, zone := range []string{"lo", "eth0", "1", "x%y"} {
			address := net.JoinHostPort(ip+"%"+zone, "80")
			if got, err := publicnet.Check(address); !errors.Is(err, publicnet.ErrPrivate) {
				t.Errorf("%s passes as %s, %v", address, got, err)
			}
		}
	}
}

func TestTextThatIsNoAddressIsRefused(t *testing.T) {
	t.Parallel()
	for _, address := range []string{
		"", ":", ":80", "127.0.0.1", "127.0.0.1:", "127.0.0.1:65536", "127.0.0.1:-1", "93.184.215.14:http", "localhost:80", "example.org:443", "[::1]", "::1:80",
		"0177.0.0.1:80", "2130706433:80", "127.1:80", "0x7f000001:80", "[::ffff:7f00:1]", "93.184.215.14:80:80", "93.184.215.14 :80", "[93.184.215.14]:80",
	} {
		if got, err := publicnet.Check(address); err == nil {
			t.Errorf("%q passes as %s", address, got)
		}
		if publicnet.Control(t.Context(), "tcp", address, nil) == nil {
			t.Errorf("a connection to %q is allowed", address)
		}
	}
}

// TestMappedAddressIsJudgedLikeItsIPv4Address checks random addresses: one written as IPv6 must not pass if it
// does not as IPv4, and what passes is never in a network that netip knows as special.
func TestMappedAddressIsJudgedLikeItsIPv4Address(t *testing.T) {
	t.Parallel()
	random := rand.New(rand.NewPCG(5, 6))
	for range 2000 {
		v4 := netip.AddrFrom4([4]byte{byte(random.IntN(256)), byte(random.IntN(256)), byte(random.IntN(256)), byte(random.IntN(256))})
		mapped := netip.AddrFrom16(v4.As16())
		got, err := publicnet.Check(netip.AddrPortFrom(v4, 25).String())
		gotMapped, errMapped := publicnet.Check(netip.AddrPortFrom(mapped, 25).String())
		if (err == nil) != (errMapped == nil) || got != gotMapped {
			t.Fatalf("%s: %s, %v; as IPv6 %s, %v", v4, got, err, gotMapped, errMapped)
		}
		if err == nil && (v4.IsPrivate() || v4.IsLoopback() || v4.IsMulticast() || v4.IsLinkLocalUnicast() || v4.IsUnspecified()) {
			t.Fatalf("%s passes", v4)
		}
	}
}

// TestDialerWithControlReachesNoLocalServer uses a real client and server: neither by the address nor by a name,
// nor after a redirect.
func TestDialerWithControlReachesNoLocalServer(t *testing.T) {
	t.Parallel()
	server := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { t.Error("the local server was reached") }))
	t.Cleanup(server.Close)
	dialer := &net.Dialer{ControlContext: publicnet.Control}
	client := &http.Client{Transport: &http.Transport{DialContext: dialer.DialContext, Proxy: nil}}
	at, err := url.Parse(server.URL)
	if err != nil {
		t.Fatal(err)
	}
	for _, address := range []string{server.URL, "http://localhost:" + at.Port(), "http://[::ffff:127.0.0.1]:" + at.Port()} {
		request, err := http.NewRequestWithContext(context.WithoutCancel(t.Context()), http.MethodGet, address, nil)
		if err != nil {
			t.Fatal(err)
		}
		answer, err := client.Do(request)
		if err == nil {
			answer.Body.Close()
			t.Errorf("%s was reached", address)
			continue
		}
		if !errors.Is(err, publicnet.ErrPrivate) {
			t.Errorf("%s: %v", address, err)
		}
	}
}

func FuzzCheck(f *testing.F) {
	for _, seed := range []string{"127.0.0.1:80", "[64:ff9b::7f00:1%lo]:80", "93.184.215.14:443", "[::ffff:10.0.0.1%1]:1", "x"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, address string) {
		ip, err := publicnet.Check(address)
		if err != nil {
			return
		}
		ip = ip.WithZone("")
		if again, err := publicnet.Check(netip.AddrPortFrom(ip, 80).String()); err != nil || again != ip || ip.Is4In6() || ip.IsPrivate() || ip.IsLoopback() {
			t.Errorf("%q passes as %s, which gives %s, %v", address, ip, again, err)
		}
	})
}
