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

// base resolves the relative addresses in an article.
type base struct {
	site string   // the site's address, without a last slash; "/media/…" is below it
	page *url.URL // the article's own address, for other relative addresses; nil if there must be none
}

// newBase returns the base for an article at the address page.
func newBase(site, page string) base {
	u, err := url.Parse(page)
	if err != nil || !u.IsAbs() {
		u = nil
	}
	return base{site, u}
}

// schemes are the schemes that links in a text may have. Programs that open them only
// show something, or ask first.
var schemes = []string{"http", "https", "mailto", "tel", "xmpp", "geo", "magnet"}

// linkURL returns the address of a link in a text as an absolute URI (RFC 3986). It
// returns "" for other schemes, such as javascript: and data:, and for invalid addresses.
func (p base) linkURL(ref string) string {
	u := p.resolve(ref)
	switch {
	case u == nil || !slices.Contains(schemes, u.Scheme):
		return ""
	case u.Scheme == "http" || u.Scheme == "https":
		return normalize(u)
	}
	return u.String()
}

// webURL returns the address of a page or file as an absolute http or https URI, or "".
func (p base) webURL(ref string) string {
	if u := p.resolve(ref); u != nil && (u.Scheme == "http" || u.Scheme == "https") {
		return normalize(u)
	}
	return ""
}

// elementURL returns an address as webURL does, for elements such as <link>. It returns ""
// for literal IPv6 addresses outside of the site: validators of RSS reject them.
func (p base) elementURL(ref string) string {
	address := p.webURL(ref)
	if strings.Contains(address, "[") && !onSite(address, p.site) {
		return ""
	}
	return address
}

// onSite reports whether an address is below the site's address.
func onSite(address, site string) bool {
	rest, found := strings.CutPrefix(address, site)
	return found && site != "" && (rest == "" || strings.ContainsRune("/?#", rune(rest[0])))
}

func (p base) resolve(ref string) *url.URL {
	ref = article.Absolute(escapeRef(ref), p.site)
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

// escapeRef makes a URI reference of an attribute's value, as browsers do (URL Standard,
// section 4.4): it drops line breaks and tabs, turns backslashes into slashes, and
// percent-encodes characters that are not allowed.
func escapeRef(ref string) string {
	ref = strings.Trim(clean(ref), " \n\t")
	if isURI(ref) {
		return ref
	}
	ref = strings.NewReplacer("\n", "", "\t", "").Replace(ref)
	var b strings.Builder
	part := splitRef(ref)
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

// refParts are the ends of the parts of a reference (RFC 3986, section 3).
type refParts struct {
	special   bool // backslashes count as slashes: the scheme is http, https or missing
	authority int  // end of the scheme and authority
	path      int  // end of the path
	fragment  int  // index of the #, or the end of the reference
}

func splitRef(ref string) refParts {
	p := refParts{special: true}
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

// allowedIn reports whether the character at index i is allowed there unescaped.
func allowedIn(ref string, i int, p refParts) bool {
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

// uriByte contains the characters that are allowed everywhere: the unreserved and reserved
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

// isURI reports whether a reference needs no escaping. It is fast, since most need none.
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

// normalize returns a web address in normal form (RFC 3986, section 6.2.3), with its host
// in ASCII, or "" if the host or port is invalid.
func normalize(u *url.URL) string {
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

// idnaProfile accepts the host names that browsers accept. It converts internationalized
// names to Punycode, as RFC 3987 requires where only URIs are allowed, and accepts
// underscores and hyphens that registries forbid.
var idnaProfile = idna.New(idna.MapForLookup(), idna.BidiRule(), idna.Transitional(false), idna.StrictDomainName(false), idna.CheckHyphens(false))

func hostName(host string) string {
	if strings.Contains(host, ":") {
		if ip, err := netip.ParseAddr(host); err != nil || ip.Zone() != "" {
			return ""
		}
		return "[" + host + "]"
	}
	name, err := idnaProfile.ToASCII(host)
	if err != nil || name == "" || name[0] == '.' || strings.Contains(name, "..") || strings.ContainsFunc(name, invalidInHost) {
		return ""
	}
	return name
}

func invalidInHost(r rune) bool {
	return r >= 0x80 || !uriByte[byte(r)] || strings.ContainsRune(":/?@!$&'()*+,;=", r)
}
