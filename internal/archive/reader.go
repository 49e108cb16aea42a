package archive

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"hash"
	"io"
	"strconv"

	"github.com/klauspost/compress/gzip"
)

// Reader reads an archive. Call Next for each table, and Row for each row of the table
// until it returns nil.
type Reader struct {
	Header Header

	Encrypted bool

	source *unsealer
	lines  *bufio.Reader
	sum    hash.Hash
	line   []byte
	number int64 // of the last line that was read
	table  *Table
	inside bool // of the table
	tally  Tally
	last   int64
	tables int
	total  int64
}

// NewReader reads the header of an archive. keys are needed if it is encrypted. The error is of
// the kind ErrFormat if r is not an archive, or has a newer format than this program reads, and
// of the kind ErrKey if no key opens it.
func NewReader(r io.Reader, keys ...Identity) (*Reader, error) {
	content, encrypted, err := decrypt(r, keys)
	if err != nil {
		return nil, err
	}
	out := &Reader{Encrypted: encrypted, source: newUnsealer(content), sum: sha256.New()}
	zip, err := gzip.NewReader(out.source)
	if err != nil {
		return nil, formatError("the file is not an archive that tidings backup wrote, or its beginning is damaged")
	}
	out.lines = bufio.NewReaderSize(zip, 1<<16)
	if err := out.read(); err != nil {
		return nil, err
	}
	if err := json.Unmarshal(out.line, &out.Header); err != nil || out.Header.Tidings != "backup" {
		return nil, formatError("the file is not an archive that tidings backup wrote")
	}
	if out.Header.Format > format {
		return nil, formatError("its format is version %d, this program reads versions up to %d; use a newer tidings", out.Header.Format, format)
	}
	return out, nil
}

// Next returns the next table. After the last one, it checks the counts and the checksum
// of the archive and returns io.EOF if they match.
func (r *Reader) Next() (Table, error) {
	sum := r.sum.Sum(nil)
	if err := r.read(); err != nil {
		return Table{}, err
	}
	var t Table
	if bytes.HasPrefix(r.line, []byte(`{"table":`)) {
		if err := json.Unmarshal(r.line, &t); err != nil || t.Name == "" || len(t.Columns) == 0 {
			return t, formatError("line %d does not begin a table", r.number)
		}
		r.table, r.inside, r.tally, r.last = &t, true, Tally{}, 0
		r.tables++
		return t, nil
	}
	var f footer
	if err := json.Unmarshal(r.line, &f); err != nil || f.SHA256 == "" {
		return t, formatError("line %d is neither a table nor the end", r.number)
	}
	if f.SHA256 != hex.EncodeToString(sum) || f.Tables != r.tables || f.Rows != r.total {
		return t, formatError("the checksum does not fit: it was changed or damaged")
	}
	if err := r.read(); !errors.Is(err, io.EOF) {
		return t, formatError("something follows its end, or its end is damaged")
	}
	if r.Header.Sealed && !r.source.sealed {
		return t, formatError("its seal is missing or does not fit: it was changed, damaged or cut off")
	}
	return t, io.EOF
}

// Row returns the next row of the table, or nil after the last one. It reuses the memory of
// into, which may be nil.
func (r *Reader) Row(into []any) ([]any, error) {
	if err := r.read(); err != nil {
		return nil, err
	}
	if len(r.line) > 0 && r.line[0] == '[' {
		values, err := parseRow(r.line, into[:0])
		if err != nil || len(values) != len(r.table.Columns) {
			return nil, formatError("line %d is not a row of the table %s", r.number, r.table.Name)
		}
		r.tally.addLine(r.line)
		r.total++
		return values, nil
	}
	var e end
	if err := json.Unmarshal(r.line, &e); err != nil || e.Table != r.table.Name || e.Rows != r.tally.Rows {
		return nil, formatError("the table %s does not end as it should, at line %d", r.table.Name, r.number)
	}
	if e.Sum != "" && e.Sum != r.tally.Sum() {
		return nil, formatError("the checksum of the table %s does not fit: its rows were changed or damaged", r.table.Name)
	}
	r.last, r.inside = e.Last, false
	return nil, nil
}

// Last returns the highest number that the key of the table ever had. Call it after Row has
// returned nil.
func (r *Reader) Last() int64 { return r.last }

// Total returns the number of rows that were read so far.
func (r *Reader) Total() int64 { return r.total }

// Tally returns the number and the checksum of the rows of the table that were read.
func (r *Reader) Tally() Tally { return r.tally }

// read reads the next line into r.line, without its line end.
func (r *Reader) read() error {
	r.line = r.line[:0]
	for {
		part, err := r.lines.ReadSlice('\n')
		r.line = append(r.line, part...)
		switch {
		case err == nil:
			r.sum.Write(r.line)
			r.line = r.line[:len(r.line)-1]
			r.number++
			return nil
		case len(r.line) > maxLine:
			return formatError("line %d is too long", r.number+1)
		case errors.Is(err, bufio.ErrBufferFull):
		case errors.Is(err, io.EOF) && len(r.line) == 0 && r.number > 0:
			return fmt.Errorf("%w: %w", formatError("it ends %s", r.place()), io.EOF)
		case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
			return formatError("it is cut off %s", r.place())
		default:
			return formatError("it is damaged %s (%v)", r.place(), err)
		}
	}
}

// place describes the place of the reader.
func (r *Reader) place() string {
	if r.inside {
		return fmt.Sprintf("in the table %s, after line %d", r.table.Name, r.number)
	}
	return fmt.Sprintf("after line %d", r.number)
}

// Summary describes the content of an archive.
type Summary struct {
	Header    Header
	Encrypted bool
	Tables    map[string]int64 // rows by table
	Rows      int64
}

// Verify reads a whole archive, checks its format, counts and checksums, and returns a
// summary of its content. keys are needed if it is encrypted.
func Verify(from io.Reader, keys ...Identity) (Summary, error) {
	r, err := NewReader(from, keys...)
	if err != nil {
		return Summary{}, err
	}
	out := Summary{Header: r.Header, Encrypted: r.Encrypted, Tables: map[string]int64{}}
	var values []any
	for {
		t, err := r.Next()
		if errors.Is(err, io.EOF) && !errors.Is(err, ErrFormat) {
			out.Rows = r.total
			return out, nil
		}
		if err != nil {
			return out, err
		}
		for {
			row, err := r.Row(values)
			if err != nil {
				return out, err
			}
			if row == nil {
				break
			}
			values = row
		}
		out.Tables[t.Name] = r.tally.Rows
	}
}

// parseRow parses a JSON array of the values that appendValue writes.
func parseRow(line []byte, values []any) ([]any, error) {
	rest := line[1:]
	for len(rest) > 0 && rest[0] != ']' {
		value, after, err := parseValue(rest)
		if err != nil {
			return nil, err
		}
		values = append(values, value)
		if rest = after; len(rest) > 1 && rest[0] == ',' {
			rest = rest[1:]
		}
	}
	if len(rest) != 1 {
		return nil, errRow
	}
	return values, nil
}

var errRow = errors.New("not a row")

// parseValue parses the value at the beginning of rest and returns what follows it.
func parseValue(rest []byte) (value any, after []byte, err error) {
	switch c := rest[0]; {
	case c == '"':
		return parseText(rest)
	case c == '{':
		return parseObject(rest)
	case c == '-' || c >= '0' && c <= '9':
		n := 1
		for n < len(rest) && rest[n] >= '0' && rest[n] <= '9' {
			n++
		}
		number, err := strconv.ParseInt(string(rest[:n]), 10, 64)
		return number, rest[n:], err
	}
	for word, value := range map[string]any{"null": nil, "true": true, "false": false} {
		if after, found := bytes.CutPrefix(rest, []byte(word)); found {
			return value, after, nil
		}
	}
	return nil, nil, errRow
}

// parseText parses a JSON string.
func parseText(rest []byte) (any, []byte, error) {
	escaped := false
	for i := 1; i < len(rest); i++ {
		switch rest[i] {
		case '\\':
			escaped = true
			i++
		case '"':
			if !escaped {
				return string(rest[1:i]), rest[i+1:], nil
			}
			var text string
			err := json.Unmarshal(rest[:i+1], &text)
			return text, rest[i+1:], err
		}
	}
	return nil, nil, errRow
}

// parseObject parses {"b":"…"}, {"t":"…"} or {"f":"…"}.
func parseObject(rest []byte) (any, []byte, error) {
	stop := bytes.IndexByte(rest, '}')
	if stop < 7 || rest[1] != '"' || string(rest[3:6]) != `":"` || rest[stop-1] != '"' {
		return nil, nil, errRow
	}
	inner, after := rest[6:stop-1], rest[stop+1:]
	if rest[2] == 'f' {
		number, err := strconv.ParseFloat(string(inner), 64)
		return number, after, err
	}
	data := make([]byte, base64.StdEncoding.DecodedLen(len(inner)))
	n, err := base64.StdEncoding.Decode(data, inner)
	if rest[2] == 't' {
		return string(data[:n]), after, err
	}
	return data[:n], after, err
}
