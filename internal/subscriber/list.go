package subscriber

import (
	"errors"
	"fmt"
	"io"
	"iter"
	"slices"
)

// Row is one line of a subscriber list.
type Row struct {
	Line     int // of the file, from 1
	Address  Address
	Name     string
	Language string
	Timezone string
	Topics   []string            // "weekly:council" is a topic of the digest weekly alone
	TopicsOf map[string][]string // by digest, in place of Topics; whoever checks the topics fills it
	Digests  []string            // names; none means those that the import is for
	Labels   []string
	State    State   // the gravest that the columns say; empty when they say nothing
	Consent  Consent // only what the list says
}

// TopicsFor returns the topics of a row for one digest.
func (r *Row) TopicsFor(digest string) []string {
	if r.TopicsOf != nil {
		return r.TopicsOf[digest]
	}
	return r.Topics
}

// ListOptions say how a list is read. The zero value finds out by itself.
type ListOptions struct {
	Delimiter byte               // 0 to look at the first line for commas, semicolons and tabs
	Latin1    bool               // the file is ISO 8859-1 or Windows-1252, not UTF-8
	Columns   map[string]Meaning // of headings, in place of what they seem to mean
	Ignore    []string           // headings of columns that are left out
}

// LineError is a line of a list that was left out, and why. The rest goes on.
type LineError struct {
	Line     int
	What     string
	Expected string
	Reason   string // a word or two that are the same for all lines with this fault, for counts
}

func (e *LineError) Error() string {
	return fmt.Sprintf("line %d: %s; expected: %s", e.Line, e.What, e.Expected)
}

// ErrList is in errors that end the reading of a list, for errors.Is.
var ErrList = errors.New("subscriber list")

// List is a list whose header was read.
type List struct {
	records     *records
	columns     []Column
	hasHeader   bool     // it has a header
	firstRecord []string // a record that was read to learn the columns
	firstLine   int      // of first
	firstError  error    // in place of first
	cells       cellCache
	mapped      map[Mapped]int64
}

// Mapped is a word of another system that was read as a state.
type Mapped struct {
	Heading string `json:"heading"`
	Value   string `json:"value"`
	State   State  `json:"state"`
}

// OpenList reads the header of a list as spreadsheets and other systems write it: comma,
// semicolon, tab or bar between fields, lines that end with LF, CRLF or CR, in UTF-8 or
// UTF-16, with or without a header. Without one there may be two columns, the address and
// a name. A header names columns in English, French or German; see Columns for how each is
// read.
//
// A heading that may be about consent and is not understood is a *ColumnsError.
// All errors wrap ErrList. A file without any line is a list without rows.
func OpenList(r io.Reader, opts ListOptions) (*List, error) {
	l := &List{records: newRecords(r, opts), mapped: map[Mapped]int64{}, cells: cellCache{}}
	if err := l.open(opts); err != nil && !errors.Is(err, io.EOF) {
		return nil, fmt.Errorf("%w: %w", ErrList, err)
	}
	return l, nil
}

func (l *List) open(opts ListOptions) error {
	fields, err := l.records.next()
	if err != nil {
		l.firstError = err
		if isLineError(err) { // without the first line the columns are not known
			return errors.New(err.Error())
		}
		return err
	}
	if slices.ContainsFunc(fields, isAddress) {
		return l.openHeaderless(fields, opts)
	}
	l.hasHeader = true
	if l.columns, err = readHeadings(fields, opts); err != nil {
		return err
	}
	l.readFirstRecord()
	return l.findAddress()
}

// openHeaderless is for lists without a header: addresses, with a name beside them or not.
func (l *List) openHeaderless(fields []string, opts ListOptions) error {
	if len(opts.Columns)+len(opts.Ignore) > 0 {
		return errors.New("line 1: the list has no header, so its columns have no names; put a line with their names first")
	}
	for len(fields) > 0 && trimCell(fields[len(fields)-1]) == "" {
		fields = fields[:len(fields)-1]
	}
	if len(fields) > 2 {
		return fmt.Errorf("line 1: the list has %d columns and no header, so it is not known what they mean; put a line with their names first, such as email,name,status", len(fields))
	}
	at := slices.IndexFunc(fields, isAddress)
	l.columns = []Column{{Meaning: MeansAddress, index: at}, {Meaning: MeansName, index: 1 - at}}
	l.firstRecord, l.firstLine = slices.Clone(fields), l.records.line
	return nil
}

// readFirstRecord reads the first record behind the header.
func (l *List) readFirstRecord() {
	fields, err := l.records.next()
	l.firstRecord, l.firstLine, l.firstError = slices.Clone(fields), l.records.line, err
}

// findAddress chooses the column of the address where no heading names it: one that is
// called address or the like, or the only one that holds an address in the first record.
func (l *List) findAddress() error {
	if slices.ContainsFunc(l.columns, func(c Column) bool { return c.Meaning == MeansAddress }) {
		return nil
	}
	var withAddress, weak []int
	for i, c := range l.columns {
		if c.Meaning == MeansNothing && !c.ByHand && c.index < len(l.firstRecord) && isAddress(l.firstRecord[c.index]) {
			withAddress = append(withAddress, i)
		}
		if c.weak {
			weak = append(weak, i)
		}
	}
	switch {
	case len(withAddress) == 1:
		l.columns[withAddress[0]].Meaning = MeansAddress
	case len(weak) == 1 && len(withAddress) == 0:
		l.columns[weak[0]].Meaning = MeansAddress
	default:
		return errNoAddressColumn
	}
	return nil
}

// Columns returns the columns of the list and how each is read.
func (l *List) Columns() []Column {
	if !l.hasHeader {
		return nil
	}
	return l.columns
}

// Mapped returns the words of other systems that were read as states, and how often. It is
// complete when Rows has come to its end.
func (l *List) Mapped() map[Mapped]int64 { return l.mapped }

// Rows returns the lines of the list, once. Each line gives a Row or a *LineError; any other
// error is the last one yielded and wraps ErrList. Memory does not grow with the list;
// duplicates are for the store to find.
func (l *List) Rows() iter.Seq2[Row, error] {
	return func(yield func(Row, error) bool) {
		fields, line, err := l.firstRecord, l.firstLine, l.firstError
		for err == nil || isLineError(err) {
			var row Row
			if err == nil {
				row, err = l.row(line, fields)
			}
			if !yield(row, err) {
				return
			}
			fields, err = l.records.next()
			line = l.records.line
		}
		if !errors.Is(err, io.EOF) {
			yield(Row{}, fmt.Errorf("%w: %w", ErrList, err))
		}
	}
}

// ReadList opens a list and returns its rows; an error in the header is the only thing
// yielded then.
func ReadList(r io.Reader, opts ListOptions) iter.Seq2[Row, error] {
	return func(yield func(Row, error) bool) {
		list, err := OpenList(r, opts)
		if err != nil {
			yield(Row{}, err)
			return
		}
		list.Rows()(yield)
	}
}

func isLineError(err error) bool {
	var e *LineError
	return errors.As(err, &e)
}

// row makes a Row of a record.
func (l *List) row(line int, fields []string) (Row, error) {
	row := Row{Line: line}
	if extra := l.extraFields(fields); extra > 0 {
		return Row{}, &LineError{Line: line, Reason: "more fields than columns", What: fmt.Sprintf("it has %d fields more than the list has columns", extra), Expected: "quotes around a field with a separator in it"}
	}
	names, found := nameParts{}, lineState{}
	for i := range l.columns {
		c := &l.columns[i]
		value := ""
		if c.index < len(fields) {
			value = trimCell(fields[c.index])
		}
		var fault *LineError
		switch {
		case c.Meaning.aboutState():
			l.readState(c, value, &found)
		case value == "":
		case c.Meaning == MeansNothing:
			fault = c.checkDeparture(value)
		default:
			fault = l.setValue(&row, &names, c, value, &found)
		}
		if fault != nil {
			fault.Line = line
			return Row{}, fault
		}
	}
	return l.finish(row, names, found)
}

// extraFields is how many fields with text a record has beyond the columns.
func (l *List) extraFields(fields []string) int {
	most := len(l.columns)
	for len(fields) > most && trimCell(fields[len(fields)-1]) == "" {
		fields = fields[:len(fields)-1]
	}
	return len(fields) - most
}

// finish checks a row that was filled in.
func (l *List) finish(row Row, names nameParts, v lineState) (Row, error) {
	if row.Address.IsZero() {
		return Row{}, &LineError{Line: row.Line, Reason: "no address", What: "it has no address", Expected: "one address on each line"}
	}
	if name := names.join(); name != "" {
		row.Name = name
	}
	// Who left for certain needs no further words.
	if v.unclear != nil && !v.state.Gone() {
		v.unclear.Line = row.Line
		return Row{}, v.unclear
	}
	row.State = v.state
	return row, nil
}

// setValue keeps the value of a column that does not speak of the state.
func (l *List) setValue(row *Row, names *nameParts, c *Column, value string, v *lineState) *LineError {
	var fault *LineError
	switch c.Meaning {
	case MeansAddress:
		row.Address, row.Name, fault = readAddress(value)
	case MeansName, MeansGivenName, MeansFamilyName:
		if fault = l.checkName(c, value); fault == nil {
			names.add(c.Meaning, value)
		}
	case MeansLanguage:
		row.Language, fault = readLanguage(value)
	case MeansTimezone:
		row.Timezone, fault = readTimezone(value)
	case MeansTopics:
		row.Topics, fault = splitCell(value)
	case MeansDigests:
		row.Digests, fault = splitCell(value)
	case MeansLabels:
		if fault = c.checkDeparture(value); fault == nil {
			var more []string
			more, fault = splitCell(value)
			row.Labels = append(row.Labels, more...)
		}
	case MeansConsent:
		row.Consent.Text = l.readConsent(c, value, v)
	case MeansConsentedAt:
		fault = row.setConsented(c, value)
	}
	return fault
}
