package mailer

import "errors"

// Mould is a message compiled for sending: encoded segments with holes between
// them. It never changes and may be shared by any number of goroutines.
type Mould struct{}

// Cast compiles a message. It refuses marks that could not be told from the text
// around them, headers with line breaks and addresses that no server would take.
func Cast(msg Message) (*Mould, error) { return nil, errors.New("mailer: not cast") }

// Pour appends the mail that has values[i] in place of Marks[i] to dst, and
// returns it. Values are plain text: each hole knows whether it stands in a
// header, in the text or in HTML, and escapes and encodes what it is given. Missing
// values are empty. The mail has CRLF line ends, no line that begins with a dot
// and a line end at its end, so that it can be sent as it is.
func (m *Mould) Pour(dst []byte, values []string) []byte { return dst }

// Size is the length of a mail with empty values, in octets.
func (m *Mould) Size() int { return 0 }
