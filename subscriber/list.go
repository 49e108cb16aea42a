package subscriber

import (
	"errors"
	"fmt"
	"io"
	"iter"
	"strings"
	"time"
)

// Row is one line of a subscriber list.
type Row struct {
	Line     int // of the file, from 1
	Address  Address
	Name     string
	Language string
	Timezone string
	Topics   []string
	Digests  []string // names; none means those that the import is for
	State    State    // empty when the list has no such column
	Consent  Consent  // only what the list says
}

// ListOptions say how a list is read. The zero value finds out by itself.
type ListOptions struct {
	Delimiter byte // 0 to look at the first line for commas, semicolons and tabs
	Latin1    bool // the file is ISO 8859-1 or Windows-1252, not UTF-8
}

// LineError is a line of a list that was left out, and why. The rest goes on.
type LineError struct {
	Line  int
	What  string
	Right string
}

func (e *LineError) Error() string {
	return fmt.Sprintf("line %d: %s; right would be: %s", e.Line, e.What, e.Right)
}

// ErrList is in errors that end the reading of a list, for errors.Is.
var ErrList = errors.New("subscriber list")

// ReadList reads a list as spreadsheets write it: comma, semicolon or tab between
// fields, quotes around them where needed, with or without a header. Without
// one the address stands in the column that has an @, and the name may follow it.
// A header names its columns in English, French or German: email, name, first name,
// last name, language, timezone, topics, digests, state, consent, consented at.
//
// Each line gives a Row or a *LineError. Any other error is the last one yielded. Memory
// does not grow with the list; duplicates are for the store to find.
func ReadList(r io.Reader, opts ListOptions) iter.Seq2[Row, error] {
	return func(yield func(Row, error) bool) {
		records := newRecords(r, opts)
		columns, first, err := readHeader(records)
		for fields := first; err == nil || isLineError(err); fields, err = records.next() {
			if err == nil && fields == nil {
				continue // the header was read
			}
			var row Row
			if err == nil {
				row, err = columns.row(records.line, fields)
			}
			if !yield(row, err) {
				return
			}
		}
		if !errors.Is(err, io.EOF) {
			yield(Row{}, fmt.Errorf("%w: %w", ErrList, err))
		}
	}
}

func isLineError(err error) bool {
	var e *LineError
	return errors.As(err, &e)
}

// readHeader reads up to the first record and finds out what the columns are. A
// first record that is no header is given back.
func readHeader(records *records) (columns, []string, error) {
	fields, err := records.next()
	if err != nil {
		if isLineError(err) { // without the first line nobody knows what the columns are
			err = errors.New(err.Error())
		}
		return nil, nil, err
	}
	for i, field := range fields {
		if strings.Contains(field, "@") {
			return columns{{address, i}, {name, i + 1}}, fields, nil
		}
	}
	columns := namedColumns(fields)
	if !columns.has(address) {
		return nil, nil, fmt.Errorf("line %d: neither an address nor a header with a column for it; right would be: a column named email", records.line)
	}
	return columns, nil, nil
}

// row makes a Row of a record.
func (c columns) row(line int, fields []string) (Row, error) {
	row := Row{Line: line}
	for _, column := range c {
		if column.index >= len(fields) {
			continue
		}
		value := unguard(strings.TrimSpace(fields[column.index]))
		if value == "" {
			continue
		}
		if what, right := row.set(column.meaning, value); what != "" {
			return Row{}, &LineError{Line: line, What: what, Right: right}
		}
	}
	if row.Address.IsZero() {
		return Row{}, &LineError{Line: line, What: "it has no address", Right: "one address on each line"}
	}
	return row, nil
}

func (r *Row) set(m meaning, value string) (what, right string) {
	switch m {
	case address:
		return r.setAddress(value)
	case name:
		r.Name = tidyName(r.Name + " " + value)
	case language:
		r.Language = value
	case timezone:
		r.Timezone = value
	case topics:
		r.Topics = splitCell(value)
	case digests:
		r.Digests = splitCell(value)
	case consent:
		r.Consent.Text = value
	case consentedAt:
		return r.setConsented(value)
	case state:
		r.State = State(strings.ToLower(value))
		if !r.State.Known() {
			return fmt.Sprintf("state %s is unknown", quoteShort(value)), "active, or one of the other states of an export"
		}
	}
	return "", ""
}

func (r *Row) setAddress(value string) (what, right string) {
	display, parsed, err := ParseMailbox(value)
	var wrong *AddressError
	if errors.As(err, &wrong) {
		return "address " + quoteShort(wrong.Input) + ": " + wrong.What, wrong.Right
	}
	r.Address = parsed
	if r.Name == "" {
		r.Name = tidyName(display)
	}
	return "", ""
}

func (r *Row) setConsented(value string) (what, right string) {
	for _, layout := range []string{time.RFC3339, time.DateTime, time.DateOnly} {
		if at, err := time.Parse(layout, value); err == nil {
			r.Consent.At = at.UTC()
			return "", ""
		}
	}
	return fmt.Sprintf("date %s is not understood", quoteShort(value)), "a date such as 2026-05-31 or 2026-05-31T08:00:00Z"
}

// splitCell parts several values in one cell.
func splitCell(s string) []string {
	var out []string
	for part := range strings.FieldsFuncSeq(s, func(r rune) bool { return r == '|' || r == ',' || r == ';' }) {
		if part = strings.TrimSpace(part); part != "" {
			out = append(out, part)
		}
	}
	return out
}
