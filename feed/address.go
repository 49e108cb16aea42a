package feed

import (
	"net/netip"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/net/idna"

	"github.com/tidings-press/tidings/internal/article"
)

// place is what the addresses in an article start from.
type place struct {
	site string   // the site's address, without a last slash: that of "/media/…"
	page *url.URL // the article's own: that of all other relative addresses; nil where none are taken
}

// newPlace is the place of an article whose page has an address.
func newPlace(site, page string) place {
	u, err := url.Parse(page)
	if err != nil || !u.IsAbs() {
		u = nil
	}
	return place{site, u}
}

// schemes are those that a link in a text may have. Readers hand them to programs
// that only show something or ask first.
var schemes = []string{"http", "https", "mailto", "tel", "xmpp", "geo", "magnet"}

// link returns the address of a link in a text as a document shows it: absolute, a
// URI by RFC 3986, of a scheme that readers may follow. It returns "" for what is
// none, such as javascript: and data: addresses.
func (p place) link(ref string) string {
	u := p.resolve(ref)
	switch {
	case u == nil || !slices.Contains(schemes, u.Scheme):
		return ""
	case u.Scheme == "http" || u.Scheme == "https":
		return spell(u)
	}
	return u.String()
}

// web returns the address of something that readers fetch or open as a page.
func (p place) web(ref string) string {
	if u := p.resolve(ref); u != nil && (u.Scheme == "http" || u.Scheme == "https") {
		return spell(u)
	}
	return ""
}

// element returns a web address for an element of its own. RSS is older than
// literal IPv6 addresses (RFC 2732), and validators refuse them there; the site's
// own address is what it is.
func (p place) element(ref string) string {
	address := p.web(ref)
	if strings.Contains(address, "[") && !below(address, p.site) {
		return ""
	}
	return address
}

// below reports whether an address is one of the site.
func below(address, site string) bool {
	rest, found := strings.CutPrefix(address, site)
	return found && site != "" && (rest == "" || strings.ContainsRune("/?#", rune(rest[0])))
}

func (p place) resolve(ref string) *url.URL {
	ref = article.Absolute(escape(ref), p.site)
	if ref == "" {
		return nil
	}
	u, err := url.Parse(ref)
	if err != nil {
		return nil
	}
	if !u.IsAbs() {
		if p.page == nil {
			return nil
		}
		u = p.page.ResolveReference(u)
	}
	u.Scheme = strings.ToLower(u.Scheme)
	return u
}

// escape makes a URI reference of what stands in an attribute, as browsers do (URL
// Standard, section 4.4): they drop line breaks, take a backslash for a slash, and
// percent-encode what may not stand where it does.
func escape(ref string) string {
	ref = strings.Trim(clean(ref), " \n\t")
	if isURI(ref) {
		return ref
	}
	ref = strings.NewReplacer("\n", "", "\t", "").Replace(ref)
	var b strings.Builder
	part := partsOf(ref)
	for i := 0; i < len(ref); i++ {
		switch c := ref[i]; {
		case c == '\\' && part.special && i < part.path:
			b.WriteByte('/')
		case allowedIn(ref, i, part):
			b.WriteByte(c)
		default:
			const hex = "0123456789ABCDEF"
			b.Write([]byte{'%', hex[c>>4], hex[c&15]})
		}
	}
	return b.String()
}

// parts are where the parts of a reference end (RFC 3986, section 3).
type parts struct {
	special   bool // of a scheme whose slashes may be backslashes: http, https or none
	authority int  // the end of scheme and authority
	path      int
	fragment  int // the # that begins it, or the end
}

func partsOf(ref string) parts {
	p := parts{special: true}
	scheme := strings.IndexAny(ref, ":/?#\\")
	if scheme >= 0 && ref[scheme] == ':' {
		name := strings.ToLower(ref[:scheme])
		p.special, p.authority = name == "http" || name == "https", scheme+1
	}
	slash := func(i int) bool { return i < len(ref) && (ref[i] == '/' || p.special && ref[i] == '\\') }
	if slash(p.authority) && slash(p.authority+1) {
		p.authority += 2
		for p.authority < len(ref) && !slash(p.authority) && ref[p.authority] != '?' && ref[p.authority] != '#' {
			p.authority++
		}
	}
	p.path, p.fragment = len(ref), len(ref)
	if at := strings.IndexByte(ref, '#'); at >= 0 {
		p.path, p.fragment = at, at
	}
	if at := strings.IndexByte(ref[:p.path], '?'); at >= 0 {
		p.path = at
	}
	return p
}

// allowedIn reports whether the character at i may stand there as it is.
func allowedIn(ref string, i int, p parts) bool {
	switch c := ref[i]; c {
	case '[', ']':
		return i < p.authority
	case '#':
		return i == p.fragment
	case '%':
		return i+2 < len(ref) && isHex(ref[i+1]) && isHex(ref[i+2])
	default:
		return uriByte[c]
	}
}

// uriByte are the characters that may stand anywhere: the unreserved and reserved
// ones of RFC 3986, section 2, without "#", "[" and "]".
var uriByte = func() (table [256]bool) {
	for _, c := range []byte("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~:/?@!$&'()*+,;=") {
		table[c] = true
	}
	return table
}()

func isHex(c byte) bool {
	return '0' <= c && c <= '9' || 'a' <= c && c <= 'f' || 'A' <= c && c <= 'F'
}

// isURI is the quick answer for most addresses: every character may stand where it
// does.
func isURI(ref string) bool {
	fragment := false
	for i := 0; i < len(ref); i++ {
		switch c := ref[i]; {
		case uriByte[c]:
		case c == '#' && !fragment:
			fragment = true
		case c == '%' && i+2 < len(ref) && isHex(ref[i+1]) && isHex(ref[i+2]):
		default:
			return false
		}
	}
	return true
}

// spell writes a web address in its usual form (RFC 3986, section 6.2.3), with its
// host in ASCII; it returns "" where the host is none.
func spell(u *url.URL) string {
	host, port := hostName(u.Hostname()), u.Port()
	if n, err := strconv.Atoi(port); host == "" || port != "" && (err != nil || n > 65535) {
		return ""
	}
	if port != "" && port != map[string]string{"http": "80", "https": "443"}[u.Scheme] {
		host += ":" + port
	}
	u = new(url.URL).ResolveReference(u) // without "." and ".." in its path
	if u.User != nil && u.User.String() == "" {
		u.User = nil
	}
	if u.Host = host; u.Path == "" {
		u.Path = "/"
	}
	return u.String()
}

// lookup takes the names that browsers open: those of internationalised domains
// become Punycode, as RFC 3987 asks where only a URI is allowed, and underscores
// and hyphens may stand where the rules for registering a name forbid them.
var lookup = idna.New(idna.MapForLookup(), idna.BidiRule(), idna.Transitional(false), idna.StrictDomainName(false), idna.CheckHyphens(false))

func hostName(host string) string {
	if strings.Contains(host, ":") {
		if ip, err := netip.ParseAddr(host); err != nil || ip.Zone() != "" {
			return ""
		}
		return "[" + host + "]"
	}
	name, err := lookup.ToASCII(host)
	if err != nil || name == "" || name[0] == '.' || strings.Contains(name, "..") || strings.ContainsFunc(name, notOfHost) {
		return ""
	}
	return name
}

func notOfHost(r rune) bool {
	return r >= 0x80 || !uriByte[byte(r)] || strings.ContainsRune(":/?@!$&'()*+,;=", r)
}
