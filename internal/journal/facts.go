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

// Place is a subscriber's place on a digest.
type Place struct {
	Subscriber int64
	Digest     string
}

// Suppression is what became of an address.
type Suppression struct {
	Reason string // empty when it was lifted
	At     time.Time
}

// Facts are what journals know, the latest of each.
type Facts struct {
	Generation   string // of the newest file
	ID           string
	Mark         int64
	Generations  []string  // of all files
	Started      time.Time // when the oldest file began; records since then are all there
	Last         time.Time // of the newest record
	Editions     []*Edition
	States       map[int64]Timed
	Places       map[Place]Timed // "left" or "joined"
	Suppressions map[string]Suppression
	Articles     map[string]Timed // ids by hash of the source
	Damaged      int              // lines that could not be read

	byID  map[string]*Edition
	bySeq map[int64]*Edition
}

// Timed is a value since a time.
type Timed struct {
	Value string
	At    time.Time
}

// What Places say.
const (
	Left   = "left"
	Joined = "joined"
)

func newFacts() *Facts {
	return &Facts{
		States: map[int64]Timed{}, Places: map[Place]Timed{}, Suppressions: map[string]Suppression{}, Articles: map[string]Timed{},
		byID: map[string]*Edition{}, bySeq: map[int64]*Edition{},
	}
}

// Read reads the journals of some folders, those of several machines together, with
// the files that were set aside. A folder without one gives no facts. Lines that are damaged, as the last
// one is after a power cut, are counted and left out.
func Read(folders ...string) (*Facts, error) {
	var records []Record
	facts := newFacts()
	for _, folder := range folders {
		files, err := asides(folder)
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

// readLine reads a line; of one that is too long only the beginning, which is then
// found to be damaged.
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

// add takes a record up.
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
		f.States[parseNumber(r.fields[0])] = Timed{r.fields[1], at}
	case leaveKind:
		f.leave(parseNumber(r.fields[0]), r.fields[1], at)
	case joinKind:
		f.Places[Place{parseNumber(r.fields[0]), r.fields[1]}] = Timed{Joined, at}
	case suppressKind:
		f.Suppressions[r.fields[0]] = Suppression{r.fields[1], at}
	case liftKind:
		f.Suppressions[r.fields[0]] = Suppression{At: at}
	case articleKind:
		f.Articles[r.fields[1]] = Timed{r.fields[0], at}
	}
}

// leave notes that a subscriber left. To leave all digests ends what is known of
// each of them.
func (f *Facts) leave(subscriber int64, digest string, at time.Time) {
	if digest == "" {
		for place := range f.Places {
			if place.Subscriber == subscriber {
				delete(f.Places, place)
			}
		}
	}
	f.Places[Place{subscriber, digest}] = Timed{Left, at}
}

func (f *Facts) addEdition(r *Record, at time.Time) {
	switch r.kind {
	case beginKind:
		f.begin(r, at)
	case endKind:
		e := f.byID[r.fields[1]]
		if r.fields[0] != "" {
			e = f.bySeq[parseNumber(r.fields[0])]
		}
		if e != nil {
			e.Ended, e.State, e.Left = at, r.fields[2], nil
		}
	default:
		e := f.bySeq[parseNumber(r.fields[0])]
		if e == nil || !e.Ended.IsZero() {
			return
		}
		for _, id := range r.ids {
			e.Left[id] = r.kind == intentKind
		}
	}
}

func (f *Facts) begin(r *Record, at time.Time) {
	seq, id := parseNumber(r.fields[0]), r.fields[1]
	if f.byID[id] != nil {
		f.bySeq[seq] = f.byID[id]
		return
	}
	e := &Edition{
		Seq: seq, ID: id, Digest: r.fields[2], Number: int(parseNumber(r.fields[3])), ScheduledFor: r.fields[4],
		Audience: parseNumber(r.fields[5]), Subject: r.fields[6], Began: at, Left: map[int64]bool{},
	}
	if r.fields[7] != "" {
		e.Articles = strings.Split(r.fields[7], ",")
	}
	f.Editions = append(f.Editions, e)
	f.byID[id], f.bySeq[seq] = e, e
}

// Recipients are the subscribers for whom the mail of an unfinished edition left, or
// was about to, in order.
func (e *Edition) Recipients() []int64 {
	var out []int64
	for _, id := range slices.Sorted(maps.Keys(e.Left)) {
		if e.Left[id] {
			out = append(out, id)
		}
	}
	return out
}
