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
// for whether they may sign in, whose values are AccessDisabled, AccessEnabled and AccessRemoved. Each
// passkey and each account at a provider has a key of its own; see AccessChange.Method.
type EditorKey struct {
	Editor int64
	Change AccessChange
}

// Suppression is the last change of the suppression of an address.
type Suppression struct {
	Reason string // empty when it was lifted
	At     time.Time
}

// State is the combined content of journals: the latest value of everything they record.
type State struct {
	Generation    string // of the newest file
	ID            string
	Position      int64
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

// The values of State.Subscriptions.
const (
	Left   = "left"
	Joined = "joined"
)

func newState() *State {
	return &State{
		States: map[int64]TimedValue{}, Subscriptions: map[SubscriptionKey]TimedValue{}, Suppressions: map[string]Suppression{}, Articles: map[string]TimedValue{},
		ClosedFeeds: map[SubscriptionKey]time.Time{}, Editors: map[EditorKey]TimedValue{},
		byID: map[string]*Edition{}, bySeq: map[int64]*Edition{},
	}
}

// Read reads the journals of several folders, such as those of several machines, including
// the files that Rotate renamed. A folder without a journal adds nothing. Damaged lines
// are counted and skipped: a power cut may damage the last one.
func Read(folders ...string) (*State, error) {
	var records []Record
	state := newState()
	for _, folder := range folders {
		files, err := rotatedFiles(folder)
		if err != nil {
			return nil, err
		}
		for _, path := range append(files, filepath.Join(folder, fileName)) {
			found, damaged, err := readFile(path)
			if err != nil {
				return nil, err
			}
			records = append(records, found...)
			state.Damaged += damaged
		}
	}
	if len(folders) > 1 {
		slices.SortStableFunc(records, func(a, b Record) int { return cmp.Compare(a.at, b.at) })
	}
	for i := range records {
		state.add(&records[i])
	}
	return state, nil
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
		} else if line != "" { // two processes may end a damaged line at the same time
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
func (s *State) add(r *Record) {
	at := timeOf(r.at)
	s.Position = max(s.Position, r.position)
	if at.After(s.Last) {
		s.Last = at
	}
	switch r.kind {
	case headerKind:
		s.Generation, s.ID = r.fields[0], r.fields[1]
		s.Generations = append(s.Generations, s.Generation)
		if s.Started.IsZero() || at.Before(s.Started) {
			s.Started = at
		}
	case beginKind, endKind, intentKind, deferredKind:
		s.addEdition(r, at)
	case stateKind:
		s.States[parseNumber(r.fields[0])] = TimedValue{r.fields[1], at}
	case unsubscribeKind:
		s.addUnsubscribe(parseNumber(r.fields[0]), r.fields[1], at)
	case subscribeKind:
		s.Subscriptions[SubscriptionKey{parseNumber(r.fields[0]), r.fields[1]}] = TimedValue{Joined, at}
	case suppressKind:
		s.Suppressions[r.fields[0]] = Suppression{r.fields[1], at}
	case unsuppressKind:
		s.Suppressions[r.fields[0]] = Suppression{At: at}
	case articleKind:
		s.Articles[r.fields[1]] = TimedValue{r.fields[0], at}
	case closeKind:
		s.ClosedFeeds[SubscriptionKey{parseNumber(r.fields[0]), r.fields[1]}] = at
	case editorKind:
		s.addEditor(parseNumber(r.fields[0]), AccessChange(r.fields[1]), TimedValue{r.fields[2], at})
	}
}

// addEditor records a change of an editor's access. A removal is final.
func (s *State) addEditor(editor int64, change AccessChange, v TimedValue) {
	switch change {
	case AccessDisabled, AccessEnabled, AccessRemoved:
		v.Value, change = string(change), AccessDisabled
	}
	key := EditorKey{editor, change}
	if s.Editors[key].Value != string(AccessRemoved) {
		s.Editors[key] = v
	}
}

// addUnsubscribe records that a subscriber left a digest. An empty digest stands for all: it
// replaces the values of the single digests.
func (s *State) addUnsubscribe(subscriber int64, digest string, at time.Time) {
	if digest == "" {
		for place := range s.Subscriptions {
			if place.Subscriber == subscriber {
				delete(s.Subscriptions, place)
			}
		}
	}
	s.Subscriptions[SubscriptionKey{subscriber, digest}] = TimedValue{Left, at}
}

func (s *State) addEdition(r *Record, at time.Time) {
	switch r.kind {
	case beginKind:
		s.addBegin(r, at)
	case endKind:
		e := s.byID[r.fields[1]]
		if r.fields[0] != "" {
			e = s.bySeq[parseNumber(r.fields[0])]
		}
		if e != nil {
			e.Ended, e.State, e.Mailed = at, r.fields[2], nil
		}
	default:
		e := s.bySeq[parseNumber(r.fields[0])]
		if e == nil || !e.Ended.IsZero() {
			return
		}
		for _, id := range r.ids {
			e.Mailed[id] = r.kind == intentKind
		}
	}
}

func (s *State) addBegin(r *Record, at time.Time) {
	seq, id := parseNumber(r.fields[0]), r.fields[1]
	if s.byID[id] != nil {
		s.bySeq[seq] = s.byID[id]
		return
	}
	e := &Edition{
		Seq: seq, ID: id, Digest: r.fields[2], Number: int(parseNumber(r.fields[3])), ScheduledFor: r.fields[4],
		Audience: parseNumber(r.fields[5]), Subject: r.fields[6], Began: at, Mailed: map[int64]bool{},
	}
	if r.fields[7] != "" {
		e.Articles = strings.Split(r.fields[7], ",")
	}
	s.Editions = append(s.Editions, e)
	s.byID[id], s.bySeq[seq] = e, e
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
