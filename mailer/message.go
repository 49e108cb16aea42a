package mailer

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/tidings-press/tidings/internal/subscriber"
)

// Address is a mailbox with a display name, which may be empty. The domain may be
// written in Unicode.
type Address struct {
	Name  string
	Email string
}

// Header is one header field. Its value is plain text without encoding or
// folding.
type Header struct {
	Name  string
	Value string
}

// Message is a mail before it is compiled. Text, HTML, To, MessageID and the values of
// Headers may hold placeholders; everything else is the same for every recipient.
type Message struct {
	From      Address
	ReplyTo   Address // none when its Email is empty
	To        Address // Email is usually a placeholder, Name a placeholder or empty
	Subject   string
	Date      time.Time
	MessageID string // without angle brackets; usually a placeholder
	Text      string // one of Text and HTML may be empty
	HTML      string
	Headers   []Header // additional headers, such as those of List.Headers
	// Placeholders are the words in the message that Render replaces by the values of a recipient.
	// Each has at least eight ASCII letters and digits, and none contains another.
	Placeholders []string
}

// fieldMax is the maximum number of header fields; Message.write numbers them with two digits.
const fieldMax = 99

// placeholderMin is the minimum length of a placeholder, so that none occurs by chance.
const placeholderMin = 8

// check refuses an invalid message.
func (msg *Message) check(fields []field) error {
	if msg.Text == "" && msg.HTML == "" {
		return errors.New("mailer: a message needs a text or an HTML part")
	}
	if len(fields) > fieldMax {
		return fmt.Errorf("mailer: %d header fields; at most %d are allowed", len(fields), fieldMax)
	}
	if err := checkPlaceholders(msg.Placeholders); err != nil {
		return err
	}
	if err := msg.checkAddresses(); err != nil {
		return err
	}
	return checkFields(fields)
}

func checkFields(fields []field) error {
	seen := map[string]bool{"date": true, "mime-version": true, "content-type": true, "content-transfer-encoding": true}
	for _, f := range fields {
		if err := f.check(); err != nil {
			return err
		}
		key := strings.ToLower(f.name)
		if seen[key] {
			return fmt.Errorf("mailer: header %s is given twice; give it once", f.name)
		}
		seen[key] = true
	}
	return nil
}

func checkPlaceholders(words []string) error {
	for i, word := range words {
		if len(word) < placeholderMin || strings.ContainsFunc(word, func(r rune) bool { return !isWord(r) }) {
			return fmt.Errorf("mailer: placeholder %q: use a word of at least %d ASCII letters and digits", word, placeholderMin)
		}
		for j, other := range words {
			if i != j && strings.Contains(other, word) {
				return fmt.Errorf("mailer: placeholder %q is a part of placeholder %q", word, other)
			}
		}
	}
	return nil
}

func isWord(r rune) bool {
	return r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9'
}

func (msg *Message) checkAddresses() error {
	if err := checkAddress("From", msg.From.Email); err != nil {
		return err
	}
	if msg.ReplyTo.Email == "" {
		return nil
	}
	return checkAddress("Reply-To", msg.ReplyTo.Email)
}

// needsUTF8 reports whether an address of the sender remains in Unicode when its domain is in ASCII.
// The address of the recipient is part of the envelope, which is checked when it is sent.
func (msg *Message) needsUTF8() bool {
	return !isASCII(mailboxAddress(msg.From.Email)) || !isASCII(mailboxAddress(msg.ReplyTo.Email))
}

func checkAddress(header, email string) error {
	if _, err := subscriber.ParseAddress(email); err != nil {
		return fmt.Errorf("mailer: %s %w", header, err)
	}
	return nil
}
