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
	"golang.org/x/text/encoding/unicode"
	"golang.org/x/text/transform"

	"github.com/tidings-press/tidings/internal/words"
)

// Limits of one record. A quote that is not closed within maxQuoted lines is taken for a stray
// one, so that it does not swallow the rest of the list.
const (
	maxLine   = 64 << 10
	maxQuoted = 8
)

// records splits a list into records and fields. encoding/csv is not used since it reads to
// the end of the file after a stray quote.
type records struct {
	in        *bufio.Reader
	delimiter byte
	latin1    bool
	line      int      // line number of the last record that next returned
	linesRead int      // number of lines read so far
	unread    [][]byte // lines to read again, after a quote that was not closed
	failed    error    // in place of the line after them
	fields    []string
}

func newRecords(r io.Reader, opts ListOptions) *records {
	text := asUTF8(bufio.NewReader(r))
	return &records{in: bufio.NewReaderSize(&lineEnds{in: text}, maxLine), delimiter: opts.Delimiter, latin1: opts.Latin1}
}

// asUTF8 decodes UTF-16, which it detects by a byte order mark or by every other byte of the
// start being zero. It returns other input unchanged.
func asUTF8(in *bufio.Reader) io.Reader {
	start, _ := in.Peek(6) // a shorter file holds no address, in UTF-16 either
	order, ok := unicode.LittleEndian, false
	switch {
	case bytes.HasPrefix(start, []byte("\xFF\xFE")) && !bytes.HasPrefix(start, []byte("\xFF\xFE\x00\x00")):
		ok = true
	case bytes.HasPrefix(start, []byte("\xFE\xFF")):
		order, ok = unicode.BigEndian, true
	case len(start) == 6 && start[0] != 0 && start[1] == 0 && start[2] != 0 && start[3] == 0 && start[4] != 0 && start[5] == 0:
		ok = true
	case len(start) == 6 && start[0] == 0 && start[1] != 0 && start[2] == 0 && start[3] != 0 && start[4] == 0 && start[5] != 0:
		order, ok = unicode.BigEndian, true
	}
	if !ok {
		return in
	}
	return transform.NewReader(in, unicode.UTF16(order, unicode.UseBOM).NewDecoder())
}

// lineEnds is a reader that replaces CRLF, and the CR of old spreadsheets, by LF.
type lineEnds struct {
	in     io.Reader
	skipLF bool // the last byte was a CR
}

// Read implements io.Reader.
func (l *lineEnds) Read(p []byte) (int, error) {
	for {
		n, err := l.in.Read(p)
		kept := p[:0]
		for _, b := range p[:n] {
			if b == '\n' && l.skipLF {
				l.skipLF = false
				continue
			}
			if l.skipLF = b == '\r'; l.skipLF {
				b = '\n'
			}
			kept = append(kept, b)
		}
		if len(kept) > 0 || err != nil {
			return len(kept), err
		}
	}
}

// next returns the fields of the next record that is not blank. They are valid until the next
// call. After a *LineError it can be called again; every other error is final.
func (r *records) next() ([]string, error) {
	for {
		line, err := r.nextLine()
		if err != nil {
			return nil, err
		}
		r.line = r.linesRead - len(r.unread)
		if isLineError(r.failed) { // that line was read, too
			r.line--
		}
		if len(bytes.TrimSpace(line)) == 0 || r.line == 1 && r.readDelimiterLine(string(line)) {
			continue
		}
		var ahead [][]byte
		if bytes.IndexByte(line, '"') >= 0 {
			if line, ahead, err = r.joinQuoted(line); err != nil {
				return nil, err
			}
		}
		fields, err := r.parse(line)
		if err != nil && len(ahead) > 0 { // the quote was a stray one, so the lines after it are records of their own
			r.unread = append(ahead, r.unread...)
		}
		return fields, err
	}
}

// parse decodes a record and splits it into fields.
func (r *records) parse(line []byte) ([]string, error) {
	text, err := r.decode(line)
	if err != nil {
		return nil, err
	}
	if r.delimiter == 0 {
		r.delimiter = guessDelimiter(text)
	}
	return r.split(text)
}

// readDelimiterLine reports whether a line is the line "sep=;" that spreadsheets may put
// first, and sets the delimiter that it names unless the options give one.
func (r *records) readDelimiterLine(line string) bool {
	line = strings.Trim(line, " \"")
	if len(line) != 5 || !strings.EqualFold(line[:4], "sep=") {
		return false
	}
	if r.delimiter == 0 {
		r.delimiter = line[4]
	}
	return true
}

// nextLine returns the next line without its line end. It is valid until the next call.
func (r *records) nextLine() ([]byte, error) {
	if len(r.unread) > 0 {
		line := r.unread[0]
		r.unread = r.unread[1:]
		return line, nil
	}
	if err := r.failed; err != nil {
		r.failed = nil
		return nil, err
	}
	line, err := r.in.ReadSlice('\n')
	if errors.Is(err, bufio.ErrBufferFull) {
		return nil, r.skipLong()
	}
	if err != nil && !errors.Is(err, io.EOF) || len(line) == 0 {
		return nil, err
	}
	r.linesRead++
	if r.linesRead == 1 {
		if line, err = r.checkStart(line); err != nil {
			return nil, err
		}
	}
	return bytes.TrimRight(line, "\r\n"), nil
}

// skipLong skips the rest of a line that is too long, and returns its error.
func (r *records) skipLong() error {
	r.linesRead++
	r.line = r.linesRead
	for {
		if _, err := r.in.ReadSlice('\n'); !errors.Is(err, bufio.ErrBufferFull) {
			return r.lineError(fmt.Sprintf("it has more than %d bytes", maxLine), "one subscriber on each line")
		}
	}
}

// checkStart removes a byte order mark, and returns an error for a file that is not text.
func (r *records) checkStart(line []byte) ([]byte, error) {
	line = bytes.TrimPrefix(line, []byte("\xEF\xBB\xBF"))
	switch {
	case bytes.HasPrefix(line, []byte("\xFF\xFE\x00\x00")), bytes.HasPrefix(line, []byte("\x00\x00\xFE\xFF")):
		return nil, words.Errorf("line 1: the file is UTF-32; save the list as CSV in UTF-8")
	case bytes.HasPrefix(line, []byte("PK\x03\x04")):
		return nil, words.Errorf("line 1: the file is a spreadsheet or archive; save the list as CSV in UTF-8")
	}
	return line, nil
}

// joinQuoted joins a line with the following ones until its quotes are closed, and also returns
// the lines that it added. If a quote stays open, those lines are read again as records of
// their own.
func (r *records) joinQuoted(first []byte) (joined []byte, ahead [][]byte, err error) {
	joined = bytes.Clone(first)
	start := r.line
	for bytes.Count(joined, []byte{'"'})%2 == 1 {
		line, err := r.nextLine()
		if err == nil {
			ahead = append(ahead, bytes.Clone(line))
			joined = append(append(joined, '\n'), line...)
		}
		if err != nil || len(ahead) == maxQuoted || len(joined) > maxLine {
			r.line = start // a line that is too long has changed it
			r.unread, r.failed = append(ahead, r.unread...), err
			return nil, nil, r.lineError("a quote is opened and never closed", `a quote at both ends of the field, and "" for a quote inside`)
		}
	}
	return joined, ahead, nil
}

// lineError returns an error of the current line.
func (r *records) lineError(what, expected string) *LineError {
	return &LineError{Line: r.line, Reason: "line not readable", What: what, Expected: expected}
}

// decode returns the line as UTF-8, or an error if it is not.
func (r *records) decode(line []byte) (string, error) {
	if r.latin1 {
		text, err := charmap.Windows1252.NewDecoder().Bytes(line)
		return string(text), err
	}
	if utf8.Valid(line) && bytes.IndexByte(line, 0) < 0 {
		if bytes.Contains(line, []byte("\uFFFD")) {
			return "", r.lineError("its text was damaged before: it has the character U+FFFD", "the list exported once more")
		}
		return string(line), nil
	}
	bad := r.lineError("it is not UTF-8", "the same list saved as UTF-8")
	if bytes.IndexByte(line, 0) < 0 {
		bad.What += "; it looks like Latin-1"
		bad.Expected += ", or the import told that it is Latin-1 (--latin1)"
	}
	return "", bad
}

// guessDelimiter returns the delimiter that occurs most often outside quotes. A bar counts only
// if there is no other delimiter, since it also separates the topics in one field.
func guessDelimiter(line string) byte {
	counts := map[byte]int{}
	quoted := false
	for i := range len(line) {
		switch c := line[i]; c {
		case '"':
			quoted = !quoted
		case ',', ';', '\t', '|':
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
	if counts[best] == 0 && counts['|'] > 0 {
		return '|'
	}
	return best
}

// split splits a record into fields.
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

// quoted reads a quoted field; s starts after its opening quote. rest starts with the
// delimiter, or is empty.
func (r *records) quoted(s string) (field, rest string, err error) {
	var out strings.Builder
	for {
		end := strings.IndexByte(s, '"')
		if end < 0 {
			return "", "", r.lineError("a quote is opened and never closed", `a quote at both ends of the field, and "" for a quote inside`)
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
			return "", "", r.lineError("text follows on a closing quote", `"" for a quote inside a field`)
		}
		return out.String(), rest, nil
	}
}
