package health

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/tidings-press/tidings/internal/store"
)

// oldestJob is the due time of the oldest job, and since when it has been the oldest.
type oldestJob struct {
	due, since time.Time
}

// stuckFindings reports work that is due and that no node does. A long queue is not stuck: its oldest
// job changes, and mails of an edition are claimed.
func (m *Monitor) stuckFindings(lag store.Lag, relaysPaused bool) (out []finding) {
	now := time.Now()
	if !lag.OldestJob.Equal(m.oldest.due) {
		m.oldest = oldestJob{lag.OldestJob, now}
	}
	if m.Stuck == 0 {
		return nil
	}
	if !lag.OldestJob.IsZero() && now.Sub(m.oldest.since) > m.Stuck {
		out = append(out, finding{cause: "stuck: jobs", text: "jobs such as confirmations wait, and no node does them", detail: fmt.Sprintf("the oldest was due %s ago", lag.Job.Round(time.Second)), warning: relaysPaused})
	}
	if lag.Chunk > m.Stuck && !lag.Sending {
		out = append(out, finding{cause: "stuck: edition", text: "an edition waits, and no node sends it", detail: fmt.Sprintf("its mails have been due for %s", lag.Chunk.Round(time.Second)), warning: relaysPaused})
	}
	return out
}

// maxClockOffset is how far the clock of a node may be from the database's. Ticks, leases and links
// compare times of one with times of the other.
const maxClockOffset = 5 * time.Second

// schemaAndClockFindings checks that the store still has the schema of this program, and that its clock
// agrees with the node's.
func (m *Monitor) schemaAndClockFindings(ctx context.Context) (out []finding) {
	if err := m.Store.CheckSchema(ctx); err != nil {
		text := "the version of the store cannot be read"
		if errors.Is(err, store.ErrSchemaChanged) {
			text = store.ErrSchemaChanged.Error()
		}
		out = append(out, finding{cause: "schema", text: text, detail: err.Error(), grace: time.Minute})
	}
	offset, err := m.Store.ClockOffset(ctx)
	if err == nil && offset.Abs() > maxClockOffset {
		direction := "ahead of"
		if offset < 0 {
			direction = "behind"
		}
		out = append(out, finding{
			cause: "clock", text: fmt.Sprintf("the clock is %s %s the clock of the database", offset.Abs().Round(time.Second), direction),
			detail: "set both by NTP", grace: time.Minute,
		})
	}
	return out
}
