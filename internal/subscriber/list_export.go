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

// ListWriter writes subscribers as a list that ReadList and spreadsheets read.
type ListWriter struct {
	out *csv.Writer
}

// NewListWriter starts a list with its header.
func NewListWriter(w io.Writer) (*ListWriter, error) {
	out := csv.NewWriter(bufio.NewWriterSize(w, 64<<10))
	return &ListWriter{out: out}, out.Write([]string{
		"email", "name", "state", "language", "timezone", "digests", "topics", "labels", "consent", "consented at"})
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
		joinCell(digests), joinCell(topicsOf(subscriptions)), joinCell(s.Labels), s.Consent.Text, consented}
	for i, cell := range cells {
		cells[i] = guard(cell)
	}
	return w.out.Write(cells)
}

// topicsOf lists the topics of subscriptions: once when all have the same, else each
// with its digest before it.
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

// joinCell writes several values into one cell, as splitCell reads them.
func joinCell(values []string) string {
	plain := true
	for _, value := range values {
		plain = plain && !strings.ContainsAny(value, `,;|"[`)
	}
	if plain {
		return strings.Join(values, "|")
	}
	data, err := json.Marshal(values)
	if err != nil { // strings always can be
		return strings.Join(values, "|")
	}
	return string(data)
}

// Flush writes what is buffered and gives the first error of all writes.
func (w *ListWriter) Flush() error {
	w.out.Flush()
	return w.out.Error()
}

// guard keeps spreadsheets from running a cell as a formula: a name of a subscriber may be
// "=HYPERLINK(…)". An apostrophe before it is what spreadsheets take for "this is text".
func guard(cell string) string {
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

// needsGuard is true for formula starts, and for cells that look like guarded ones.
func needsGuard(cell string) bool {
	cell = strings.TrimLeft(cell, "'")
	return cell != "" && strings.IndexByte("=+-@\t\r", cell[0]) >= 0
}
