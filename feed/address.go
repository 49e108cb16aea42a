package feed

import (
	"net/url"
	"strings"

	"golang.org/x/net/idna"
)

// absolute returns an address as a document may show it: absolute, ASCII only, of
// a scheme that readers may follow. It returns "" for what is none, such as
// javascript: and data: addresses.
func absolute(ref, base string) string {
	ref = strings.TrimSpace(clean(ref))
	if ref == "" {
		return ""
	}
	u, err := url.Parse(strings.NewReplacer("\n", "", "\t", "", " ", "%20").Replace(ref))
	if err != nil {
		return ""
	}
	if !u.IsAbs() {
		b, err := url.Parse(base)
		if err != nil || !b.IsAbs() {
			return ""
		}
		u = b.ResolveReference(u)
	}
	return spell(u)
}

// spell writes an absolute address in ASCII; the host of an internationalised
// domain in Punycode, as RFC 3987 asks where only a URI is allowed.
func spell(u *url.URL) string {
	switch u.Scheme = strings.ToLower(u.Scheme); u.Scheme {
	case "http", "https":
	case "mailto", "tel", "xmpp", "geo", "magnet":
		return escaped(u.String())
	default:
		return ""
	}
	host, err := idna.Lookup.ToASCII(u.Hostname())
	if err != nil || host == "" {
		if host = u.Hostname(); host == "" || !ascii(host) || strings.ContainsAny(host, "_ \"<>%") {
			return ""
		}
	}
	if strings.Contains(host, ":") {
		host = "[" + host + "]"
	}
	if port := u.Port(); port != "" {
		host += ":" + port
	}
	u.Host = host
	return escaped(u.String())
}

// escaped percent-encodes the characters that RFC 3986 does not allow anywhere.
func escaped(s string) string {
	const hex = "0123456789ABCDEF"
	if !strings.ContainsFunc(s, func(r rune) bool { return r <= ' ' || r >= 0x7F || strings.ContainsRune("\"<>\\^`{|}", r) }) {
		return s
	}
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		if c := s[i]; c <= ' ' || c >= 0x7F || strings.IndexByte("\"<>\\^`{|}", c) >= 0 {
			b.WriteByte('%')
			b.WriteByte(hex[c>>4])
			b.WriteByte(hex[c&15])
			continue
		}
		b.WriteByte(s[i])
	}
	return b.String()
}

func ascii(s string) bool {
	return !strings.ContainsFunc(s, func(r rune) bool { return r >= 0x80 })
}
