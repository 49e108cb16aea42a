package mailer

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/net/idna"
)

// field is a header field of a message that is being compiled.
type field struct {
	name     string
	encoding encoding
	value    template
	label    template // display name of a mailbox
}

// isStructured reports whether the value of a header consists of ids, URLs or keywords. Such a value
// may be folded only between them and contains no encoded words.
func isStructured(name string) bool {
	name = strings.ToLower(name)
	switch name {
	case "message-id", "references", "in-reply-to", "feedback-id", "precedence", "auto-submitted", "content-language":
		return true
	}
	return strings.HasPrefix(name, "list-")
}

// fields returns the header fields of a message that this package encodes. go-mail writes the others:
// Date, MIME-Version and those of the content.
func (msg *Message) fields() []field {
	all := []field{
		msg.mailbox("From", msg.From),
		msg.mailbox("To", msg.To),
		{name: "Subject", encoding: encodeHeader, value: parseTemplate(msg.Subject, msg.Placeholders)},
		{name: "Message-ID", encoding: encodeToken, value: parseTemplate("<"+msg.MessageID+">", msg.Placeholders)},
	}
	if msg.ReplyTo.Email != "" {
		all = append(all, msg.mailbox("Reply-To", msg.ReplyTo))
	}
	for _, h := range msg.Headers {
		enc := encodeHeader
		if isStructured(h.Name) {
			enc = encodeToken
		}
		all = append(all, field{name: h.Name, encoding: enc, value: parseTemplate(h.Value, msg.Placeholders)})
	}
	return all
}

func (msg *Message) mailbox(name string, a Address) field {
	return field{name: name, encoding: encodeMailbox, value: parseTemplate(a.Email, msg.Placeholders), label: parseTemplate(a.Name, msg.Placeholders)}
}

// compile appends the value of the field to a compiled message. The value starts at the column
// after "Name: ".
func (f *field) compile(m *Compiled) {
	column := len(f.name) + 2
	switch {
	case f.encoding == encodeToken:
		f.compileTokens(m, column)
	case f.value.hasPlaceholder() || f.label.hasPlaceholder():
		m.addPlaceholder(placeholder{encoding: f.encoding, content: f.value, name: f.label, column: column})
	default:
		h := placeholder{encoding: f.encoding, content: f.value, name: f.label, column: column}
		m.appendStatic(h.render(nil, nil))
	}
}

// compileTokens folds a structured value by length if it has no placeholders. Otherwise the length is
// unknown, and the value is folded after each comma; text that is too long for a line is folded by length.
func (f *field) compileTokens(m *Compiled, column int) {
	if !f.value.hasPlaceholder() {
		m.appendStatic(appendFolded(nil, column, f.value.fill(nil)))
		return
	}
	for _, p := range f.value {
		switch {
		case p.value >= 0:
			m.addPlaceholder(placeholder{encoding: encodeToken, content: template{p}})
		case len(p.text) > staticMax:
			m.appendStatic(appendFolded(nil, headerLine, p.text))
		default:
			m.appendStatic([]byte(strings.ReplaceAll(p.text, ", ", ",\r\n ")))
		}
	}
}

// check refuses an invalid name or structured value. Values of unstructured headers, such as
// subjects from editors, are sanitized by singleLine instead.
func (f *field) check() error {
	if f.name == "" || strings.ContainsFunc(f.name, func(r rune) bool { return r <= ' ' || r >= 0x7f || r == ':' }) {
		return fmt.Errorf("mailer: header name %q: use printable ASCII without a colon", f.name)
	}
	if f.encoding != encodeToken {
		return nil
	}
	for _, p := range f.value {
		if i := strings.IndexFunc(p.text, func(r rune) bool { return r < ' ' || r >= 0x7f }); i >= 0 {
			return fmt.Errorf("mailer: header %s: %q at octet %d of %q: only printable ASCII is allowed there", f.name, p.text[i], i, p.text)
		}
		for word := range strings.FieldsSeq(p.text) {
			if len(word) > staticMax {
				return fmt.Errorf("mailer: header %s: %q cannot be folded, at most %d octets fit a line", f.name, word, staticMax)
			}
		}
	}
	return nil
}

const (
	headerLine = 78  // RFC 5322, section 2.1.1
	wordMax    = 75  // length of an encoded word, RFC 2047, section 2
	tokenMax   = 600 // length of a value that cannot be folded
	staticMax  = 380 // length of the static text around it; together they stay below 998 octets a line
)

// appendText appends the value of an unstructured header, folded from the given column on. Text
// that isPlainText rejects is written as encoded words (RFC 2047).
func appendText(dst []byte, column int, text string) []byte {
	text = singleLine(text)
	if !isPlainText(text) {
		return appendEncodedWords(dst, column, text)
	}
	return appendFolded(dst, column, text)
}

// appendPhrase appends a display name (RFC 5322, section 3.2.5): unchanged if it consists of
// atoms, as encoded words if isPlainText rejects it, else as a quoted string.
func appendPhrase(dst []byte, column int, text string) []byte {
	text = singleLine(text)
	switch {
	case text == "":
		return dst
	case !isPlainText(text):
		return appendEncodedWords(dst, column, text)
	case !strings.ContainsFunc(text, func(r rune) bool { return !atomText(r) && r != ' ' }):
		return appendFolded(dst, column, text)
	}
	return appendFolded(dst, column, `"`+quoteEscapes.Replace(text)+`"`)
}

var quoteEscapes = strings.NewReplacer(`\`, `\\`, `"`, `\"`)

func atomText(r rune) bool {
	return r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' ||
		strings.ContainsRune("!#$%&'*+-/=?^_`{|}~", r)
}

// singleLine returns text as a header value: valid UTF-8 without line breaks and other control
// characters, trimmed.
func singleLine(text string) string {
	if isSingleLine(text) {
		return text
	}
	text = strings.Map(func(r rune) rune {
		if r < ' ' || r >= 0x7f && r < 0xa0 {
			return ' '
		}
		return r
	}, strings.ToValidUTF8(text, "\uFFFD"))
	return strings.Trim(text, " ")
}

// isSingleLine reports whether singleLine returns the text unchanged because it is trimmed ASCII
// without control characters, which is the common case.
func isSingleLine(text string) bool {
	for i := 0; i < len(text); i++ {
		if text[i] < ' ' || text[i] >= 0x7f {
			return false
		}
	}
	return text == "" || text[0] != ' ' && text[len(text)-1] != ' '
}

// isPlainText reports whether text needs no encoding in a header: printable ASCII words that are
// not too long to fold, with single spaces between them, and nothing that looks like an encoded word.
func isPlainText(text string) bool {
	run := 0
	for i := 0; i < len(text); i++ {
		switch b := text[i]; {
		case b < ' ' || b >= 0x7f:
			return false
		case b == ' ' && i > 0 && text[i-1] == ' ':
			return false
		case b == ' ':
			run = 0
		default:
			run++
		}
		if run > wordMax-5 {
			return false
		}
	}
	return !strings.Contains(text, "=?")
}

// appendFolded appends text and breaks the line before each word that would exceed the limit.
func appendFolded(dst []byte, column int, text string) []byte {
	for first := true; text != "" || first; first = false {
		word, rest, _ := strings.Cut(text, " ")
		if !first {
			if column+1+len(word) > headerLine {
				dst = append(dst, "\r\n"...)
				column = 0
			}
			dst = append(dst, ' ')
			column++
		}
		dst = append(dst, word...)
		column += len(word)
		text = rest
	}
	return dst
}

// appendEncodedWords appends text as encoded words, one on each line, without splitting a rune.
func appendEncodedWords(dst []byte, column int, text string) []byte {
	base := isShorterInBase64(text)
	for text != "" {
		width := min(wordMax, max(headerLine-column, 25))
		n := encodedWordFits(text, base, width-len("=?utf-8?q??="))
		dst = appendEncodedWord(dst, text[:n], base)
		if text = text[n:]; text != "" {
			dst = append(dst, "\r\n "...)
			column = 1
		}
	}
	return dst
}

// isShorterInBase64 reports whether base64 is shorter than the Q encoding.
func isShorterInBase64(text string) bool {
	n := 0
	for i := 0; i < len(text); i++ {
		if !isEncodedWordSafe(text[i]) {
			n++
		}
	}
	return n*6 > len(text)
}

// encodedWordFits returns the length of the longest prefix of text, at least one rune, whose encoding
// is not longer than the limit.
func encodedWordFits(text string, base bool, limit int) int {
	n, width := 0, 0
	for n < len(text) {
		_, size := utf8.DecodeRuneInString(text[n:])
		if base {
			width = base64.StdEncoding.EncodedLen(n + size)
		} else {
			width += encodedWordWidth(text[n : n+size])
		}
		if width > limit && n > 0 {
			break
		}
		n += size
	}
	return n
}

func encodedWordWidth(s string) int {
	width := 0
	for i := 0; i < len(s); i++ {
		if isEncodedWordSafe(s[i]) {
			width++
		} else {
			width += 3
		}
	}
	return width
}

func appendEncodedWord(dst []byte, text string, base bool) []byte {
	if base {
		dst = append(dst, "=?utf-8?b?"...)
		dst = base64.StdEncoding.AppendEncode(dst, []byte(text))
		return append(dst, "?="...)
	}
	dst = append(dst, "=?utf-8?q?"...)
	for i := 0; i < len(text); i++ {
		switch b := text[i]; {
		case b == ' ':
			dst = append(dst, '_')
		case isEncodedWordSafe(b):
			dst = append(dst, b)
		default:
			dst = append(dst, '=', hexDigits[b>>4], hexDigits[b&15])
		}
	}
	return append(dst, "?="...)
}

// isEncodedWordSafe reports whether a character needs no escape in the Q encoding, also in a phrase
// (RFC 2047, section 5, rule 3). A space is written as "_".
func isEncodedWordSafe(b byte) bool {
	return b >= 'a' && b <= 'z' || b >= 'A' && b <= 'Z' || b >= '0' && b <= '9' ||
		b == ' ' || b == '!' || b == '*' || b == '+' || b == '-' || b == '/'
}

// List describes a digest for the List-* headers and those related to them. Values may contain
// placeholders, except Name, Domain, Title and Edition. An empty value makes no header. Domains may
// be in Unicode.
type List struct {
	Name        string // of the digest, such as "weekly"
	Domain      string // of the site, such as "example.org"
	Title       string // of the digest
	Edition     string // id of the edition
	Subscribe   string // URL of the subscription form
	Unsubscribe string // https URL for one click, RFC 8058
	Mailto      string // unsubscribe address; empty if mail to it is not processed
	Help        string // URL, RFC 2369
	Archive     string // URL of the edition on the web
	Owner       string // address
}

// Headers returns the header fields of a digest's mail. In List-Unsubscribe the https URL comes
// before the mailto URL, because some receivers read only the first. Without a Name, the fields that
// identify a digest are omitted.
func (l List) Headers() []Header {
	all := []Header{
		{"List-Id", l.idHeader()},
		{"List-Subscribe", angleBrackets("", l.Subscribe)},
		{"List-Unsubscribe", l.unsubscribeHeader()},
		{"List-Unsubscribe-Post", l.oneClickHeader()},
		{"List-Post", l.postHeader()},
		{"List-Help", angleBrackets("", l.Help)},
		{"List-Archive", angleBrackets("", l.Archive)},
		{"List-Owner", angleBrackets("mailto:", mailboxAddress(l.Owner))},
		{"Precedence", "bulk"},
		{"Auto-Submitted", "auto-generated"}, // RFC 3834, section 5
		{"Feedback-ID", l.feedbackID()},
	}
	return slices.DeleteFunc(all, func(h Header) bool { return h.Value == "" })
}

// idHeader returns the List-Id, made of the digest's name and the site's domain. It does not depend
// on return path or relay, because subscribers' filters rely on it (RFC 2919, section 2).
func (l List) idHeader() string {
	if l.Name == "" {
		return ""
	}
	title := strings.ReplaceAll(string(appendPhrase(nil, 0, l.Title)), "\r\n", "")
	return strings.TrimSpace(title + " " + angleBrackets("", l.Name+"."+l.asciiHost()))
}

// postHeader returns the value for a list that subscribers cannot post to (RFC 2369, section 3.4).
func (l List) postHeader() string {
	if l.Name == "" {
		return ""
	}
	return "NO"
}

// feedbackID returns the Feedback-ID, by which Google's Postmaster Tools group complaints: up to
// three identifiers, none of them personal, and that of the sender, which must never change.
func (l List) feedbackID() string {
	if l.Name == "" {
		return ""
	}
	return l.Edition + ":" + l.Name + ":digest:" + senderID(l.asciiHost())
}

func (l List) asciiHost() string {
	ascii, err := idna.Lookup.ToASCII(l.Domain)
	if err != nil {
		return l.Domain
	}
	return ascii
}

// senderID makes an identifier of 5 to 15 letters and digits from a domain.
func senderID(domain string) string {
	id := strings.Map(func(r rune) rune {
		if isWord(r) {
			return unicode.ToLower(r)
		}
		return -1
	}, strings.TrimPrefix(domain, "www."))
	if len(id) >= 5 && len(id) <= 15 {
		return id
	}
	sum := sha256.Sum256([]byte(domain))
	return id[:min(len(id), 8)] + hex.EncodeToString(sum[:])[:7]
}

func (l List) unsubscribeHeader() string {
	var uris []string
	if l.Unsubscribe != "" {
		uris = append(uris, angleBrackets("", l.Unsubscribe))
	}
	if l.Mailto != "" {
		uris = append(uris, "<mailto:"+l.Mailto+"?subject=unsubscribe>")
	}
	return strings.Join(uris, ", ")
}

func (l List) oneClickHeader() string {
	if l.Unsubscribe == "" {
		return ""
	}
	return "List-Unsubscribe=One-Click"
}

func angleBrackets(scheme, value string) string {
	if value == "" {
		return ""
	}
	return "<" + scheme + string(appendToken(nil, value)) + ">"
}
