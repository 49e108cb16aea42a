package admin

import (
	"context"
	"net/http"
	"time"

	"github.com/tidings-press/tidings/internal/article"
	"github.com/tidings-press/tidings/internal/config"
	"github.com/tidings-press/tidings/internal/delivery"
	"github.com/tidings-press/tidings/internal/digest"
	"github.com/tidings-press/tidings/internal/store"
	"github.com/tidings-press/tidings/internal/subscriber"
)

// recentEditions is the number of editions on the dashboard.
const recentEditions = 20

// dashboardPage is the data of the dashboard: editions in progress, the next edition of each
// digest, recent editions, and totals.
type dashboardPage struct {
	Quarantine  *store.Quarantine // nil unless the store is quarantined
	UnderWay    []editionRow      // being sent, paused, or awaiting an editor
	Sending     bool              // at least one of them is being sent
	Next        []digestRow
	Recent      []editionRow
	Articles    int64
	Subscribers map[subscriber.State]int64
}

// Active returns the number of active subscribers.
func (p dashboardPage) Active() int64 { return p.Subscribers[subscriber.Active] }

// Pending returns the number of subscribers who have not confirmed yet.
func (p dashboardPage) Pending() int64 { return p.Subscribers[subscriber.Pending] }

// BouncedOrComplained returns the number of subscribers who do not get mail for that reason.
func (p dashboardPage) BouncedOrComplained() int64 {
	return p.Subscribers[subscriber.Bounced] + p.Subscribers[subscriber.Complained]
}

// digestRow is a digest and its next edition.
type digestRow struct {
	config.Digest
	At          time.Time // zero without a schedule
	Subscribers int64
	Skipped     string // why its last tick created no edition; empty if it did
	Backlog     delivery.Backlog
}

// editionRow is an edition in a list.
type editionRow struct {
	store.Edition
	Counts store.DeliveryCounts
	Title  string // of its digest
	Waits  bool   // it was approved before its tick and waits for it
}

// Retrying reports whether only deferred mails of the edition remain to be sent.
func (e editionRow) Retrying() bool { return delivery.Retrying(e.State, e.Counts) }

// StateText returns the state of the edition in words.
func (e editionRow) StateText() string {
	if e.Waits {
		return delivery.WaitsText
	}
	return delivery.StateText(e.State, e.Counts)
}

func (h *Handler) dashboard(w http.ResponseWriter, r *http.Request, session store.Session) error {
	ctx := r.Context()
	var body dashboardPage
	var err error
	if body.Next, err = h.nextEditions(ctx); err != nil {
		return err
	}
	if body.Quarantine, err = h.store.Quarantine(ctx); err != nil {
		return err
	}
	if err := h.fillEditions(ctx, &body); err != nil {
		return err
	}
	if body.Articles, err = h.store.CountArticles(ctx, article.Published); err != nil {
		return err
	}
	totals, err := h.store.SubscriberTotals(ctx)
	if err != nil {
		return err
	}
	body.Subscribers = totals.States
	return h.show(w, http.StatusOK, "dashboard", page{Title: "Dashboard", Nav: "dashboard", Editor: &session.Editor, Flash: flash(r), Live: body.Sending, Refresh: body.Sending, Body: body})
}

// fillEditions reads the newest editions of all digests.
func (h *Handler) fillEditions(ctx context.Context, body *dashboardPage) error {
	found, err := h.store.Editions(ctx, "", recentEditions)
	if err != nil {
		return err
	}
	for _, e := range found {
		row := editionRow{Edition: e, Title: h.digestTitle(e.Digest), Waits: e.State == digest.Approved && e.SendAt.After(h.store.Now())}
		if row.Counts, err = h.store.EditionCounts(ctx, e.Seq); err != nil {
			return err
		}
		if (e.State.Final() || row.Retrying()) && row.Counts.Uncertain == 0 {
			body.Recent = append(body.Recent, row)
			continue
		}
		body.UnderWay = append(body.UnderWay, row)
		body.Sending = body.Sending || e.State == digest.Sending || e.State == digest.Approved
	}
	return nil
}

// nextEditions returns all digests with their next ticks.
func (h *Handler) nextEditions(ctx context.Context) ([]digestRow, error) {
	totals, err := h.store.SubscriberTotals(ctx)
	if err != nil {
		return nil, err
	}
	var out []digestRow
	for _, d := range h.config.Digests {
		row := digestRow{Digest: d, Subscribers: totals.Digests[d.Name]}
		if ticks := h.engine.NextTicks(d.Name, 1); len(ticks) > 0 {
			row.At = ticks[0].At
		}
		if row.Backlog, err = h.engine.Backlog(ctx, d.Name, time.Time{}); err != nil {
			return nil, err
		}
		last, err := h.store.Ticks(ctx, d.Name, 1)
		if err != nil {
			return nil, err
		}
		if len(last) > 0 && last[0].Edition == "" {
			row.Skipped = last[0].Reason
		}
		out = append(out, row)
	}
	return out, nil
}

// digestTitle returns a digest's title, or its name if it is no longer configured.
func (h *Handler) digestTitle(name string) string {
	if d, ok := h.configuredDigest(name); ok && d.Title != "" {
		return d.Title.String()
	}
	return name
}

func (h *Handler) configuredDigest(name string) (config.Digest, bool) {
	for _, d := range h.config.Digests {
		if d.Name == name {
			return d, true
		}
	}
	return config.Digest{}, false
}
