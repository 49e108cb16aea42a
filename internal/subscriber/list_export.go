package subscriber

import (
	"bufio"
	"encoding/csv"
	"encoding/json"
	"io"
	"slices"
	"strings"
	"time"
)

// ListWriter writes subscribers as a CSV list that ReadList and spreadsheets can read.
type ListWriter struct {
	out *csv.Writer
}

// NewListWriter returns a ListWriter, and writes the header.
func NewListWriter(w io.Writer) (*ListWriter, error) {
	out := csv.NewWriter(bufio.NewWriterSize(w, 64<<10))
	return &ListWriter{out: out}, out.Write([]string{
		"email", "name", "state", "language", "timezone", "digests", "topics", "labels", "consent", "consented at", "mail language"})
}

// Write adds a subscriber with their subscriptions.
func (w *ListWriter) Write(s Subscriber, subscriptions []Subscription) error {
	var digests []string
	for _, subscription := range subscriptions {
		digests = append(digests, subscription.Digest)
	}
	var consented string
	if !s.Consent.At.IsZero() {
		consented = s.Consent.At.UTC().Format(time.RFC3339)
	}
	cells := []string{s.Address.String(), s.Name, string(s.State), s.Language, s.Timezone,
		joinCell(digests), joinCell(topicsOf(subscriptions)), joinCell(s.Labels), s.Consent.Text, consented, s.MailLanguage}
	for i, cell := range cells {
		cells[i] = SafeCell(cell)
	}
	return w.out.Write(cells)
}

// topicsOf returns the topics of subscriptions: once if all have the same ones, else in the
// form digest:topic.
func topicsOf(subscriptions []Subscription) []string {
	same := true
	for _, subscription := range subscriptions {
		same = same && slices.Equal(subscription.Topics, subscriptions[0].Topics)
	}
	if same && len(subscriptions) > 0 {
		return subscriptions[0].Topics
	}
	var out []string
	for _, subscription := range subscriptions {
		for _, topic := range subscription.Topics {
			out = append(out, subscription.Digest+":"+topic)
		}
	}
	return out
}

// joinCell joins several values to one cell, in a form that splitCell reads.
func joinCell(values []string) string {
	plain := true
	for _, value := range values {
		plain = plain && !strings.ContainsAny(value, `,;|"[`) && !strings.Contains(value, ":::") && trimCell(value) == value
	}
	if plain {
		return strings.Join(values, "|")
	}
	data, err := json.Marshal(values)
	if err != nil { // cannot happen with strings
		return strings.Join(values, "|")
	}
	return string(data)
}

// Flush writes buffered data and returns the first error of all writes.
func (w *ListWriter) Flush() error {
	w.out.Flush()
	return w.out.Error()
}

// SafeCell keeps spreadsheets from running a cell as a formula, since the name of a subscriber may
// be "=HYPERLINK(…)". It puts an apostrophe before the cell, which marks it as text.
func SafeCell(cell string) string {
	if needsGuard(cell) {
		return "'" + cell
	}
	return cell
}

// unguard undoes guard, so that an export can be imported again.
func unguard(cell string) string {
	if len(cell) > 1 && cell[0] == '\'' && needsGuard(cell[1:]) {
		return cell[1:]
	}
	return cell
}

// needsGuard reports whether a cell begins like a formula, or like a cell that guard changed.
func needsGuard(cell string) bool {
	cell = strings.TrimLeft(cell, "'")
	return cell != "" && strings.IndexByte("=+-@\t\r", cell[0]) >= 0
}
