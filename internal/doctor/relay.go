package doctor

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"slices"
	"strings"
	"time"

	"github.com/tidings-press/tidings/internal/publicnet"
	"github.com/tidings-press/tidings/mailer"
)

// relayTimeout is how long one step of a connection to a relay may take.
const relayTimeout = 10 * time.Second

// expiresSoon is how long before its end a certificate is reported.
const expiresSoon = 14 * 24 * time.Hour

func checkRelays(ctx context.Context, o *Options) (out []Finding) {
	if o.Config == nil {
		return one(withoutConfig)
	}
	if len(o.Relays) == 0 {
		return one(Finding{Severity: Error, What: "no relay is configured", Why: "No mail can be sent.", Fix: "Add a server under relays."})
	}
	largest, err := largestMail(ctx, o)
	if err != nil {
		return one(Finding{Severity: Error, What: err.Error()})
	}
	for i, relay := range o.Relays {
		limit := int64(0)
		if i < len(o.MaxSizes) {
			limit = o.MaxSizes[i]
		}
		out = append(out, checkRelay(ctx, o, relay, limit, largest)...)
	}
	return out
}

// relayAdvice is what to do about the errors of mailer.Dial.
var relayAdvice = []struct {
	kind     error
	why, fix string
}{
	{mailer.ErrCertificate, "Mail is not sent over a connection whose certificate does not fit.", "Let the server's operator renew it, use the host name that it names, or set ca_file."},
	{mailer.ErrTLS, "Mail is not sent, because the configuration requires TLS.", "Check the port and the key tls of the relay."},
	{mailer.ErrAuth, "The relay refuses mail without a valid sign-in.", "Check username and password of the relay."},
	{mailer.ErrGreeting, "The relay takes no mail from this machine.", "Check the key helo, and whether the server permits the address of this machine."},
	{mailer.ErrDial, "No mail can be sent over it.", "Check host and port, and whether a firewall blocks outgoing connections; many providers block port 25."},
}

// checkRelay connects to a relay without sending anything. limit is the largest mail by the
// configuration, largest the size of the largest mail that has to pass.
func checkRelay(ctx context.Context, o *Options, relay mailer.Relay, limit, largest int64) (out []Finding) {
	relay.Timeouts.Connect = relayTimeout
	conn, err := mailer.Dial(ctx, relay)
	if err != nil {
		f := Finding{Severity: Error, What: err.Error()}
		for _, advice := range relayAdvice {
			if errors.Is(err, advice.kind) {
				f.Why, f.Fix = advice.why, advice.fix
				break
			}
		}
		return one(f)
	}
	defer func() { _ = conn.Quit() }()
	offer := conn.Offer()
	connected := fmt.Sprintf("relay %s: connected", relay.Name)
	if relay.Username != "" {
		connected += " and signed in as " + relay.Username
	}
	out = append(out, ok("%s; it offers %s", connected, strings.Join(offer.Extensions, ", ")))
	out = append(out, tlsFindings(o, relay, offer.TLS)...)
	if !slices.Contains(offer.Extensions, "PIPELINING") {
		out = append(out, Finding{Severity: Notice, What: fmt.Sprintf("relay %s does not offer PIPELINING", relay.Name), Why: "Sending takes more round trips for each mail."})
	}
	switch size := int64(offer.MaxSize); {
	case size > 0 && size < largest:
		out = append(out, Finding{Severity: Error, What: fmt.Sprintf("relay %s takes mails of up to %s, and the largest has %s", relay.Name, megabytes(size), megabytes(largest)), Why: "It refuses larger mails with 552 5.3.4.", Fix: "Raise the limit of the server, or show fewer or shorter articles."})
	case limit > 0 && limit < largest:
		out = append(out, Finding{Severity: Error, What: fmt.Sprintf("max_size of relay %s is %s, and the largest mail has %s", relay.Name, megabytes(limit), megabytes(largest)), Why: "Larger mails are not handed to it.", Fix: "Raise max_size, or show fewer or shorter articles."})
	case size > 0 && limit > size:
		out = append(out, Finding{Severity: Warning, What: fmt.Sprintf("max_size of relay %s is %s, and the server takes %s", relay.Name, megabytes(limit), megabytes(size)), Why: "Mails between the two are refused by the server.", Fix: "Lower max_size, or raise the limit of the server."})
	}
	return out
}

// tlsFindings returns the findings about the encryption of a connection to a relay.
func tlsFindings(o *Options, relay mailer.Relay, state *tls.ConnectionState) []Finding {
	if state == nil {
		if relay.Socket != "" || isLoopback(relay.Host) {
			return one(ok("relay %s: no TLS, on this machine", relay.Name))
		}
		return one(Finding{Severity: Warning, What: fmt.Sprintf("mail to relay %s is not encrypted", relay.Name), Why: "Everyone on the way can read addresses and links to unsubscribe. Gmail defers bulk mail that reaches it without TLS by 421 4.7.29.", Fix: "Use tls: starttls or implicit."})
	}
	version := tls.VersionName(state.Version)
	if len(state.PeerCertificates) == 0 {
		return one(ok("relay %s: %s", relay.Name, version))
	}
	until := state.PeerCertificates[0].NotAfter
	if left := until.Sub(o.Now()); left < expiresSoon {
		return one(Finding{Severity: Warning, What: fmt.Sprintf("the certificate of relay %s ends on %s", relay.Name, until.UTC().Format(time.DateOnly)), Why: "After that, no mail is sent over it.", Fix: "Let the server's operator renew it."})
	}
	return one(ok("relay %s: %s, certificate valid until %s", relay.Name, version, until.UTC().Format(time.DateOnly)))
}

// isLoopback reports whether a host is this machine.
func isLoopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

// smallestLimit is the size that each relay should take even before there are editions.
const smallestLimit = 256 << 10

// largestMail returns the size of the largest mail among the last editions, and at least smallestLimit.
func largestMail(ctx context.Context, o *Options) (int64, error) {
	largest := int64(smallestLimit)
	if o.Store == nil {
		return largest, nil
	}
	editions, err := o.Store.EndedEditions(ctx, 10)
	if err != nil {
		return 0, err
	}
	for i := range editions {
		variant, err := o.Store.FullVariant(ctx, editions[i].Seq)
		if err == nil { // an edition without recipients has none
			// Quoted-printable makes three octets of each one that is not ASCII.
			largest = max(largest, int64(len(variant.HTML)+len(variant.Text))*3/2)
		}
	}
	return largest, nil
}

// CheckAddress returns an error unless a text is an IP address.
func CheckAddress(text string) error {
	if net.ParseIP(text) == nil {
		return fmt.Errorf("%q is not an IP address; write one such as 203.0.113.5", text)
	}
	return nil
}

// ownAddresses returns the public addresses of this machine if a relay runs on it; mail then leaves from
// one of them.
func ownAddresses(o *Options) (out []string) {
	local := slices.ContainsFunc(o.Relays, func(r mailer.Relay) bool { return r.Socket != "" || isLoopback(r.Host) })
	if !local {
		return nil
	}
	found, err := net.InterfaceAddrs()
	if err != nil {
		return nil
	}
	for _, one := range found {
		network, isNetwork := one.(*net.IPNet)
		if !isNetwork {
			continue
		}
		if _, err := publicnet.Check(net.JoinHostPort(network.IP.String(), "25")); err == nil {
			out = append(out, network.IP.String())
		}
	}
	return out
}

// checkPTR checks the names of the addresses that mail leaves from.
func checkPTR(ctx context.Context, o *Options) (out []Finding) {
	if len(o.Outgoing) == 0 {
		return one(Finding{Severity: Notice, What: "the address that mail leaves from is not known, so its name (PTR) was not checked", Why: "A mail service behind the relay cares for its own addresses. Your own mail server needs a name: Gmail defers mail of others by 451 4.7.23 or 421 4.7.0.", Fix: "If the relay is your own server, pass --outgoing ADDRESS."})
	}
	for _, address := range o.Outgoing {
		out = append(out, checkAddressName(ctx, o, address))
	}
	return out
}

// checkAddressName checks that an address has a name, and that the name leads back to the address
// (forward-confirmed reverse DNS).
func checkAddressName(ctx context.Context, o *Options, address string) Finding {
	const why = "Gmail defers mail from an address without a matching name by 451 4.7.23 or 421 4.7.0, and many servers refuse it."
	names, err := o.DNS.PTR(ctx, address)
	switch {
	case err != nil:
		return lookupFailed(err)
	case len(names) == 0:
		return Finding{Severity: Error, What: address + " has no name (PTR record)", Why: why, Fix: "Set the reverse DNS of the address at your hosting provider to the name that the mail server gives in EHLO."}
	}
	for _, name := range names {
		ips, err := o.DNS.Addresses(ctx, name)
		if err != nil {
			return lookupFailed(err)
		}
		if slices.ContainsFunc(ips, func(ip net.IP) bool { return ip.Equal(net.ParseIP(address)) }) {
			return ok("%s has the name %s, which leads back to it", address, strings.TrimSuffix(name, "."))
		}
	}
	name := strings.TrimSuffix(names[0], ".")
	return Finding{Severity: Error, What: fmt.Sprintf("the name of %s is %s, which does not lead back to the address", address, name), Why: why, Fix: fmt.Sprintf("Add an address record of %s with %s, or correct the reverse DNS.", name, address)}
}
