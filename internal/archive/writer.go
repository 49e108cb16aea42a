package archive

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"hash"
	"io"
	"strconv"
	"unicode/utf8"

	"github.com/klauspost/compress/gzip"
)

// Writer writes an archive. Call Begin, Row for each row, and End for each table, and Close
// at the end.
type Writer struct {
	out    io.Writer
	packed hash.Hash // of the compressed bytes
	zip    *gzip.Writer
	sum    hash.Hash
	line   []byte
	table  string
	tally  Tally // of the table
	tables int
	total  int64
}

// NewWriter begins an archive with its header.
func NewWriter(w io.Writer, h Header) (*Writer, error) {
	out := &Writer{out: w, packed: sha256.New(), sum: sha256.New()}
	var err error
	if out.zip, err = gzip.NewWriterLevel(io.MultiWriter(w, out.packed), gzip.BestSpeed); err != nil {
		return nil, err
	}
	h.Tidings, h.Format, h.Sealed = "backup", format, true
	return out, out.object(h)
}

// Begin begins a table.
func (w *Writer) Begin(t Table) error {
	w.table, w.tally = t.Name, Tally{}
	w.tables++
	return w.object(t)
}

// Row writes a row of the table. Each value is an int64, string, []byte, float64, bool or
// nil.
func (w *Writer) Row(values []any) error {
	var err error
	if w.line, err = appendRow(w.line[:0], values); err != nil {
		return fmt.Errorf("table %s, row %d: %w", w.table, w.tally.Rows+1, err)
	}
	w.tally.addLine(w.line)
	w.total++
	return w.write()
}

// End ends the table. last is the highest number that its key ever had; 0 for a table
// without a numeric key.
func (w *Writer) End(last int64) error {
	return w.object(end{Table: w.table, Rows: w.tally.Rows, Last: last, Sum: w.tally.Sum()})
}

// Close writes the checksums and ends the archive.
func (w *Writer) Close() error {
	sum := hex.EncodeToString(w.sum.Sum(nil))
	if err := errors.Join(w.object(footer{Tables: w.tables, Rows: w.total, SHA256: sum}), w.zip.Close()); err != nil {
		return err
	}
	_, err := w.out.Write(seal(w.packed))
	return err
}

func (w *Writer) object(value any) error {
	data, err := json.Marshal(value)
	if err != nil {
		return err
	}
	w.line = append(w.line[:0], data...)
	return w.write()
}

// write writes w.line with a line end, and adds it to the checksum.
func (w *Writer) write() error {
	if len(w.line) >= maxLine {
		return fmt.Errorf("table %s: a row of %d bytes is more than an archive takes", w.table, len(w.line))
	}
	w.line = append(w.line, '\n')
	w.sum.Write(w.line)
	_, err := w.zip.Write(w.line)
	return err
}

// appendRow appends a row as a JSON array.
func appendRow(line []byte, values []any) ([]byte, error) {
	line = append(line, '[')
	for i, value := range values {
		if i > 0 {
			line = append(line, ',')
		}
		var err error
		if line, err = appendValue(line, value); err != nil {
			return line, err
		}
	}
	return append(line, ']'), nil
}

// appendValue appends a value as JSON. Bytes, floats and texts that are not UTF-8 become
// objects with one key, so that a Reader returns each value unchanged.
func appendValue(line []byte, value any) ([]byte, error) {
	switch v := value.(type) {
	case nil:
		return append(line, "null"...), nil
	case int64:
		return strconv.AppendInt(line, v, 10), nil
	case bool:
		return strconv.AppendBool(line, v), nil
	case float64:
		line = append(line, `{"f":"`...)
		line = strconv.AppendFloat(line, v, 'x', -1, 64)
		return append(line, `"}`...), nil
	case []byte:
		return appendBytes(line, 'b', v), nil
	case string:
		if !utf8.ValidString(v) {
			return appendBytes(line, 't', []byte(v)), nil
		}
		return appendText(line, v), nil
	}
	return line, fmt.Errorf("a value of the type %T has no place in an archive", value)
}

func appendBytes(line []byte, key byte, data []byte) []byte {
	line = append(line, '{', '"', key, '"', ':', '"')
	line = base64.StdEncoding.AppendEncode(line, data)
	return append(line, '"', '}')
}

const hexDigits = "0123456789abcdef"

// appendText appends a JSON string. It escapes only what JSON requires.
func appendText(line []byte, text string) []byte {
	line = append(line, '"')
	from := 0
	for i := range len(text) {
		c := text[i]
		if c >= ' ' && c != '"' && c != '\\' {
			continue
		}
		line = append(line, text[from:i]...)
		from = i + 1
		switch c {
		case '"', '\\':
			line = append(line, '\\', c)
		case '\n':
			line = append(line, '\\', 'n')
		default:
			line = append(line, '\\', 'u', '0', '0', hexDigits[c>>4], hexDigits[c&15])
		}
	}
	return append(append(line, text[from:]...), '"')
}
