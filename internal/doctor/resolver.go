package doctor

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strconv"
	"strings"
	"time"

	"golang.org/x/net/idna"
)

// Resolver looks up DNS records. Its zero value uses the resolver of the system.
type Resolver struct {
	server string // HOST:PORT; empty for the system's
}

// NewResolver returns a resolver that asks the server at HOST:PORT; port 53 may be left out. An empty
// server is the system's.
func NewResolver(server string) (Resolver, error) {
	if server == "" {
		return Resolver{}, nil
	}
	if net.ParseIP(server) != nil {
		return Resolver{net.JoinHostPort(server, "53")}, nil
	}
	host, port, err := net.SplitHostPort(server)
	if _, invalid := strconv.ParseUint(port, 10, 16); err != nil || host == "" || invalid != nil {
		return Resolver{}, fmt.Errorf("%q is not the address of a DNS server; write HOST:PORT, such as 9.9.9.9:53", server)
	}
	return Resolver{server}, nil
}

// lookupTimeout is how long one look-up may take.
const lookupTimeout = 8 * time.Second

// net returns the resolver of package net.
func (r Resolver) net() *net.Resolver {
	if r.server == "" {
		return net.DefaultResolver
	}
	return &net.Resolver{PreferGo: true, Dial: func(ctx context.Context, network, _ string) (net.Conn, error) {
		return (&net.Dialer{Timeout: lookupTimeout}).DialContext(ctx, network, r.server)
	}}
}

// absolute returns a name with a dot at its end, so that no search domain is added.
func absolute(name string) string { return strings.TrimSuffix(asciiName(name), ".") + "." }

// lookupProfile allows the underscores of names such as _dmarc.example.org, which are not host names.
var lookupProfile = idna.New(idna.MapForLookup(), idna.StrictDomainName(false))

// asciiName returns a domain as DNS has it (RFC 5891): the configuration may have it in Unicode. It
// returns a name that cannot be converted as it is.
func asciiName(name string) string {
	if ascii, err := lookupProfile.ToASCII(name); err == nil {
		return ascii
	}
	return name
}

// absent reports whether a look-up failed because there is no such name or record.
func absent(err error) bool {
	var failed *net.DNSError
	return errors.As(err, &failed) && failed.IsNotFound
}

// TXT returns the TXT records of a name, each with its strings joined; none if it has none.
func (r Resolver) TXT(ctx context.Context, name string) ([]string, error) {
	ctx, cancel := context.WithTimeout(ctx, lookupTimeout)
	defer cancel()
	found, err := r.net().LookupTXT(ctx, absolute(name))
	if absent(err) {
		return nil, nil
	}
	return found, lookupError("TXT", name, err)
}

// MX returns the names of the mail servers of a domain, the preferred ones first; none if it has no MX
// record. A null MX (RFC 7505) is the name ".".
func (r Resolver) MX(ctx context.Context, domain string) ([]string, error) {
	ctx, cancel := context.WithTimeout(ctx, lookupTimeout)
	defer cancel()
	found, err := r.net().LookupMX(ctx, absolute(domain))
	if absent(err) {
		return nil, nil
	}
	var names []string
	for _, mx := range found {
		names = append(names, mx.Host)
	}
	if len(names) > 0 { // names that are not host names are left out with an error
		err = nil
	}
	return names, lookupError("MX", domain, err)
}

// Addresses returns the IP addresses of a host; none if it has none.
func (r Resolver) Addresses(ctx context.Context, host string) ([]net.IP, error) {
	ctx, cancel := context.WithTimeout(ctx, lookupTimeout)
	defer cancel()
	if ip := net.ParseIP(host); ip != nil {
		return []net.IP{ip}, nil
	}
	found, err := r.net().LookupIP(ctx, "ip", absolute(host))
	if absent(err) {
		return nil, nil
	}
	return found, lookupError("A and AAAA", host, err)
}

// PTR returns the names of an IP address; none if it has none.
func (r Resolver) PTR(ctx context.Context, ip string) ([]string, error) {
	ctx, cancel := context.WithTimeout(ctx, lookupTimeout)
	defer cancel()
	found, err := r.net().LookupAddr(ctx, ip)
	if absent(err) {
		return nil, nil
	}
	return found, lookupError("PTR", ip, err)
}

func lookupError(kind, name string, err error) error {
	if err == nil {
		return nil
	}
	var failed *net.DNSError
	if errors.As(err, &failed) { // its own text names the system's resolver even if another was asked
		return fmt.Errorf("looking up the %s records of %s failed: %s", kind, name, failed.Err)
	}
	return fmt.Errorf("looking up the %s records of %s failed: %w", kind, name, err)
}

// lookupFailed is the finding for a look-up that failed, as opposed to one that found nothing.
func lookupFailed(err error) Finding {
	return Finding{
		Severity: Error, What: err.Error(),
		Why: "Receivers that cannot look up a record defer mail: Gmail answers 451 4.7.26 when temporary DNS failures prevent authentication.",
		Fix: "Check the name servers of the domain, and the resolver of this machine (--resolver HOST:PORT asks another one).",
	}
}
