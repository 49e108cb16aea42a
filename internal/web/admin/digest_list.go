package admin

import (
	"context"
	"net/http"

	"github.com/tidings-press/tidings/internal/store"
	"github.com/tidings-press/tidings/internal/words"
)

// listedDigest is a digest in the list.
type listedDigest struct {
	digestRow
	Times words.Text    // its schedule; none without one
	Draft store.Edition // awaits an editor; without an ID if there is none
}

// digests shows the list of digests.
func (h *Handler) digests(w http.ResponseWriter, r *http.Request, session store.Session) error {
	body, err := h.listedDigests(r.Context())
	if err != nil {
		return err
	}
	return h.show(w, http.StatusOK, "digest_list", page{Title: "Digests", Nav: "digests", Editor: &session.Editor, Flash: flash(r), Body: body})
}

func (h *Handler) listedDigests(ctx context.Context) ([]listedDigest, error) {
	totals, err := h.store.SubscriberTotals(ctx)
	if err != nil {
		return nil, err
	}
	var out []listedDigest
	for _, d := range h.config.Digests {
		row := listedDigest{Times: describedSchedule(d), digestRow: digestRow{Digest: d, Subscribers: totals.Digests[d.Name]}}
		if ticks := h.engine.NextTicks(d.Name, 1); len(ticks) > 0 {
			row.At = ticks[0].At
		}
		if row.Draft, _, err = h.store.WaitingDraft(ctx, d.Name); err != nil {
			return nil, err
		}
		out = append(out, row)
	}
	return out, nil
}
