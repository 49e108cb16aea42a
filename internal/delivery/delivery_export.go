package delivery

import (
	"bufio"
	"context"
	"encoding/csv"
	"io"
	"strconv"
	"time"

	"github.com/tidings-press/tidings/internal/store"
	"github.com/tidings-press/tidings/internal/subscriber"
)

// exportPage is how many deliveries are read at a time.
const exportPage = 500

// ExportDeliveries writes the deliveries of an edition that a filter selects as CSV, one a line.
func (e *Engine) ExportDeliveries(ctx context.Context, w io.Writer, edition store.Edition, f store.DeliveryFilter) error {
	out := csv.NewWriter(bufio.NewWriterSize(w, 64<<10))
	if err := out.Write([]string{"email", "state", "tries", "code", "reply", "reason", "relay", "at", "next try"}); err != nil {
		return err
	}
	for after := int64(0); ; {
		found, err := e.Store.FindDeliveries(ctx, edition, f, after, exportPage)
		if err != nil {
			return err
		}
		for i := range found.List {
			if err := out.Write(deliveryCells(&found.List[i])); err != nil {
				return err
			}
		}
		if after = found.Next; after == 0 {
			out.Flush()
			return out.Error()
		}
	}
}

func deliveryCells(d *store.ListedDelivery) []string {
	code := ""
	if d.Code != 0 {
		code = strconv.Itoa(d.Code)
	}
	cells := []string{d.Address, string(d.State), strconv.Itoa(d.Tries), code, d.Reply, d.Reason, d.Relay, csvTime(d.At), csvTime(d.NextTry)}
	for i, cell := range cells {
		cells[i] = subscriber.SafeCell(cell)
	}
	return cells
}

func csvTime(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format(time.RFC3339)
}
