package connlimit

import "net/netip"

// Network32or64 returns the network by which short-term limits count: the IPv4 address itself,
// or the /64 of an IPv6 address, which belongs to one customer.
func Network32or64(a netip.Addr) netip.Prefix { return network(a, 32, 64) }

// Network24or48 returns the network by which limits of an hour or more count: the /24 of an IPv4
// address, or the /48 of an IPv6 address, which belongs to one site or hosting customer.
func Network24or48(a netip.Addr) netip.Prefix { return network(a, 24, 48) }

// network returns the prefix of an address, or the zero value for the zero address. An IPv4 address
// in the form of an IPv6 one (RFC 4291, section 2.5.5.2) is that IPv4 address.
func network(a netip.Addr, bits4, bits6 int) netip.Prefix {
	a = a.Unmap().WithZone("")
	bits := bits4
	if a.Is6() {
		bits = bits6
	}
	prefix, err := a.Prefix(bits)
	if err != nil {
		return netip.Prefix{}
	}
	return prefix
}
