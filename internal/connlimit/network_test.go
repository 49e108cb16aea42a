package connlimit_test

import (
	"net/netip"
	"testing"

	"github.com/tidings-press/tidings/internal/connlimit"
)

func TestNetworksOfLimits(t *testing.T) {
	t.Parallel()
	for address, want := range map[string][2]string{
		"192.0.2.77":           {"192.0.2.77/32", "192.0.2.0/24"},
		"2001:db8:1:2:3:4:5:6": {"2001:db8:1:2::/64", "2001:db8:1::/48"},
		"fe80::1%eth0":         {"fe80::/64", "fe80::/48"},
		"2001:db8::1%x":        {"2001:db8::/64", "2001:db8::/48"}, // a zone must not give limits of its own
		"0.0.0.0":              {"0.0.0.0/32", "0.0.0.0/24"},
	} {
		a := netip.MustParseAddr(address)
		if short, long := connlimit.Network32or64(a).String(), connlimit.Network24or48(a).String(); short != want[0] || long != want[1] {
			t.Errorf("%s counts as %s and %s, want %s and %s", address, short, long, want[0], want[1])
		}
	}
	if connlimit.Network24or48(netip.Addr{}).IsValid() {
		t.Error("the zero address has a network")
	}
}

func TestAddressesShareNetwork(t *testing.T) {
	t.Parallel()
	a, b := netip.MustParseAddr("2001:db8::1"), netip.MustParseAddr("2001:db8::ffff:1")
	if connlimit.Network32or64(a) != connlimit.Network32or64(b) || connlimit.Network32or64(a) == connlimit.Network32or64(netip.MustParseAddr("2001:db8:0:1::1")) {
		t.Error("want one network for the addresses of a /64, and another for the next /64")
	}
	if connlimit.Network32or64(netip.MustParseAddr("192.0.2.1")) == connlimit.Network32or64(netip.MustParseAddr("192.0.2.2")) {
		t.Error("want a network for each IPv4 address")
	}
	if connlimit.Network32or64(netip.Addr{}).IsValid() {
		t.Error("want no network for the zero address")
	}
}
