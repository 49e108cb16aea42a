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

// lastEditions is how many editions the desk lists.
const lastEditions = 20

// dashboardPage is what goes out next, what goes out now, and what went out.
type dashboardPage struct {
	Quarantine *store.Quarantine // nil unless nothing may be sent
	Now        []editionRow      // being sent, paused, or waiting for an editor or a decision
	Next       []nextRow
	Last       []editionRow
	Articles   int64
	Readers    map[subscriber.State]int64
	Active     int64
	Pending    int64
	Lost       int64 // bounced or complained
}

// nextRow is a digest and its next edition.
type nextRow struct {
	config.Digest
	At      time.Time // zero when it has no schedule
	Readers int64
	Skipped string // why its last tick made no edition; empty when it made one
	Backlog delivery.Backlog
}

// editionRow is an edition in a list.
type editionRow struct {
	store.Edition
	Counts store.DeliveryCounts
	Title  string
}

func (h *Handler) dashboard(w http.ResponseWriter, r *http.Request, session store.Session) error {
	ctx := r.Context()
	var body dashboardPage
	var err error
	if body.Next, err = h.upcoming(ctx); err != nil {
		return err
	}
	if body.Quarantine, err = h.store.Quarantine(ctx); err != nil {
		return err
	}
	all, err := h.editions(ctx)
	if err != nil {
		return err
	}
	for _, e := range all {
		if (e.State.Final() || e.Retrying()) && e.Counts.Uncertain == 0 {
			body.Last = append(body.Last, e)
		} else {
			body.Now = append(body.Now, e)
		}
	}
	if err := h.count(ctx, &body); err != nil {
		return err
	}
	return h.show(w, http.StatusOK, "dashboard", page{Title: "Dashboard", Nav: "dashboard", Editor: &session.Editor, Notice: notice(r), Body: body})
}

func (h *Handler) count(ctx context.Context, body *dashboardPage) (err error) {
	if body.Articles, err = h.store.CountArticles(ctx, article.Published); err != nil {
		return err
	}
	if body.Readers, err = h.store.CountSubscribers(ctx); err != nil {
		return err
	}
	body.Active, body.Pending = body.Readers[subscriber.Active], body.Readers[subscriber.Pending]
	body.Lost = body.Readers[subscriber.Bounced] + body.Readers[subscriber.Complained]
	return nil
}

// upcoming are all digests with their next ticks.
func (h *Handler) upcoming(ctx context.Context) ([]nextRow, error) {
	readers, err := h.store.CountSubscriptions(ctx)
	if err != nil {
		return nil, err
	}
	var out []nextRow
	for _, d := range h.config.Digests {
		row := nextRow{Digest: d, Readers: readers[d.Name]}
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

// editions are the newest ones of all digests, with their counts.
func (h *Handler) editions(ctx context.Context) ([]editionRow, error) {
	found, err := h.store.Editions(ctx, "", lastEditions)
	if err != nil {
		return nil, err
	}
	out := make([]editionRow, len(found))
	for i, e := range found {
		counts, err := h.store.EditionCounts(ctx, e.Seq)
		if err != nil {
			return nil, err
		}
		out[i] = editionRow{Edition: e, Counts: counts, Title: h.title(e.Digest)}
	}
	return out, nil
}

// title is a digest's title; its name when the configuration no longer has it.
func (h *Handler) title(name string) string {
	if d, ok := h.configured(name); ok && d.Title != "" {
		return d.Title
	}
	return name
}

func (h *Handler) configured(name string) (config.Digest, bool) {
	for _, d := range h.config.Digests {
		if d.Name == name {
			return d, true
		}
	}
	return config.Digest{}, false
}

// Retrying reports whether nothing is left of an edition but mails that other servers deferred.
func (e editionRow) Retrying() bool { return delivery.Retrying(e.State, e.Counts) }

// StateText returns the state of an edition in words for people.
func (e editionRow) StateText() string { return delivery.StateText(e.State, e.Counts) }

// Waits says whether an edition waits for an editor.
func (e editionRow) Waits() bool { return e.State == digest.Draft }
