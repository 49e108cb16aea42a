package mailer

import "time"

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

// Message is a mail before it is cast. Text, HTML, To, MessageID and the values of
// Headers may hold marks; everything else is the same for every recipient.
type Message struct {
	From      Address
	ReplyTo   Address // none when its Email is empty
	To        Address // Email is usually a mark, Name a mark or empty
	Subject   string
	Date      time.Time
	MessageID string // without angle brackets; usually a mark
	Text      string // one of Text and HTML may be empty
	HTML      string
	Headers   []Header // further ones, such as List.Headers gives
	// Placeholders are the words that stand for what differs per recipient. Each is of at
	// least eight ASCII letters and digits, and none is a part of another.
	Placeholders []string
}
