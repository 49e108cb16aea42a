package mailer

import (
	"bytes"
	"encoding/base64"
	"io"
	"mime"
	"mime/quotedprintable"
	"regexp"
	"strings"

	"github.com/emersion/go-message/textproto"
	"golang.org/x/text/encoding/htmlindex"
)

// mimePart is one part of a mail. It is parsed leniently: reports come from programs that violate
// MIME in every way, and a part that cannot be read must not hide the parts after it.
type mimePart struct {
	header textproto.Header
	kind   string // content type in lower case
	params map[string]string
	raw    []byte // the body with its transfer encoding
}

// parseMIMEPart splits a mail or a part into header and body.
func parseMIMEPart(data []byte) mimePart {
	data = bytes.TrimLeft(data, "\n")
	head, body, _ := bytes.Cut(data, []byte("\n\n"))
	p := mimePart{header: readFields(head), raw: body}
	value := p.header.Get("Content-Type")
	kind, params, err := mime.ParseMediaType(value)
	if err != nil || kind == "" {
		kind, params = lenientContentType(value)
	}
	p.kind, p.params = strings.ToLower(kind), params
	return p
}

var lenientParam = regexp.MustCompile(`(?i)\b(boundary|report-type|charset)\s*=\s*(?:"([^"]*)"|([^\s;]+))`)

// lenientContentType reads a Content-Type that violates RFC 2045.
func lenientContentType(value string) (kind string, params map[string]string) {
	kind, _, _ = strings.Cut(value, ";")
	params = map[string]string{}
	for _, m := range lenientParam.FindAllStringSubmatch(value, 5) {
		params[strings.ToLower(m[1])] = m[2] + m[3]
	}
	return strings.TrimSpace(kind), params
}

// parts splits a multipart body at its boundary lines (RFC 2046, section 5.1.1). If the declared
// boundary does not occur, the first line that looks like a boundary is taken for it.
func (p mimePart) parts() [][]byte {
	boundary := p.params["boundary"]
	if boundary == "" || !bytes.Contains(p.raw, []byte("--"+boundary)) {
		boundary = firstBoundary(p.raw)
	}
	if boundary == "" {
		return nil
	}
	var all [][]byte
	start := -1
	for at := 0; at < len(p.raw) && len(all) < partsMax; {
		end := len(p.raw)
		if i := bytes.IndexByte(p.raw[at:], '\n'); i >= 0 {
			end = at + i + 1
		}
		line := strings.TrimRight(string(p.raw[at:min(end, at+200)]), " \t\n")
		if line == "--"+boundary || line == "--"+boundary+"--" {
			if start >= 0 {
				all = append(all, p.raw[start:at])
			}
			if start = end; strings.HasSuffix(line, boundary+"--") && line != "--"+boundary {
				start = -1 // what follows is no part, until another boundary
			}
		}
		at = end
	}
	if start >= 0 && start < len(p.raw) && len(all) < partsMax { // the end is missing
		all = append(all, p.raw[start:])
	}
	return all
}

var boundaryLine = regexp.MustCompile(`(?m)^--([^\s-][^\n]{0,68}?)[ \t]*$`)

// firstBoundary returns the boundary of the first line that looks like one, or "".
func firstBoundary(raw []byte) string {
	if m := boundaryLine.FindSubmatch(raw[:min(len(raw), partMax)]); m != nil {
		return string(m[1])
	}
	return ""
}

// body returns the decoded body, at most partMax octets. If it cannot be decoded, body returns what
// could be, or else the raw body.
func (p mimePart) body() []byte {
	var r io.Reader
	switch strings.ToLower(strings.TrimSpace(p.header.Get("Content-Transfer-Encoding"))) {
	case "base64":
		r = base64.NewDecoder(base64.StdEncoding, bytes.NewReader(p.raw))
	case "quoted-printable":
		r = quotedprintable.NewReader(bytes.NewReader(p.raw))
	default:
		return p.raw[:min(len(p.raw), partMax)]
	}
	decoded, err := io.ReadAll(io.LimitReader(r, partMax))
	if err != nil && len(decoded) == 0 {
		return p.raw[:min(len(p.raw), partMax)]
	}
	return bytes.ReplaceAll(decoded, []byte("\r\n"), []byte("\n"))
}

// text returns the body in UTF-8, without tags if it is HTML.
func (p mimePart) text() string {
	text := toUTF8(p.body(), p.params["charset"])
	if p.kind == "text/html" {
		text = textOfHTML(text)
	}
	return text
}

// toUTF8 converts text from a charset. It returns text unchanged if the charset is unknown.
func toUTF8(text []byte, charset string) string {
	if charset == "" || strings.EqualFold(charset, "utf-8") || strings.EqualFold(charset, "us-ascii") {
		return string(text)
	}
	encoding, err := htmlindex.Get(charset)
	if err != nil {
		return string(text)
	}
	decoded, err := encoding.NewDecoder().Bytes(text)
	if err != nil {
		return string(text)
	}
	return string(decoded)
}

var (
	invisibleHTML = regexp.MustCompile(`(?is)<(?:style|script|head)\b.*?</(?:style|script|head)>`)
	lineTags      = regexp.MustCompile(`(?i)<(?:br|/?p|/?div|/?tr|/?td|/?li|/?h\d)\b[^>]*>`)
	anyTag        = regexp.MustCompile(`<[a-zA-Z/!][^@>]*>`)
	entities      = strings.NewReplacer("&lt;", "<", "&gt;", ">", "&quot;", `"`, "&#39;", "'", "&nbsp;", " ", "&amp;", "&")
)

// textOfHTML removes tags, styles and scripts from HTML; block tags become line ends. Package
// plaintext does not fit here: reports contain unescaped addresses, "<user@example.com>", which an
// HTML parser takes for tags.
func textOfHTML(html string) string {
	html = invisibleHTML.ReplaceAllString(html, "")
	html = lineTags.ReplaceAllString(html, "\n")
	return entities.Replace(anyTag.ReplaceAllString(html, " "))
}

var headerWords = mime.WordDecoder{CharsetReader: func(charset string, input io.Reader) (io.Reader, error) {
	encoding, err := htmlindex.Get(charset)
	if err != nil {
		return nil, err
	}
	return encoding.NewDecoder().Reader(input), nil
}}

// headerText returns an unstructured header with its encoded words decoded (RFC 2047).
func headerText(h textproto.Header, name string) string {
	value := h.Get(name)
	decoded, err := headerWords.DecodeHeader(value)
	if err != nil {
		return value
	}
	return decoded
}
