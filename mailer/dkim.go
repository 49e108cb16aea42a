package mailer

import (
	"bytes"
	"crypto"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"hash"
	"strings"

	"golang.org/x/net/idna"
)

// DKIMKey is a DKIM key: RSA or Ed25519 (RFC 6376, RFC 8463).
type DKIMKey struct {
	Domain   string // may be in Unicode
	Selector string
	Signer   crypto.Signer
}

// Signer signs mails with one or several keys, with relaxed/relaxed canonicalization. It must not
// be used by several goroutines at once; give each its own Clone.
//
// It is written for mails in memory: unlike a streaming signer it hashes the body once for all keys
// and needs no copies and no line scanner. Signatures have no t= tag, so that a mail has the same
// octets on every try.
type Signer struct {
	keys            []signingKey
	scratch         []byte // canonical body, then canonical headers; reused
	signatureHeader []byte // one signature header; reused
	rendered        []byte // a mail or a part of it; reused
	hash            hash.Hash
}

// signingKey is a key and the beginning of its signature headers.
type signingKey struct {
	signer crypto.Signer
	opts   crypto.SignerOpts
	prefix string
}

// signedHeaders are the headers that a signature covers. With oversign, h= lists the name once more
// than the header occurs, so that a second one cannot be added (RFC 6376, section 8.15).
var signedHeaders = []struct {
	name     string
	oversign bool
}{
	{"from", true}, {"sender", true}, {"reply-to", true}, {"to", true}, {"cc", true}, {"subject", true}, {"date", true}, {"message-id", true},
	{"mime-version", true}, {"content-type", true}, {"content-transfer-encoding", true},
	{"list-id", true}, {"list-subscribe", false}, {"list-unsubscribe", true}, {"list-unsubscribe-post", true}, {"list-post", false}, {"list-help", false},
	{"list-archive", false}, {"list-owner", false}, {"precedence", false}, {"auto-submitted", false}, {"feedback-id", false},
}

// NewSigner returns a signer, or an error if a key is invalid. Without keys it adds no signatures.
func NewSigner(keys ...DKIMKey) (*Signer, error) {
	s := &Signer{hash: sha256.New()}
	for _, key := range keys {
		k, err := key.prepare()
		if err != nil {
			return nil, fmt.Errorf("mailer: DKIM key %s of %s: %w", key.Selector, key.Domain, err)
		}
		s.keys = append(s.keys, k)
	}
	return s, nil
}

// prepare checks a key and writes the beginning of its signature headers.
func (k DKIMKey) prepare() (signingKey, error) {
	domain, err := idna.Lookup.ToASCII(k.Domain)
	if err != nil || domain == "" {
		return signingKey{}, errors.New("not a domain; use a name such as example.org")
	}
	if selector, err := idna.Lookup.ToASCII(k.Selector); err != nil || selector == "" || selector != k.Selector {
		return signingKey{}, errors.New("not a DKIM selector; use a name such as s2026a")
	}
	out := signingKey{signer: k.Signer}
	algorithm := ""
	switch public := k.Signer.(type) {
	case *rsa.PrivateKey:
		if public.N.BitLen() < 1024 {
			return signingKey{}, fmt.Errorf("RSA with %d bits; receivers want 2048", public.N.BitLen()) // RFC 8301
		}
		algorithm, out.opts = "rsa-sha256", crypto.SHA256
	case ed25519.PrivateKey:
		algorithm, out.opts = "ed25519-sha256", crypto.Hash(0)
	default:
		return signingKey{}, fmt.Errorf("a key of type %T; RSA and Ed25519 can sign mail", k.Signer)
	}
	out.prefix = fmt.Sprintf("DKIM-Signature: v=1; a=%s; c=relaxed/relaxed;\r\n d=%s;\r\n s=%s;\r\n", algorithm, domain, k.Selector)
	return out, nil
}

// Clone returns a signer with the same keys for another goroutine.
func (s *Signer) Clone() *Signer { return &Signer{keys: s.keys, hash: sha256.New()} }

// Sign appends the signatures and then the message to dst. The message must be as Compiled.Render
// writes it. Signer.Render renders and signs in less time.
func (s *Signer) Sign(dst, message []byte) ([]byte, error) {
	if len(s.keys) == 0 {
		return append(dst, message...), nil
	}
	head, body, found := bytes.Cut(message, []byte("\r\n\r\n"))
	if !found {
		return nil, errors.New("mailer: cannot sign the message: its header has no end")
	}
	s.scratch = relaxedBody(s.scratch[:0], body)
	dst, err := s.signAll(dst, head, sha256.Sum256(s.scratch))
	return append(dst, message...), err
}

// Render appends a rendered mail with its signatures to dst. The result is the same as that of
// Compiled.Render and Sign. Compile has already canonicalized the static parts of the body, which
// halves the time of signing apart from the key operation.
func (s *Signer) Render(dst []byte, m *Compiled, values []string) ([]byte, error) {
	if len(s.keys) == 0 {
		return m.Render(dst, values), nil
	}
	if m.segments[len(m.segments)-1].relaxed == nil {
		s.rendered = m.Render(s.rendered[:0], values)
		return s.Sign(dst, s.rendered)
	}
	s.hash.Reset()
	for i := m.headerSegments; i < len(m.segments); i++ {
		s.hash.Write(m.segments[i].relaxed)
		if p := m.segments[i].placeholder; p != nil {
			s.rendered = p.render(s.rendered[:0], values)
			s.scratch = collapseWhitespace(s.scratch[:0], s.rendered)
			s.hash.Write(s.scratch)
		}
	}
	s.rendered = renderSegments(s.rendered[:0], m.segments[:m.headerSegments], values)
	dst, err := s.signAll(dst, bytes.TrimSuffix(s.rendered, []byte("\r\n\r\n")), [sha256.Size]byte(s.hash.Sum(nil)))
	return renderSegments(append(dst, s.rendered...), m.segments[m.headerSegments:], values), err
}

// signAll appends a signature header for each key.
func (s *Signer) signAll(dst, head []byte, body [sha256.Size]byte) ([]byte, error) {
	var names string
	names, s.scratch = appendSignedHeaders(s.scratch[:0], splitHeaders(head))
	tail := names + " bh=" + base64.StdEncoding.EncodeToString(body[:]) + ";\r\n b="
	for i := range s.keys {
		var err error
		if dst, err = s.sign(dst, &s.keys[i], tail); err != nil {
			return nil, err
		}
	}
	return dst, nil
}

// sign appends the signature header of one key. The signature covers the canonical headers in
// s.scratch, followed by the signature header itself with an empty b= and without a line end
// (RFC 6376, section 3.7).
func (s *Signer) sign(dst []byte, key *signingKey, tail string) ([]byte, error) {
	s.signatureHeader = append(append(s.signatureHeader[:0], key.prefix...), tail...)
	length := len(s.scratch)
	s.scratch = appendRelaxedHeader(s.scratch, s.signatureHeader)
	digest := sha256.Sum256(s.scratch)
	s.scratch = s.scratch[:length]
	signature, err := key.signer.Sign(rand.Reader, digest[:], key.opts)
	if err != nil {
		return nil, fmt.Errorf("mailer: signing: %w", err)
	}
	dst = append(dst, s.signatureHeader...)
	return appendFoldedBase64(dst, signature), nil
}

// appendFoldedBase64 appends data in base64, folded into lines of 72 characters, and a line end.
func appendFoldedBase64(dst, data []byte) []byte {
	text := base64.StdEncoding.EncodeToString(data)
	const first, line = 72 - len(" b="), 72
	for width := first; len(text) > width; width = line {
		dst = append(append(dst, text[:width]...), "\r\n "...)
		text = text[width:]
	}
	return append(append(dst, text...), "\r\n"...)
}

// headerNames returns the h= tag, folded after colons. RFC 6376 allows folding there (section 3.5).
func headerNames(names []string) string {
	var b strings.Builder
	b.WriteString(" h=")
	column := 3
	for i, name := range names {
		if column+len(name)+1 > 76 {
			b.WriteString("\r\n ")
			column = 1
		}
		b.WriteString(name)
		end := ":"
		if i == len(names)-1 {
			end = ";"
		}
		b.WriteString(end)
		column += len(name) + 1
	}
	b.WriteString("\r\n")
	return b.String()
}

// relaxedBody appends a body in the relaxed form (RFC 6376, section 3.4.4): each run of white space
// becomes one space, and white space at line ends and empty lines at the end are removed.
func relaxedBody(dst, body []byte) []byte {
	start := len(dst)
	if hasOnlyInnerSpaceRuns(body) {
		dst = collapseSpaces(dst, body)
		if len(body) > 0 && !bytes.HasSuffix(body, []byte("\r\n")) {
			dst = append(dst, '\r', '\n')
		}
	} else {
		dst = relaxedLines(dst, body)
	}
	for bytes.HasSuffix(dst[start:], []byte("\r\n\r\n")) {
		dst = dst[:len(dst)-2]
	}
	if bytes.Equal(dst[start:], []byte("\r\n")) {
		dst = dst[:start]
	}
	return dst
}

// hasOnlyInnerSpaceRuns reports whether a body contains no tab and no space at a line end, so that
// only runs of spaces have to be collapsed. That holds for quoted-printable without tabs; searching
// for the exceptions takes a tenth of the time of going through the lines.
func hasOnlyInnerSpaceRuns(body []byte) bool {
	return bytes.IndexByte(body, '\t') < 0 && !bytes.Contains(body, []byte(" \r\n")) && !bytes.HasSuffix(body, []byte(" "))
}

// collapseSpaces appends a body with each run of spaces as one space.
func collapseSpaces(dst, body []byte) []byte {
	for {
		at := bytes.Index(body, []byte("  "))
		if at < 0 {
			return append(dst, body...)
		}
		dst = append(dst, body[:at+1]...)
		for body = body[at+2:]; len(body) > 0 && body[0] == ' '; {
			body = body[1:]
		}
	}
}

// collapseWhitespace appends a text with each run of white space as one space and without white
// space at its end. Quoted-printable has none at the end of its lines, so this is its relaxed form.
func collapseWhitespace(dst, text []byte) []byte {
	white := false
	for _, b := range text {
		if b == ' ' || b == '\t' {
			white = true
			continue
		}
		if white {
			dst = append(dst, ' ')
			white = false
		}
		dst = append(dst, b)
	}
	return dst
}

// relaxedLines is relaxedBody for any body, line by line.
func relaxedLines(dst, body []byte) []byte {
	for len(body) > 0 {
		line, rest, _ := bytes.Cut(body, []byte("\r\n"))
		dst = collapseWhitespace(dst, line)
		dst = append(dst, '\r', '\n')
		body = rest
	}
	return dst
}

// rawHeader is a folded header field without its last line end.
type rawHeader struct {
	name string // in lower case
	raw  []byte
}

// splitHeaders splits a header section into its fields.
func splitHeaders(head []byte) []rawHeader {
	all := make([]rawHeader, 0, 24)
	for len(head) > 0 {
		end := len(head)
		for at := 0; ; {
			i := bytes.Index(head[at:], []byte("\r\n"))
			if i < 0 {
				break
			}
			if at += i + 2; at == len(head) || head[at] != ' ' && head[at] != '\t' {
				end = at - 2
				break
			}
		}
		if colon := bytes.IndexByte(head[:end], ':'); colon > 0 {
			all = append(all, rawHeader{string(bytes.ToLower(bytes.TrimRight(head[:colon], " \t"))), head[:end]})
		}
		head = head[min(end+2, len(head)):]
	}
	return all
}

// appendSignedHeaders appends the canonical form of the signed headers and returns the h= tag, which
// lists them in the same order. Of several headers with the same name the last comes first
// (RFC 6376, section 5.4.2).
func appendSignedHeaders(dst []byte, headers []rawHeader) (string, []byte) {
	names := make([]string, 0, 32)
	for _, s := range signedHeaders {
		for i := len(headers) - 1; i >= 0; i-- {
			if headers[i].name == s.name {
				names = append(names, s.name)
				dst = append(appendRelaxedHeader(dst, headers[i].raw), "\r\n"...)
			}
		}
		if s.oversign {
			names = append(names, s.name)
		}
	}
	return headerNames(names), dst
}

// appendRelaxedHeader appends a header field in the relaxed form (RFC 6376, section
// 3.4.2), without a line end.
func appendRelaxedHeader(dst, raw []byte) []byte {
	colon := bytes.IndexByte(raw, ':')
	dst = append(dst, bytes.ToLower(bytes.TrimRight(raw[:colon], " \t"))...)
	dst = append(dst, ':')
	space, begun := false, false
	for _, b := range raw[colon+1:] {
		switch b {
		case ' ', '\t', '\r', '\n':
			space = true
			continue
		}
		if space && begun {
			dst = append(dst, ' ')
		}
		space, begun = false, true
		dst = append(dst, b)
	}
	return dst
}
