package mailer

import "bytes"

// Compiled is a message compiled for sending: encoded segments with holes between
// them. It never changes and may be shared by any number of goroutines.
type Compiled struct {
	segments       []segment
	headerSegments int // segments before the body
	size           int
}

// segment is a frozen stretch of a mail and the hole behind it, if there is one.
type segment struct {
	static      []byte
	relaxed     []byte // of the body: as DKIM hashes it, RFC 6376, section 3.4.4
	placeholder *placeholder
}

// Render appends the mail that has values[i] in place of Marks[i] to dst, and
// returns it. Values are plain text: each hole knows whether it stands in a
// header, in the text or in HTML, and escapes and encodes what it is given. Missing
// values are empty. The mail has CRLF line ends, no line that begins with a dot
// and a line end at its end, so that it can be sent as it is.
func (m *Compiled) Render(dst []byte, values []string) []byte {
	return renderSegments(dst, m.segments, values)
}

func renderSegments(dst []byte, segments []segment, values []string) []byte {
	for i := range segments {
		dst = append(dst, segments[i].static...)
		if hole := segments[i].placeholder; hole != nil {
			dst = hole.render(dst, values)
		}
	}
	return dst
}

// Size is the length of a mail with empty values, in octets.
func (m *Compiled) Size() int { return m.size }

// Memory is about what the mould takes, in octets.
func (m *Compiled) Memory() int {
	total := 256
	for i := range m.segments {
		s := &m.segments[i]
		total += 128 + len(s.static)
		if len(s.relaxed) > 0 && &s.relaxed[0] != &s.static[0] {
			total += len(s.relaxed)
		}
	}
	return total
}

// appendStatic appends frozen bytes.
func (m *Compiled) appendStatic(data []byte) {
	if n := len(m.segments); n == m.headerSegments || m.segments[n-1].placeholder != nil {
		m.segments = append(m.segments, segment{})
	}
	last := &m.segments[len(m.segments)-1]
	last.static = append(last.static, data...)
	m.size += len(data)
}

// addPlaceholder leaves a hole.
func (m *Compiled) addPlaceholder(h placeholder) {
	if n := len(m.segments); n == m.headerSegments || m.segments[n-1].placeholder != nil {
		m.segments = append(m.segments, segment{})
	}
	m.segments[len(m.segments)-1].placeholder = &h
}

// endHeader says that what follows is the body.
func (m *Compiled) endHeader() { m.headerSegments = len(m.segments) }

// canonicalizeBody prepares the body for hashing. Each segment can be taken for itself, as
// holes have lines of their own.
func (m *Compiled) canonicalizeBody() {
	for i := m.headerSegments; i < len(m.segments); i++ {
		s := &m.segments[i]
		s.relaxed = collapseWhitespace(nil, s.static)
		if bytes.Equal(s.relaxed, s.static) {
			s.relaxed = s.static // nothing to collapse, nothing to keep twice
		}
	}
}
