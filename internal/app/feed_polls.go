package app

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/tidings-press/tidings/feed"
	"github.com/tidings-press/tidings/internal/feedserver"
	"github.com/tidings-press/tidings/internal/store"
)

// FeedPolls stores the statistics of feeds, a row for each feed, day and node.
type FeedPolls struct {
	store *store.Store
	node  string
}

// NewFeedPolls returns the statistics of a node. Two nodes may share a name, such as two
// services on one machine; their counts are added.
func NewFeedPolls(s *store.Store, node string) *FeedPolls { return &FeedPolls{s, node} }

// RecordPolls implements feedserver.PollRecorder.
func (f *FeedPolls) RecordPolls(ctx context.Context, batch []feedserver.Polls) error {
	var rows []store.Poll
	for _, p := range batch {
		data, err := json.Marshal(p)
		if err != nil {
			return fmt.Errorf("statistics of %s: %w", p.Feed, err)
		}
		rows = append(rows, store.Poll{Feed: p.Feed, Day: p.Day, Node: f.node, Data: data})
	}
	return f.store.AddPolls(ctx, rows, add)
}

// add adds two counts of one feed and day. A stored count that cannot be read, perhaps of a
// newer version, is replaced: these are estimates.
func add(old, more []byte) ([]byte, error) {
	var sum, p feedserver.Polls
	if err := json.Unmarshal(more, &p); err != nil {
		return nil, err
	}
	if json.Unmarshal(old, &sum) != nil {
		return more, nil
	}
	sum.Merge(&p)
	return json.Marshal(sum)
}

// Readers returns the readers of each feed on the last full day and today, over all nodes, by
// the feed's base path.
func (f *FeedPolls) Readers(ctx context.Context, now time.Time) (map[string]feed.Readers, error) {
	yesterday := now.UTC().AddDate(0, 0, -1).Format(time.DateOnly)
	rows, err := f.store.Polls(ctx, yesterday, now.UTC().Format(time.DateOnly))
	if err != nil {
		return nil, err
	}
	readers := map[string]feed.Readers{}
	for name, p := range merge(rows) {
		readers[name] = p.Readers()
	}
	return readers, nil
}

// merge adds rows by feed. A row that cannot be read, perhaps of a newer version, is left out:
// these are estimates.
func merge(rows []store.Poll) map[string]feedserver.Polls {
	sums := map[string]feedserver.Polls{}
	for _, row := range rows {
		var p feedserver.Polls
		if json.Unmarshal(row.Data, &p) != nil {
			continue
		}
		sum, there := sums[row.Feed]
		if !there {
			sums[row.Feed] = p
			continue
		}
		sum.Merge(&p)
		sums[row.Feed] = sum
	}
	return sums
}

func isNotFound(err error) bool { return errors.Is(err, store.ErrNotFound) }
