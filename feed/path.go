package feed

import (
	"crypto/hmac"
	"crypto/sha256"
	"fmt"
	"net/url"
	"strconv"
	"strings"

	"github.com/google/uuid"
	"golang.org/x/text/unicode/norm"
)

// Path returns the path of a feed's document on the site, with the query of a search.
// cursor is that of an archive page; "" is the newest document.
func (d *Definition) Path(format Format, cursor string) string {
	path := d.Base()
	if cursor != "" {
		path += "archive/" + cursor + "/"
	}
	path += string(format)
	switch d.Kind {
	case BySearch:
		path += "?q=" + url.QueryEscape(canonicalName(d.Name))
	case ByMatch:
		path += "?match=" + url.QueryEscape(canonicalName(d.Name))
	}
	return path
}

// Base returns the folder of a feed's documents.
func (d *Definition) Base() string {
	switch d.Kind {
	case Everything:
		return "/"
	case BySearch, ByMatch:
		return "/" + string(d.Kind) + "/"
	}
	return "/" + string(d.Kind) + "/" + Segment(d.Name) + "/"
}

// TagPath returns the folder of a tag's page and feeds, such as "/tags/C%2FC%2B%2B/".
func TagPath(tag string) string { return "/tags/" + Segment(tag) + "/" }

// AuthorPath returns the folder of an author's page and feeds.
func AuthorPath(name string) string { return "/authors/" + Segment(name) + "/" }

// LanguagePath returns the folder of a language's page and feeds.
func LanguagePath(tag string) string { return "/languages/" + Segment(tag) + "/" }

// Segment escapes a name as one element of a path. Clients and proxies resolve "." and "..",
// percent-encoded or not, so these names get a "~" in front; names that begin with "~" get
// another one.
func Segment(name string) string {
	name = canonicalName(name)
	prefix := ""
	if name == "." || name == ".." || strings.HasPrefix(name, "~") {
		prefix = "~"
	}
	return prefix + strings.ReplaceAll(url.QueryEscape(name), "+", "%20")
}

// canonicalName returns a name as it is written in addresses: in NFC and valid UTF-8. Some
// feed readers cannot compare addresses with percent-encoded invalid UTF-8.
func canonicalName(name string) string { return norm.NFC.String(clean(name)) }

// ParseSegment returns the name in a percent-encoded element of a path, as Segment writes it.
func ParseSegment(segment string) (string, error) {
	name, err := url.PathUnescape(segment)
	if err != nil {
		return "", fmt.Errorf("path element %q: %w", segment, err)
	}
	return norm.NFC.String(strings.TrimPrefix(name, "~")), nil
}

// String returns the position as the cursor in an archive page's path.
func (p Position) String() string {
	return strconv.FormatInt(p.Appeared, 36) + "." + strconv.FormatInt(p.Seq, 36)
}

// ParsePosition parses a cursor.
func ParsePosition(cursor string) (Position, error) {
	appeared, seq, ok := strings.Cut(cursor, ".")
	a, err := strconv.ParseInt(appeared, 36, 64)
	s, err2 := strconv.ParseInt(seq, 36, 64)
	if p := (Position{a, s}); ok && err == nil && err2 == nil && p.String() == cursor {
		return p, nil
	}
	return Position{}, fmt.Errorf("there is no archive page %q; follow the link of a newer page", cursor)
}

// ID returns the id of a feed, which never changes: it depends on the store and on what the
// feed selects, not on the site's address (a UUID of version 8, RFC 9562).
func (d *Definition) ID(site *Site) string {
	mac := hmac.New(sha256.New, site.Identity)
	fmt.Fprintf(mac, "feed id\x00%s\x00%s", d.Kind, strings.ToLower(norm.NFC.String(d.Name)))
	return uuid8(mac.Sum(nil))
}

// uuid8 makes a UUID of version 8 from the first bytes of a hash.
func uuid8(hash []byte) string {
	id := uuid.UUID(hash[:16])
	id[6], id[8] = id[6]&0x0F|0x80, id[8]&0x3F|0x80
	return id.URN()
}
