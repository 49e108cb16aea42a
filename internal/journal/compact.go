package journal

import (
	"cmp"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// Limits bound the size of a journal.
type Limits struct {
	Size int64         // Compact rewrites a larger journal
	Keep time.Duration // Compact drops older records, except those of editions that are being sent
}

// Compact rewrites a journal that is larger than the limit, with the latest value of each
// fact. The recipients of finished editions are dropped. It returns the size in bytes.
func (j *Journal) Compact(now time.Time, limits Limits) (int64, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	path := filepath.Join(j.folder, fileName)
	info, err := os.Stat(path)
	if err != nil || info.Size() <= limits.Size {
		if errors.Is(err, os.ErrNotExist) {
			return 0, nil
		}
		if err != nil {
			return 0, err
		}
		return info.Size(), nil
	}
	if err := j.open(); err != nil {
		return 0, err
	}
	if err := lockExclusive(j.lock); err != nil {
		return 0, err
	}
	defer unlock(j.lock)
	return j.compact(path, now, limits)
}

func (j *Journal) compact(path string, now time.Time, limits Limits) (int64, error) {
	found, _, err := readFile(path)
	if err != nil {
		return 0, err
	}
	state := newState()
	for i := range found {
		state.add(&found[i])
	}
	records := state.records(now.Add(-limits.Keep))
	for {
		var data []byte
		for i := range records {
			data = records[i].append(data)
		}
		// At half of the limit, the journal can grow for long before the next rewrite.
		if int64(len(data)) <= limits.Size/2 || len(records) == 0 || !records[0].droppable() {
			return int64(len(data)), j.replace(path, state, data)
		}
		records = dropOldest(records)
	}
}

// replace replaces the journal's file by one with a new header and these records.
func (j *Journal) replace(path string, state *State, data []byte) error {
	h := header(state.Generation, state.ID)
	h.at, h.position = state.Started.UnixMilli(), state.Position
	temporary, err := os.CreateTemp(j.folder, fileName+".new-*")
	if err != nil {
		return err
	}
	defer os.Remove(temporary.Name()) //nolint:errcheck // it has another name by then
	_, err = temporary.Write(append(h.append(nil), data...))
	if err := errors.Join(err, temporary.Sync(), temporary.Close()); err != nil {
		return err
	}
	if err := os.Rename(temporary.Name(), path); err != nil {
		return err
	}
	return j.reopen()
}

// droppable reports whether a record may be dropped when a journal is too large. The ids
// of articles matter least.
func (r *Record) droppable() bool { return r.kind == articleKind }

// dropOldest drops the older half of the droppable records, which come first.
func dropOldest(records []Record) []Record {
	n := 0
	for n < len(records) && records[n].droppable() {
		n++
	}
	return records[(n+1)/2:]
}

// records returns records for the values since a time: articles first, then the rest in the
// order of their times.
func (s *State) records(since time.Time) []Record {
	var articles, out []Record
	add := func(list *[]Record, at time.Time, r Record) {
		if !at.Before(since) {
			r.at, r.position = at.UnixMilli(), 0
			*list = append(*list, r)
		}
	}
	for source, a := range s.Articles {
		add(&articles, a.At, ArticleStored(a.Value, source))
	}
	for id, v := range s.States {
		add(&out, v.At, SubscriberState(id, v.Value))
	}
	for place, p := range s.Subscriptions {
		// The record of leaving all digests replaces the others of a subscriber, so it comes
		// before those of the same time.
		if place.Digest == "" {
			add(&out, p.At, subscriptionRecord(place, p.Value))
		}
	}
	for place, p := range s.Subscriptions {
		if place.Digest != "" {
			add(&out, p.At, subscriptionRecord(place, p.Value))
		}
	}
	for hash, v := range s.Suppressions {
		if v.Reason == "" {
			add(&out, v.At, SuppressionLifted(hash))
		} else {
			add(&out, v.At, Suppressed(hash, v.Reason))
		}
	}
	for place, at := range s.ClosedFeeds {
		add(&out, at, FeedClosed(place.Subscriber, place.Digest))
	}
	for key, v := range s.Editors {
		if key.Change == AccessDisabled {
			add(&out, v.At, AccessChanged(key.Editor, AccessChange(v.Value), ""))
		} else {
			add(&out, v.At, AccessChanged(key.Editor, key.Change, v.Value))
		}
	}
	for _, e := range s.Editions {
		if e.Ended.IsZero() {
			add(&out, maxTime(e.Began, since), EditionBegun(*e))
			for ids := range slices.Chunk(e.Recipients(), 500) {
				add(&out, maxTime(e.Began, since), MailsAttempted(e.Seq, ids))
			}
			continue
		}
		add(&out, e.Ended, EditionBegun(*e))
		add(&out, e.Ended, EditionEndedByID(e.ID, e.State))
	}
	byTime := func(a, b Record) int { return cmp.Compare(a.at, b.at) }
	slices.SortStableFunc(articles, byTime)
	slices.SortStableFunc(out, byTime)
	return append(articles, out...)
}

func subscriptionRecord(place SubscriptionKey, value string) Record {
	if value == Left {
		return Unsubscribed(place.Subscriber, place.Digest)
	}
	return Subscribed(place.Subscriber, place.Digest)
}

func maxTime(a, b time.Time) time.Time {
	if a.Before(b) {
		return b
	}
	return a
}

// Rotate renames the journal of a folder, so that the next Append begins a new file. It
// returns the new name, empty if there was no journal. It removes all renamed files but the
// newest five.
func Rotate(folder string, now time.Time) (string, error) {
	path := filepath.Join(folder, fileName)
	if _, err := os.Stat(path); errors.Is(err, os.ErrNotExist) {
		return "", nil
	}
	lock, err := os.OpenFile(filepath.Join(folder, lockName), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return "", fmt.Errorf("journal: %w", err)
	}
	defer lock.Close()
	if err := lockExclusive(lock); err != nil {
		return "", err
	}
	defer unlock(lock)
	rotated, err := rotatedName(path, now)
	if err != nil {
		return "", err
	}
	if err := os.Rename(path, rotated); err != nil {
		return "", fmt.Errorf("journal: %w", err)
	}
	old, err := rotatedFiles(folder)
	if err != nil {
		return rotated, err
	}
	for len(old) > maxRotated {
		if err := os.Remove(old[0]); err != nil {
			return rotated, err
		}
		old = old[1:]
	}
	return rotated, nil
}

// rotatedName returns an unused name for a journal that is rotated at a time: a rename would replace a
// file that was rotated in the same millisecond.
func rotatedName(path string, now time.Time) (string, error) {
	for ; ; now = now.Add(time.Millisecond) {
		name := path + "." + now.UTC().Format("20060102T150405.000")
		_, err := os.Lstat(name)
		switch {
		case errors.Is(err, os.ErrNotExist):
			return name, nil
		case err != nil:
			return "", fmt.Errorf("journal: %w", err)
		}
	}
}

const maxRotated = 5

// rotatedFiles returns the files of a folder that Rotate has renamed, oldest first.
func rotatedFiles(folder string) ([]string, error) {
	files, err := os.ReadDir(folder) // in the order of their names
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return nil, fmt.Errorf("journal: %w", err)
	}
	var old []string
	for _, file := range files {
		if strings.HasPrefix(file.Name(), fileName+".2") {
			old = append(old, filepath.Join(folder, file.Name()))
		}
	}
	return old, nil
}

// TimeOf returns the time of the first record after a position in the journal of a folder, or
// the zero time if there is none.
func TimeOf(folder string, position int64) (time.Time, error) {
	records, _, err := readFile(filepath.Join(folder, fileName))
	if err != nil {
		return time.Time{}, err
	}
	for i := range records {
		if records[i].position > position && records[i].kind != headerKind {
			return timeOf(records[i].at), nil
		}
	}
	return time.Time{}, nil
}
