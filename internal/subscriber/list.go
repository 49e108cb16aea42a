package subscriber

import (
	"errors"
	"fmt"
	"io"
	"iter"
	"slices"

	"github.com/tidings-press/tidings/internal/words"
)

// Row is one line of a subscriber list.
type Row struct {
	Line     int // of the file, from 1
	Address  Address
	Name     string
	Language string // of the articles to send
	// MailLanguage is the language of mails to the person, if a separate column names it.
	MailLanguage string
	Timezone     string
	Topics       []string            // "weekly:council" is a topic of the digest weekly alone
	TopicsOf     map[string][]string // by digest, in place of Topics; set by the import after it has checked the topics
	Digests      []string            // names; empty means the digests that the import is for
	Labels       []string
	State        State   // the most severe state of all columns; empty if no column gives one
	Consent      Consent // as far as the list gives it
}

// TopicsFor returns the topics of a row for one digest.
func (r *Row) TopicsFor(digest string) []string {
	if r.TopicsOf != nil {
		return r.TopicsOf[digest]
	}
	return r.Topics
}

// ListOptions are the settings for reading a list. The zero value detects the delimiter and columns.
type ListOptions struct {
	Delimiter byte               // 0 to detect it from the first line
	Latin1    bool               // the file is ISO 8859-1 or Windows-1252, not UTF-8
	Columns   map[string]Meaning // by heading; takes precedence over the meaning that is detected
	Positions map[int]Meaning    // by the place of the column, from 0; takes precedence over Columns
	Ignore    []string           // headings of columns to ignore
}

// LineError is the error of a line that was left out. The other lines are still read.
type LineError struct {
	Line     int
	What     string
	Expected string
	Reason   string // the same short text for all lines with this fault, so that they can be counted
	Heading  string // of the column with the fault, if it is in a column
	Value    string // of its cell
}

func (e *LineError) Error() string {
	return fmt.Sprintf("line %d: %s; expected: %s", e.Line, e.What, e.Expected)
}

// ErrList is wrapped by every error that ends the reading of a list.
var ErrList = errors.New("subscriber list")

// List is a subscriber list whose header has been read. OpenList makes it.
type List struct {
	records     *records
	columns     []Column
	hasHeader   bool
	firstRecord []string // a record that OpenList had to read to detect the columns
	firstLine   int      // line number of firstRecord
	firstError  error    // error in place of firstRecord
	cells       cellCache
	mapped      map[Mapped]int64
}

// Mapped is a word of another system and the state that it was read as.
type Mapped struct {
	Heading string `json:"heading"`
	Value   string `json:"value"`
	State   State  `json:"state"`
}

// OpenList reads the header of a list. It accepts what spreadsheets and other systems write:
// fields separated by commas, semicolons, tabs or bars; lines that end with LF, CRLF or CR;
// UTF-8 or UTF-16. Headings may be in English, French or German; Columns returns how each
// column is read. A list without a header may have two columns, the address and a name.
//
// A heading that may be about consent but is not known gives a *ColumnsError, since a wrong
// guess could mail people who unsubscribed. All errors wrap ErrList. An empty file is a list
// without rows.
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
		if isLineError(err) { // the columns are unknown without the first line, so this error is final
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

// openHeaderless sets the columns of a list without a header: an address and perhaps a name.
func (l *List) openHeaderless(fields []string, opts ListOptions) error {
	if len(opts.Positions) > 0 {
		l.columns = headerlessColumns(trimFields(fields), opts)
		l.firstRecord, l.firstLine = slices.Clone(fields), l.records.line
		return l.checkHeaderless()
	}
	if len(opts.Columns)+len(opts.Ignore) > 0 {
		return words.Errorf("line 1: the list has no header, so its columns have no names; put a line with their names first")
	}
	fields = trimFields(fields)
	if len(fields) > 2 {
		return words.Errorf("line 1: the list has {0} columns and no header, so it is not known what they mean; put a line with their names first, such as email,name,status", len(fields))
	}
	at := slices.IndexFunc(fields, isAddress)
	l.columns = []Column{{Meaning: MeansAddress, index: at}, {Meaning: MeansName, index: 1 - at}}
	l.firstRecord, l.firstLine = slices.Clone(fields), l.records.line
	return nil
}

// checkHeaderless checks the columns of a list without a header that were chosen by their places.
func (l *List) checkHeaderless() error {
	for i, c := range l.columns {
		if c.Meaning == "" {
			return words.Errorf("line 1: the list has no header, and it is not known what column {0} means", i+1)
		}
	}
	l.columns = ignoreRepeated(l.columns)
	return l.findAddress()
}

// readFirstRecord reads the record after the header. findAddress looks for an address in it.
func (l *List) readFirstRecord() {
	fields, err := l.records.next()
	l.firstRecord, l.firstLine, l.firstError = slices.Clone(fields), l.records.line, err
}

// findAddress chooses the address column if no heading is known to mean it: the only column
// with a mail address in the first record, or else the only one with a heading such as
// "address".
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

// Columns returns the columns of the list and how each is read. It returns nil for a list
// without a header.
func (l *List) Columns() []Column {
	if !l.hasHeader {
		return nil
	}
	return l.columns
}

// Mapped returns the words of other systems that were read as states, with the number of
// lines. It is complete after Rows has been read to its end.
func (l *List) Mapped() map[Mapped]int64 { return l.mapped }

// Rows returns the lines of the list. It can be called once. Each line gives a Row or a
// *LineError; any other error ends the sequence and wraps ErrList. Duplicates are not
// detected here but in the store, so memory does not grow with the list.
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

func isLineError(err error) bool {
	var e *LineError
	return errors.As(err, &e)
}

// row converts a record to a Row.
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
			fault.Heading, fault.Value = c.Heading, value
			return Row{}, fault
		}
	}
	return l.finish(row, names, found)
}

// extraFields returns how many more fields a record has than the list has columns. Empty
// fields at its end do not count.
func (l *List) extraFields(fields []string) int {
	most := len(l.columns)
	for len(fields) > most && trimCell(fields[len(fields)-1]) == "" {
		fields = fields[:len(fields)-1]
	}
	return len(fields) - most
}

// finish checks a row after all columns were read, and sets its name and state.
func (l *List) finish(row Row, names nameParts, v lineState) (Row, error) {
	if row.Address.IsZero() {
		return Row{}, &LineError{Line: row.Line, Reason: "no address", What: "it has no address", Expected: "one address on each line"}
	}
	if name := names.join(); name != "" {
		row.Name = name
	}
	// A cell that is not understood does not matter if another one says that the person left.
	if v.unclear != nil && !v.state.Gone() {
		v.unclear.Line = row.Line
		return Row{}, v.unclear
	}
	row.State = v.state
	return row, nil
}

// setValue sets the field of a row for a column that is not about the state.
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
	case MeansMailLanguage:
		row.MailLanguage, fault = readLanguage(value)
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
