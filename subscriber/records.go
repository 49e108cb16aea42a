package subscriber

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"
	"unicode/utf8"

	"golang.org/x/text/encoding/charmap"
)

// Bounds of one record. A quote that is never closed must not swallow the rest of
// the list: after maxQuoted lines it is taken for a stray one.
const (
	maxLine   = 64 << 10
	maxQuoted = 8
)

// records splits a list into records and their fields. It is a splitter of our own since
// encoding/csv reads on to the file's end at a stray quote.
type records struct {
	in        *bufio.Reader
	delimiter byte
	latin1    bool
	line      int      // of the record that next returned last
	read      int      // lines read so far
	again     [][]byte // lines that were read ahead in vain
	fields    []string
}

func newRecords(r io.Reader, opts ListOptions) *records {
	return &records{in: bufio.NewReaderSize(r, maxLine), delimiter: opts.Delimiter, latin1: opts.Latin1}
}

// next returns the fields of the next record that is not blank. They are good until the next
// call. Errors are *LineError, or final.
func (r *records) next() ([]string, error) {
	for {
		line, err := r.nextLine()
		if err != nil {
			return nil, err
		}
		r.line = r.read - len(r.again)
		if len(bytes.TrimSpace(line)) == 0 {
			continue
		}
		if bytes.IndexByte(line, '"') >= 0 {
			if line, err = r.joinQuoted(line); err != nil {
				return nil, err
			}
		}
		text, err := r.decode(line)
		if err != nil {
			return nil, err
		}
		if r.delimiter == 0 {
			r.delimiter = guessDelimiter(text)
		}
		return r.split(text)
	}
}

// nextLine reads one line without its end. The slice is good until the next call.
func (r *records) nextLine() ([]byte, error) {
	if len(r.again) > 0 {
		line := r.again[0]
		r.again = r.again[1:]
		return line, nil
	}
	line, err := r.in.ReadSlice('\n')
	if errors.Is(err, bufio.ErrBufferFull) {
		return nil, r.skipLong()
	}
	if err != nil && !errors.Is(err, io.EOF) || len(line) == 0 {
		return nil, err
	}
	r.read++
	if r.read == 1 {
		if line, err = r.checkStart(line); err != nil {
			return nil, err
		}
	}
	return bytes.TrimRight(line, "\r\n"), nil
}

// skipLong passes over the rest of a line that is too long.
func (r *records) skipLong() error {
	r.read++
	r.line = r.read
	for {
		if _, err := r.in.ReadSlice('\n'); !errors.Is(err, bufio.ErrBufferFull) {
			return &LineError{Line: r.read, What: fmt.Sprintf("it has more than %d bytes", maxLine), Right: "one subscriber on each line"}
		}
	}
}

// checkStart drops a byte order mark, and refuses what is no text.
func (r *records) checkStart(line []byte) ([]byte, error) {
	line = bytes.TrimPrefix(line, []byte("\xEF\xBB\xBF"))
	switch {
	case bytes.HasPrefix(line, []byte("\xFF\xFE")), bytes.HasPrefix(line, []byte("\xFE\xFF")):
		return nil, errors.New("line 1: the file is UTF-16; right would be: the same list saved as CSV in UTF-8")
	case bytes.HasPrefix(line, []byte("PK\x03\x04")):
		return nil, errors.New("line 1: the file is a spreadsheet or archive; right would be: the same list saved as CSV in UTF-8")
	}
	return line, nil
}

// joinQuoted adds the lines that a quoted field goes on over. When the quote stays
// open those lines are read again as records of their own.
func (r *records) joinQuoted(first []byte) ([]byte, error) {
	joined := bytes.Clone(first)
	var ahead [][]byte
	for bytes.Count(joined, []byte{'"'})%2 == 1 {
		line, err := r.nextLine()
		if err == nil {
			ahead = append(ahead, bytes.Clone(line))
			joined = append(append(joined, '\n'), line...)
		}
		if err != nil || len(ahead) == maxQuoted || len(joined) > maxLine {
			r.again = append(ahead, r.again...)
			return nil, &LineError{Line: r.line, What: "a quote is opened and never closed", Right: `a quote at both ends of the field, and "" for a quote inside`}
		}
	}
	return joined, nil
}

// decode gives the line as UTF-8.
func (r *records) decode(line []byte) (string, error) {
	if r.latin1 {
		text, err := charmap.Windows1252.NewDecoder().Bytes(line)
		return string(text), err
	}
	if utf8.Valid(line) && bytes.IndexByte(line, 0) < 0 {
		return string(line), nil
	}
	bad := &LineError{Line: r.line, What: "it is not UTF-8", Right: "the same list saved as UTF-8"}
	if bytes.IndexByte(line, 0) < 0 {
		bad.What += "; it looks like Latin-1"
		bad.Right += ", or the import told that it is Latin-1 (--latin1)"
	}
	return "", bad
}

// guessDelimiter takes what occurs most outside quotes.
func guessDelimiter(line string) byte {
	counts := map[byte]int{}
	quoted := false
	for i := range len(line) {
		switch c := line[i]; c {
		case '"':
			quoted = !quoted
		case ',', ';', '\t':
			if !quoted {
				counts[c]++
			}
		}
	}
	best := byte(',')
	for _, c := range []byte{';', '\t'} {
		if counts[c] > counts[best] {
			best = c
		}
	}
	return best
}

// split cuts a record into fields.
func (r *records) split(s string) ([]string, error) {
	r.fields = r.fields[:0]
	for {
		if strings.HasPrefix(strings.TrimLeft(s, " "), `"`) {
			field, rest, err := r.quoted(strings.TrimLeft(s, " ")[1:])
			if err != nil {
				return nil, err
			}
			r.fields = append(r.fields, field)
			if rest == "" {
				return r.fields, nil
			}
			s = rest[1:]
			continue
		}
		end := strings.IndexByte(s, r.delimiter)
		if end < 0 {
			r.fields = append(r.fields, s)
			return r.fields, nil
		}
		r.fields = append(r.fields, s[:end])
		s = s[end+1:]
	}
}

// quoted reads a quoted field whose first quote is gone. rest begins with the
// delimiter, or is empty.
func (r *records) quoted(s string) (field, rest string, err error) {
	var out strings.Builder
	for {
		end := strings.IndexByte(s, '"')
		if end < 0 {
			return "", "", &LineError{Line: r.line, What: "a quote is opened and never closed", Right: `a quote at both ends of the field, and "" for a quote inside`}
		}
		out.WriteString(s[:end])
		s = s[end+1:]
		if strings.HasPrefix(s, `"`) {
			out.WriteByte('"')
			s = s[1:]
			continue
		}
		rest = strings.TrimLeft(s, " ")
		if rest != "" && rest[0] != r.delimiter {
			return "", "", &LineError{Line: r.line, What: "text follows on a closing quote", Right: `"" for a quote inside a field`}
		}
		return out.String(), rest, nil
	}
}
