package subscriber

import (
	"errors"
	"fmt"
	"io"
	"slices"
	"unicode/utf8"

	"github.com/tidings-press/tidings/internal/words"
)

// ListPreview is the beginning of a list, for a person who decides how its columns are read.
type ListPreview struct {
	HasHeader bool
	Columns   []Column // in the order of the file; the meaning of one that must be decided is empty
	Examples  []string // the first value of each column
}

// Bounds of a preview.
const (
	maxPreviewColumns = 200
	previewRecords    = 100
	maxExample        = 80 // letters
)

// PreviewList reads the header and the first records of a list. Unlike OpenList it accepts columns that
// are not understood and lists without a known column of addresses. Other errors wrap ErrList.
func PreviewList(r io.Reader, opts ListOptions) (ListPreview, error) {
	l := &List{records: newRecords(r, opts), mapped: map[Mapped]int64{}, cells: cellCache{}}
	p, err := l.preview(opts)
	if err != nil {
		err = fmt.Errorf("%w: %w", ErrList, err)
	}
	return p, err
}

func (l *List) preview(opts ListOptions) (p ListPreview, err error) {
	fields, err := l.records.next()
	if err == nil && len(fields) > maxPreviewColumns {
		err = words.Errorf("the list has {0} columns; {1} are the most that can be read", len(fields), maxPreviewColumns)
	}
	switch {
	case errors.Is(err, io.EOF):
		return p, words.Errorf("the file is empty")
	case err != nil:
		return p, err
	}
	if p.HasHeader = !slices.ContainsFunc(fields, isAddress); p.HasHeader {
		byHand, err := opts.chosenMeanings(fields)
		if err != nil {
			return p, err
		}
		l.columns, _ = recogniseColumns(fields, byHand)
		l.readFirstRecord()
		_ = l.findAddress() // if there is none, the person chooses it
	} else {
		l.columns = headerlessColumns(trimFields(fields), opts)
		l.firstRecord = slices.Clone(fields)
	}
	slices.SortFunc(l.columns, func(a, b Column) int { return a.index - b.index })
	p.Columns, p.Examples = l.columns, l.examples()
	return p, nil
}

// examples returns the first value of each column.
func (l *List) examples() []string {
	out := make([]string, len(l.columns))
	fields, err := l.firstRecord, l.firstError
	for range previewRecords {
		for i, c := range l.columns {
			if err == nil && out[i] == "" && c.index < len(fields) {
				out[i] = shortExample(trimCell(fields[c.index]))
			}
		}
		if fields, err = l.records.next(); err != nil && !isLineError(err) {
			break
		}
	}
	return out
}

func shortExample(value string) string {
	if runes := []rune(value); len(runes) > maxExample {
		return string(runes[:maxExample]) + "…"
	}
	return value
}

// headerlessColumns returns the columns of a list without a header: an address and perhaps a name are
// known, and others are as in opts.Positions.
func headerlessColumns(fields []string, opts ListOptions) []Column {
	columns := make([]Column, len(fields))
	at := slices.IndexFunc(fields, isAddress)
	for i := range columns {
		columns[i].index = i
		m, chosen := opts.Positions[i]
		switch {
		case chosen:
			columns[i].Meaning, columns[i].ByHand = m, true
		case i == at:
			columns[i].Meaning = MeansAddress
		case len(fields) == 2:
			columns[i].Meaning = MeansName
		}
	}
	return columns
}

// trimFields returns fields without the empty ones at their end.
func trimFields(fields []string) []string {
	for len(fields) > 0 && trimCell(fields[len(fields)-1]) == "" {
		fields = fields[:len(fields)-1]
	}
	return fields
}

// EncodingGuess guesses whether the file that is written to it is UTF-8 or Windows-1252.
type EncodingGuess struct {
	rest                  []byte // the beginning of a character
	several, broken, zero bool   // characters of several bytes, bytes that are none, NUL
}

// Write implements io.Writer.
func (g *EncodingGuess) Write(p []byte) (int, error) {
	data := append(g.rest, p...)
	for len(data) > 0 && (len(data) >= utf8.UTFMax || utf8.FullRune(data)) {
		r, size := utf8.DecodeRune(data)
		g.zero = g.zero || r == 0
		g.broken = g.broken || r == utf8.RuneError && size == 1
		g.several = g.several || size > 1
		data = data[size:]
	}
	g.rest = slices.Clone(data)
	return len(p), nil
}

// Latin1 reports whether the file is Windows-1252: it has bytes that are not UTF-8, and no character of
// UTF-8 beyond ASCII.
func (g *EncodingGuess) Latin1() bool {
	return (g.broken || len(g.rest) > 0) && !g.several && !g.zero
}
