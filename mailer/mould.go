package mailer

import "bytes"

// Mould is a message compiled for sending: encoded segments with holes between
// them. It never changes and may be shared by any number of goroutines.
type Mould struct {
	segments []segment
	head     int // segments before the body
	size     int
}

// segment is a frozen stretch of a mail and the hole behind it, if there is one.
type segment struct {
	frozen    []byte
	canonical []byte // of the body: as DKIM hashes it, RFC 6376, section 3.4.4
	hole      *hole
}

// Pour appends the mail that has values[i] in place of Marks[i] to dst, and
// returns it. Values are plain text: each hole knows whether it stands in a
// header, in the text or in HTML, and escapes and encodes what it is given. Missing
// values are empty. The mail has CRLF line ends, no line that begins with a dot
// and a line end at its end, so that it can be sent as it is.
func (m *Mould) Pour(dst []byte, values []string) []byte {
	return pour(dst, m.segments, values)
}

func pour(dst []byte, segments []segment, values []string) []byte {
	for i := range segments {
		dst = append(dst, segments[i].frozen...)
		if hole := segments[i].hole; hole != nil {
			dst = hole.pour(dst, values)
		}
	}
	return dst
}

// Size is the length of a mail with empty values, in octets.
func (m *Mould) Size() int { return m.size }

// Memory is about what the mould takes, in octets.
func (m *Mould) Memory() int {
	total := 256
	for i := range m.segments {
		s := &m.segments[i]
		total += 128 + len(s.frozen)
		if len(s.canonical) > 0 && &s.canonical[0] != &s.frozen[0] {
			total += len(s.canonical)
		}
	}
	return total
}

// freeze appends frozen bytes.
func (m *Mould) freeze(data []byte) {
	if n := len(m.segments); n == m.head || m.segments[n-1].hole != nil {
		m.segments = append(m.segments, segment{})
	}
	last := &m.segments[len(m.segments)-1]
	last.frozen = append(last.frozen, data...)
	m.size += len(data)
}

// leave leaves a hole.
func (m *Mould) leave(h hole) {
	if n := len(m.segments); n == m.head || m.segments[n-1].hole != nil {
		m.segments = append(m.segments, segment{})
	}
	m.segments[len(m.segments)-1].hole = &h
}

// endHead says that what follows is the body.
func (m *Mould) endHead() { m.head = len(m.segments) }

// canonise prepares the body for hashing. Each segment can be taken for itself, as
// holes have lines of their own.
func (m *Mould) canonise() {
	for i := m.head; i < len(m.segments); i++ {
		s := &m.segments[i]
		s.canonical = collapseWhite(nil, s.frozen)
		if bytes.Equal(s.canonical, s.frozen) {
			s.canonical = s.frozen // nothing to collapse, nothing to keep twice
		}
	}
}
