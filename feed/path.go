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

// Path is the path of a feed's document on the site, with the query of a search.
// cursor names an archive page; "" is the newest document.
func (d *Definition) Path(format Format, cursor string) string {
	path := d.Base()
	if cursor != "" {
		path += "archive/" + cursor + "/"
	}
	path += string(format)
	switch d.Kind {
	case BySearch:
		path += "?q=" + url.QueryEscape(spelling(d.Name))
	case ByMatch:
		path += "?match=" + url.QueryEscape(spelling(d.Name))
	}
	return path
}

// Base is the folder that a feed's documents stand in.
func (d *Definition) Base() string {
	switch d.Kind {
	case Everything:
		return "/"
	case BySearch, ByMatch:
		return "/" + string(d.Kind) + "/"
	}
	return "/" + string(d.Kind) + "/" + Segment(d.Name) + "/"
}

// TagPath, AuthorPath and LanguagePath are the folders of the pages and feeds of
// a tag, an author or a language: "/tags/C%2FC%2B%2B/".
func TagPath(tag string) string { return "/tags/" + Segment(tag) + "/" }

// AuthorPath is the folder of an author's page and feeds.
func AuthorPath(name string) string { return "/authors/" + Segment(name) + "/" }

// LanguagePath is the folder of a language's page and feeds.
func LanguagePath(tag string) string { return "/languages/" + Segment(tag) + "/" }

// Segment writes any name as one element of a path. Clients and proxies resolve
// "." and "..", percent-encoded or not, so these get a "~" in front, and so
// does a name that begins with one.
func Segment(name string) string {
	name = spelling(name)
	mark := ""
	if name == "." || name == ".." || strings.HasPrefix(name, "~") {
		mark = "~"
	}
	return mark + strings.ReplaceAll(url.QueryEscape(name), "+", "%20")
}

// spelling is the one way in which a name stands in addresses. Not even percent-encoded
// may it be broken UTF-8: some readers cannot compare such addresses.
func spelling(name string) string { return norm.NFC.String(clean(name)) }

// Name reads an element of a path, percent-encoded, as Segment writes it.
func Name(segment string) (string, error) {
	name, err := url.PathUnescape(segment)
	if err != nil {
		return "", fmt.Errorf("path element %q: %w", segment, err)
	}
	return norm.NFC.String(strings.TrimPrefix(name, "~")), nil
}

// String writes a position as the cursor in an archive page's path.
func (p Position) String() string {
	return strconv.FormatInt(p.Appeared, 36) + "." + strconv.FormatInt(p.Seq, 36)
}

// ParsePosition reads a cursor.
func ParsePosition(cursor string) (Position, error) {
	appeared, seq, ok := strings.Cut(cursor, ".")
	a, err := strconv.ParseInt(appeared, 36, 64)
	s, err2 := strconv.ParseInt(seq, 36, 64)
	if p := (Position{a, s}); ok && err == nil && err2 == nil && p.String() == cursor {
		return p, nil
	}
	return Position{}, fmt.Errorf("no archive page %q: want an address that a newer page links to", cursor)
}

// ID returns the id of a feed, which never changes: it depends on the store and on what the
// feed selects, not on the site's address (a UUID of version 8, RFC 9562).
func (d *Definition) ID(site *Site) string {
	mac := hmac.New(sha256.New, site.Identity)
	fmt.Fprintf(mac, "feed id\x00%s\x00%s", d.Kind, strings.ToLower(norm.NFC.String(d.Name)))
	return uuid8(mac.Sum(nil))
}

// uuid8 makes an id of the first bytes of a hash.
func uuid8(hash []byte) string {
	id := uuid.UUID(hash[:16])
	id[6], id[8] = id[6]&0x0F|0x80, id[8]&0x3F|0x80
	return id.URN()
}
