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
	zip    *gzip.Writer
	sum    hash.Hash
	line   []byte
	table  string
	rows   int64 // of the table
	tables int
	total  int64
}

// NewWriter begins an archive with its header.
func NewWriter(w io.Writer, h Header) (*Writer, error) {
	zip, err := gzip.NewWriterLevel(w, gzip.BestSpeed)
	if err != nil {
		return nil, err
	}
	out := &Writer{zip: zip, sum: sha256.New()}
	h.Tidings, h.Format = "backup", format
	return out, out.object(h)
}

// Begin begins a table.
func (w *Writer) Begin(t Table) error {
	w.table, w.rows = t.Name, 0
	w.tables++
	return w.object(t)
}

// Row writes a row of the table. Each value is an int64, string, []byte, float64, bool or
// nil.
func (w *Writer) Row(values []any) error {
	w.line = append(w.line[:0], '[')
	for i, value := range values {
		if i > 0 {
			w.line = append(w.line, ',')
		}
		var err error
		if w.line, err = appendValue(w.line, value); err != nil {
			return fmt.Errorf("table %s, row %d: %w", w.table, w.rows+1, err)
		}
	}
	w.line = append(w.line, ']')
	w.rows++
	w.total++
	return w.write()
}

// End ends the table. last is the highest number that its key ever had; 0 for a table
// without a numeric key.
func (w *Writer) End(last int64) error {
	return w.object(end{Table: w.table, Rows: w.rows, Last: last})
}

// Close writes the checksum and ends the archive.
func (w *Writer) Close() error {
	sum := hex.EncodeToString(w.sum.Sum(nil))
	return errors.Join(w.object(footer{Tables: w.tables, Rows: w.total, SHA256: sum}), w.zip.Close())
}

// Rows returns how many rows were written so far.
func (w *Writer) Rows() int64 { return w.total }

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
