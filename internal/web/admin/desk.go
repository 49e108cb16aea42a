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

// deskPage is what goes out next, what goes out now, and what went out.
type deskPage struct {
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

func (room *Room) desk(w http.ResponseWriter, r *http.Request, who store.Session) error {
	ctx := r.Context()
	var body deskPage
	var err error
	if body.Next, err = room.upcoming(ctx); err != nil {
		return err
	}
	if body.Quarantine, err = room.store.Quarantine(ctx); err != nil {
		return err
	}
	all, err := room.editions(ctx)
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
	if err := room.count(ctx, &body); err != nil {
		return err
	}
	return room.show(w, http.StatusOK, "desk", page{Title: "Desk", Nav: "desk", Who: &who.Editor, Done: told(r), Body: body})
}

func (room *Room) count(ctx context.Context, body *deskPage) (err error) {
	if body.Articles, err = room.store.CountArticles(ctx, article.Published); err != nil {
		return err
	}
	if body.Readers, err = room.store.CountSubscribers(ctx); err != nil {
		return err
	}
	body.Active, body.Pending = body.Readers[subscriber.Active], body.Readers[subscriber.Pending]
	body.Lost = body.Readers[subscriber.Bounced] + body.Readers[subscriber.Complained]
	return nil
}

// upcoming are all digests with their next ticks.
func (room *Room) upcoming(ctx context.Context) ([]nextRow, error) {
	readers, err := room.store.CountSubscriptions(ctx)
	if err != nil {
		return nil, err
	}
	var out []nextRow
	for _, d := range room.config.Digests {
		row := nextRow{Digest: d, Readers: readers[d.Name]}
		if ticks := room.engine.Next(d.Name, 1); len(ticks) > 0 {
			row.At = ticks[0].At
		}
		if row.Backlog, err = room.engine.Backlog(ctx, d.Name, time.Time{}); err != nil {
			return nil, err
		}
		last, err := room.store.Ticks(ctx, d.Name, 1)
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
func (room *Room) editions(ctx context.Context) ([]editionRow, error) {
	found, err := room.store.Editions(ctx, "", lastEditions)
	if err != nil {
		return nil, err
	}
	out := make([]editionRow, len(found))
	for i, e := range found {
		counts, err := room.store.EditionCounts(ctx, e.Seq)
		if err != nil {
			return nil, err
		}
		out[i] = editionRow{Edition: e, Counts: counts, Title: room.title(e.Digest)}
	}
	return out, nil
}

// title is a digest's title; its name when the configuration no longer has it.
func (room *Room) title(name string) string {
	if d, ok := room.configured(name); ok && d.Title != "" {
		return d.Title
	}
	return name
}

func (room *Room) configured(name string) (config.Digest, bool) {
	for _, d := range room.config.Digests {
		if d.Name == name {
			return d, true
		}
	}
	return config.Digest{}, false
}

// Retrying reports whether nothing is left of an edition but mails that other servers deferred.
func (e editionRow) Retrying() bool { return delivery.Retrying(e.State, e.Counts) }

// Standing is where an edition stands, in words.
func (e editionRow) Standing() string { return delivery.Standing(e.State, e.Counts) }

// Waits says whether an edition waits for an editor.
func (e editionRow) Waits() bool { return e.State == digest.Draft }
