package subscriber

import (
	"bufio"
	"encoding/csv"
	"io"
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
		"email", "name", "state", "language", "timezone", "digests", "topics", "consent", "consented at"})
}

// Write adds a subscriber with their subscriptions. The topics are those of all of them.
func (w *ListWriter) Write(s Subscriber, subscriptions []Subscription) error {
	var digests, topics []string
	seen := map[string]bool{}
	for _, subscription := range subscriptions {
		digests = append(digests, subscription.Digest)
		for _, topic := range subscription.Topics {
			if !seen[topic] {
				seen[topic] = true
				topics = append(topics, topic)
			}
		}
	}
	var consented string
	if !s.Consent.At.IsZero() {
		consented = s.Consent.At.UTC().Format(time.RFC3339)
	}
	cells := []string{s.Address.String(), s.Name, string(s.State), s.Language, s.Timezone,
		strings.Join(digests, "|"), strings.Join(topics, "|"), s.Consent.Text, consented}
	for i, cell := range cells {
		cells[i] = guard(cell)
	}
	return w.out.Write(cells)
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
