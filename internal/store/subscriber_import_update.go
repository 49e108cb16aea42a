package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"slices"

	"github.com/tidings-press/tidings/internal/subscriber"
)

// markSubscribed finds the lines whose people existed before and never were subscribed to a digest.
func (im *importer) markSubscribed(ctx context.Context, tx *conn, digest string, lines []*importLine) error {
	present := map[int64]*importLine{}
	var ids []int64
	for _, l := range lines {
		if l.outcome == Present && !l.updated && len(l.row.Digests)+len(l.row.Topics)+len(l.row.TopicsOf) == 0 && (l.have.Mailable() || l.have == subscriber.Paused) && !im.state(l).Gone() {
			present[l.id] = l
			ids = append(ids, l.id)
		}
	}
	if len(ids) == 0 {
		return nil
	}
	return tx.Each(ctx, "import.unsubscribed", []any{digest, jsonList(ids)}, func(rows *sql.Rows) error {
		var id int64
		err := rows.Scan(&id)
		if l := present[id]; l != nil {
			l.updated = true
		}
		return err
	})
}

// label adds the labels of the import to the people of a batch who existed before.
func (im *importer) label(ctx context.Context, tx *conn, lines []*importLine) error {
	known := map[int64]*importLine{}
	var ids []int64
	for _, l := range lines {
		if l.outcome == Present && known[l.id] == nil {
			known[l.id] = l
			ids = append(ids, l.id)
		}
	}
	if len(im.opts.Labels) == 0 || len(ids) == 0 {
		return nil
	}
	before := map[int64][]string{}
	err := tx.Each(ctx, "import.labels", []any{jsonList(ids)}, func(rows *sql.Rows) error {
		var id int64
		var text string
		if err := rows.Scan(&id, &text); err != nil {
			return err
		}
		var labels []string
		if text != "" {
			if err := json.Unmarshal([]byte(text), &labels); err != nil {
				return fmt.Errorf("labels of subscriber %d: %w", id, err)
			}
		}
		before[id] = labels
		return nil
	})
	for id, labels := range before {
		after := withLabels(labels, im.opts.Labels)
		if err != nil || len(after) == len(labels) {
			continue
		}
		known[id].updated = true
		err = im.store.setLabels(ctx, tx, subscriber.Subscriber{ID: id, Labels: labels}, after)
	}
	return err
}

// withLabels returns labels and those labels in more that it lacks.
func withLabels(labels, more []string) []string {
	for _, label := range more {
		if !slices.Contains(labels, label) {
			labels = append(slices.Clip(labels), label)
		}
	}
	return labels
}
