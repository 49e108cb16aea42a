package markup

import (
	"fmt"
	"net/url"
	"regexp"
	"strings"
)

// IsWeb reports whether a URL is absolute, with the scheme http or https.
func IsWeb(u *url.URL) bool {
	return (u.Scheme == "http" || u.Scheme == "https") && u.Host != ""
}

// EncodeLink converts a link to a form that url.Parse accepts, as browsers do (WHATWG URL). It
// drops outer spaces, tabs and line feeds, replaces backslashes in web links by slashes, and
// percent-encodes characters that are not allowed, such as a % without two hex digits.
func EncodeLink(link string) string {
	link = strings.TrimFunc(link, func(r rune) bool { return r <= ' ' })
	if found := webScheme.FindStringSubmatch(link); found != nil {
		link = strings.ToLower(found[1]) + "://" + found[2]
	}
	if !strings.ContainsAny(link, " \t\r\n\\%\"<>^`{|}") {
		return link
	}
	scheme, _, _ := strings.Cut(link, ":")
	web := strings.EqualFold(scheme, "http") || strings.EqualFold(scheme, "https") || scheme == link
	host := 0 // end of the host, which is not encoded: a host with a space is invalid
	if at := strings.Index(link, "//"); at >= 0 && (at == 0 || link[at-1] == ':') {
		host = len(link)
		if path := strings.IndexAny(link[at+2:], "/\\?#"); path >= 0 {
			host = at + 2 + path
		}
	}
	var out strings.Builder
	query := false
	for i := 0; i < len(link); i++ {
		c := link[i]
		query = query || c == '?' || c == '#'
		switch {
		case c == '\t' || c == '\r' || c == '\n':
		case i < host:
			out.WriteByte(c)
		case c == '\\' && web && !query:
			out.WriteByte('/')
		case c == '%' && (i+2 >= len(link) || !isHex(link[i+1]) || !isHex(link[i+2])):
			out.WriteString("%25")
		case strings.IndexByte(" \"<>^`{|}\\", c) >= 0:
			fmt.Fprintf(&out, "%%%02X", c)
		default:
			out.WriteByte(c)
		}
	}
	return out.String()
}

// webScheme matches a web address with any number of slashes after the scheme, which browsers
// take for two (WHATWG URL, special authority slashes state).
var webScheme = regexp.MustCompile(`^(?i:(https?)):[/\\]*([^/\\].*)$`)

func isHex(c byte) bool {
	return '0' <= c && c <= '9' || 'a' <= c && c <= 'f' || 'A' <= c && c <= 'F'
}
