package mailer

// Mould is a message compiled for sending: encoded segments with holes between
// them. It never changes and may be shared by any number of goroutines.
type Mould struct {
	segments []segment
	size     int
}

// segment is a frozen stretch of a mail and the hole behind it; the last one has
// none.
type segment struct {
	frozen []byte
	hole   *hole
}

// Pour appends the mail that has values[i] in place of Marks[i] to dst, and
// returns it. Values are plain text: each hole knows whether it stands in a
// header, in the text or in HTML, and escapes and encodes what it is given. Missing
// values are empty. The mail has CRLF line ends, no line that begins with a dot
// and a line end at its end, so that it can be sent as it is.
func (m *Mould) Pour(dst []byte, values []string) []byte {
	for i := range m.segments {
		dst = append(dst, m.segments[i].frozen...)
		if hole := m.segments[i].hole; hole != nil {
			dst = hole.pour(dst, values)
		}
	}
	return dst
}

// Size is the length of a mail with empty values, in octets.
func (m *Mould) Size() int { return m.size }

// freeze appends frozen bytes.
func (m *Mould) freeze(data []byte) {
	if n := len(m.segments); n == 0 || m.segments[n-1].hole != nil {
		m.segments = append(m.segments, segment{})
	}
	last := &m.segments[len(m.segments)-1]
	last.frozen = append(last.frozen, data...)
	m.size += len(data)
}

// leave leaves a hole.
func (m *Mould) leave(h hole) {
	if len(m.segments) == 0 {
		m.segments = append(m.segments, segment{})
	}
	m.segments[len(m.segments)-1].hole = &h
}
