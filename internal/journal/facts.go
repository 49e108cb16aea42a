package journal

import (
	"bufio"
	"cmp"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// SubscriptionKey identifies the subscription of a subscriber to a digest. An empty Digest stands
// for all of their digests.
type SubscriptionKey struct {
	Subscriber int64
	Digest     string
}

// EditorKey names one side of an editor's access: AccessPassword, AccessRole, or AccessDisabled
// for whether they may sign in, whose values are AccessDisabled, AccessEnabled and AccessRemoved.
type EditorKey struct {
	Editor int64
	Change AccessChange
}

// Suppression is the last change of the suppression of an address.
type Suppression struct {
	Reason string // empty when it was lifted
	At     time.Time
}

// Facts are the combined content of journals: the latest value of everything they record.
type Facts struct {
	Generation    string // of the newest file
	ID            string
	Mark          int64
	Generations   []string  // of all files
	Started       time.Time // when the oldest file began; all records since then are present
	Last          time.Time // of the newest record
	Editions      []*Edition
	States        map[int64]TimedValue
	Subscriptions map[SubscriptionKey]TimedValue // "left" or "joined"
	Suppressions  map[string]Suppression
	Articles      map[string]TimedValue // ids by hash of the source
	ClosedFeeds   map[SubscriptionKey]time.Time
	Editors       map[EditorKey]TimedValue
	Damaged       int // lines that could not be read

	byID  map[string]*Edition
	bySeq map[int64]*Edition
}

// TimedValue is a value and the time at which it was set.
type TimedValue struct {
	Value string
	At    time.Time
}

// The values of Facts.Subscriptions.
const (
	Left   = "left"
	Joined = "joined"
)

func newFacts() *Facts {
	return &Facts{
		States: map[int64]TimedValue{}, Subscriptions: map[SubscriptionKey]TimedValue{}, Suppressions: map[string]Suppression{}, Articles: map[string]TimedValue{},
		ClosedFeeds: map[SubscriptionKey]time.Time{}, Editors: map[EditorKey]TimedValue{},
		byID: map[string]*Edition{}, bySeq: map[int64]*Edition{},
	}
}

// Read reads the journals of several folders, such as those of several machines, including
// the files that SetAside renamed. A folder without a journal adds nothing. Damaged lines
// are counted and skipped: a power cut may damage the last one.
func Read(folders ...string) (*Facts, error) {
	var records []Record
	facts := newFacts()
	for _, folder := range folders {
		files, err := setAsideFiles(folder)
		if err != nil {
			return nil, err
		}
		for _, path := range append(files, filepath.Join(folder, fileName)) {
			found, damaged, err := readFile(path)
			if err != nil {
				return nil, err
			}
			records = append(records, found...)
			facts.Damaged += damaged
		}
	}
	if len(folders) > 1 {
		slices.SortStableFunc(records, func(a, b Record) int { return cmp.Compare(a.at, b.at) })
	}
	for i := range records {
		facts.add(&records[i])
	}
	return facts, nil
}

// maxLine bounds a line in bytes.
const maxLine = 4 << 20

// readFile returns the records of a file, none if it does not exist, and the number of
// damaged lines.
func readFile(path string) (records []Record, damaged int, err error) {
	file, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, 0, nil
	}
	if err != nil {
		return nil, 0, fmt.Errorf("journal: %w", err)
	}
	defer file.Close()
	lines := bufio.NewReaderSize(file, 1<<16)
	for {
		line, err := readLine(lines)
		if errors.Is(err, io.EOF) {
			return records, damaged, nil
		}
		if err != nil {
			return nil, 0, fmt.Errorf("journal %s: %w", path, err)
		}
		if r, ok := parse(line); ok {
			records = append(records, r)
		} else {
			damaged++
		}
	}
}

// readLine reads a line. It cuts a line that is too long, which parse then reports as
// damaged.
func readLine(from *bufio.Reader) (string, error) {
	var line strings.Builder
	for {
		part, err := from.ReadSlice('\n')
		if line.Len() < maxLine {
			line.Write(part)
		}
		switch {
		case err == nil:
			return strings.TrimSuffix(line.String(), "\n"), nil
		case errors.Is(err, io.EOF) && line.Len() > 0:
			return line.String(), nil
		case !errors.Is(err, bufio.ErrBufferFull):
			return "", err
		}
	}
}

func timeOf(ms int64) time.Time { return time.UnixMilli(ms).UTC() }

// add applies one record.
func (f *Facts) add(r *Record) {
	at := timeOf(r.at)
	f.Mark = max(f.Mark, r.mark)
	if at.After(f.Last) {
		f.Last = at
	}
	switch r.kind {
	case headerKind:
		f.Generation, f.ID = r.fields[0], r.fields[1]
		f.Generations = append(f.Generations, f.Generation)
		if f.Started.IsZero() || at.Before(f.Started) {
			f.Started = at
		}
	case beginKind, endKind, intentKind, deferredKind:
		f.addEdition(r, at)
	case stateKind:
		f.States[parseNumber(r.fields[0])] = TimedValue{r.fields[1], at}
	case leaveKind:
		f.addLeave(parseNumber(r.fields[0]), r.fields[1], at)
	case joinKind:
		f.Subscriptions[SubscriptionKey{parseNumber(r.fields[0]), r.fields[1]}] = TimedValue{Joined, at}
	case suppressKind:
		f.Suppressions[r.fields[0]] = Suppression{r.fields[1], at}
	case liftKind:
		f.Suppressions[r.fields[0]] = Suppression{At: at}
	case articleKind:
		f.Articles[r.fields[1]] = TimedValue{r.fields[0], at}
	case closeKind:
		f.ClosedFeeds[SubscriptionKey{parseNumber(r.fields[0]), r.fields[1]}] = at
	case editorKind:
		f.addEditor(parseNumber(r.fields[0]), AccessChange(r.fields[1]), TimedValue{r.fields[2], at})
	}
}

// addEditor records a change of an editor's access. A removal is final.
func (f *Facts) addEditor(editor int64, change AccessChange, v TimedValue) {
	switch change {
	case AccessDisabled, AccessEnabled, AccessRemoved:
		v.Value, change = string(change), AccessDisabled
	}
	key := EditorKey{editor, change}
	if f.Editors[key].Value != string(AccessRemoved) {
		f.Editors[key] = v
	}
}

// addLeave records that a subscriber left a digest. An empty digest stands for all: it
// replaces the values of the single digests.
func (f *Facts) addLeave(subscriber int64, digest string, at time.Time) {
	if digest == "" {
		for place := range f.Subscriptions {
			if place.Subscriber == subscriber {
				delete(f.Subscriptions, place)
			}
		}
	}
	f.Subscriptions[SubscriptionKey{subscriber, digest}] = TimedValue{Left, at}
}

func (f *Facts) addEdition(r *Record, at time.Time) {
	switch r.kind {
	case beginKind:
		f.addBegin(r, at)
	case endKind:
		e := f.byID[r.fields[1]]
		if r.fields[0] != "" {
			e = f.bySeq[parseNumber(r.fields[0])]
		}
		if e != nil {
			e.Ended, e.State, e.Mailed = at, r.fields[2], nil
		}
	default:
		e := f.bySeq[parseNumber(r.fields[0])]
		if e == nil || !e.Ended.IsZero() {
			return
		}
		for _, id := range r.ids {
			e.Mailed[id] = r.kind == intentKind
		}
	}
}

func (f *Facts) addBegin(r *Record, at time.Time) {
	seq, id := parseNumber(r.fields[0]), r.fields[1]
	if f.byID[id] != nil {
		f.bySeq[seq] = f.byID[id]
		return
	}
	e := &Edition{
		Seq: seq, ID: id, Digest: r.fields[2], Number: int(parseNumber(r.fields[3])), ScheduledFor: r.fields[4],
		Audience: parseNumber(r.fields[5]), Subject: r.fields[6], Began: at, Mailed: map[int64]bool{},
	}
	if r.fields[7] != "" {
		e.Articles = strings.Split(r.fields[7], ",")
	}
	f.Editions = append(f.Editions, e)
	f.byID[id], f.bySeq[seq] = e, e
}

// Recipients returns the subscribers to whom mail of an unfinished edition was sent or was
// about to be sent, in ascending order.
func (e *Edition) Recipients() []int64 {
	var out []int64
	for _, id := range slices.Sorted(maps.Keys(e.Mailed)) {
		if e.Mailed[id] {
			out = append(out, id)
		}
	}
	return out
}
