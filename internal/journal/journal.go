package journal

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"time"

	"github.com/google/uuid"
)

// The files of a journal's folder.
const (
	fileName = "journal"
	lockName = "lock"
)

// syncEvery bounds how long a record waits until it is on disk. A power cut can lose the
// records of this time only, and they matter only if the store is lost as well.
const syncEvery = 200 * time.Millisecond

// Journal appends to the journal file of a folder. It is safe for concurrent use, also by
// several processes.
type Journal struct {
	folder     string
	generation string

	mu       sync.Mutex
	file     *os.File
	lock     *os.File
	id       string
	position int64 // the highest position that was appended
	buffer   []byte
	unsynced chan struct{}
	stop     chan struct{}
	done     chan struct{}
	failed   error // of the last sync
	closed   bool
}

// errClosed reports that a journal is used after Close.
var errClosed = errors.New("journal: it is closed")

// New returns the journal in a folder for a store with the given generation. The folder
// and the file are created by the first Append or ID.
func New(folder, generation string) *Journal {
	return &Journal{folder: folder, generation: generation}
}

// ID returns the id of the journal. It creates the journal if there is none yet.
func (j *Journal) ID() (string, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	err := j.open()
	return j.id, err
}

// Append writes all of the records or none of them. It returns when the operating system
// has them; they reach the disk within syncEvery. position is the store's position for these
// records; 0 stands for the highest position so far. An error may also be that of an earlier
// sync.
func (j *Journal) Append(at time.Time, position int64, records ...Record) error {
	if len(records) == 0 {
		return nil
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	if err := j.open(); err != nil {
		return err
	}
	j.position = max(j.position, position)
	j.buffer = j.buffer[:0]
	for i := range records {
		records[i].at, records[i].position = at.UnixMilli(), j.position
		j.buffer = records[i].append(j.buffer)
	}
	if err := j.write(); err != nil {
		return fmt.Errorf("journal: %w", err)
	}
	select {
	case j.unsynced <- struct{}{}:
	default:
	}
	err := j.failed
	j.failed = nil
	return err
}

// write appends the buffer to the file under the shared lock. If another process has replaced the
// file, for example by Compact, it opens the new file first. After a power cut or on a full disk the
// last line may have no end; the buffer then begins on a line of its own, since the first record would
// otherwise be lost with the damaged line.
func (j *Journal) write() error {
	if err := lockShared(j.lock); err != nil {
		return err
	}
	defer unlock(j.lock)
	if !j.current() {
		if err := j.reopen(); err != nil {
			return err
		}
	}
	ended, err := endsLine(j.file)
	if err != nil {
		return err
	}
	if !ended {
		j.buffer = slices.Insert(j.buffer, 0, '\n')
	}
	_, err = j.file.Write(j.buffer)
	return err
}

// endsLine reports whether a file is empty or its last byte is a line end.
func endsLine(file *os.File) (bool, error) {
	info, err := file.Stat()
	if err != nil || info.Size() == 0 {
		return true, err
	}
	var last [1]byte
	if _, err := file.ReadAt(last[:], info.Size()-1); err != nil {
		return true, err
	}
	return last[0] == '\n', nil
}

// current reports whether the open file is still the journal file of the folder.
func (j *Journal) current() bool {
	opened, err1 := j.file.Stat()
	onDisk, err2 := os.Stat(filepath.Join(j.folder, fileName))
	return err1 == nil && err2 == nil && os.SameFile(opened, onDisk)
}

// open creates the folder and its files at the first use, and starts the goroutine that
// syncs.
func (j *Journal) open() error {
	if j.closed {
		return errClosed
	}
	if j.file != nil {
		return nil
	}
	if err := os.MkdirAll(j.folder, 0o700); err != nil {
		return fmt.Errorf("journal: %w", err)
	}
	lock, err := os.OpenFile(filepath.Join(j.folder, lockName), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return fmt.Errorf("journal: %w", err)
	}
	if err := lockExclusive(lock); err != nil {
		return errors.Join(err, lock.Close())
	}
	defer unlock(lock)
	j.lock = lock
	if err := j.reopen(); err != nil {
		j.lock, j.file = nil, nil
		return errors.Join(fmt.Errorf("journal: %w", err), lock.Close())
	}
	j.unsynced, j.stop, j.done = make(chan struct{}, 1), make(chan struct{}), make(chan struct{})
	go j.keepSyncing()
	return nil
}

// reopen opens the journal file of the folder, or creates it with a header. The caller
// holds a lock. A file of another generation gives an *OtherError.
func (j *Journal) reopen() error {
	path := filepath.Join(j.folder, fileName)
	file, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR|os.O_APPEND, 0o600)
	if err != nil {
		return err
	}
	h, found, err := readHeader(file)
	if err == nil && !found {
		h = header(j.generation, uuid.NewString())
		h.at = time.Now().UnixMilli()
		_, err = file.Write(h.append(nil))
	}
	if err == nil && h.fields[0] != j.generation {
		err = &OtherError{Path: path, Generation: h.fields[0]}
	}
	if err != nil {
		return errors.Join(err, file.Close())
	}
	if j.file != nil {
		_ = j.file.Close() // it was replaced, and synced by the process that replaced it
	}
	j.file, j.id = file, h.fields[1]
	return nil
}

// OtherError reports that a journal belongs to another store, or to another generation of
// this store.
type OtherError struct {
	Path       string
	Generation string
}

// Error names the file and what to do.
func (e *OtherError) Error() string {
	return fmt.Sprintf("%s belongs to another store or to a copy of this one; give this store a folder of its own with store.journal", e.Path)
}

// readHeader reads the first line of a journal; found is false for an empty file.
func readHeader(file *os.File) (h Record, found bool, err error) {
	line, err := readLine(bufio.NewReader(io.NewSectionReader(file, 0, 4096)))
	if errors.Is(err, io.EOF) {
		return h, false, nil
	}
	if err != nil {
		return h, false, err
	}
	h, ok := parse(line)
	if !ok || h.kind != headerKind {
		return h, false, errors.New("the file is not a journal: its first line is damaged; move the file to another folder")
	}
	return h, true, nil
}

// keepSyncing syncs the file after appends, at most once every syncEvery, until Close.
func (j *Journal) keepSyncing() {
	defer close(j.done)
	for {
		select {
		case <-j.unsynced:
			j.sync()
		case <-j.stop:
			return
		}
		select {
		case <-time.After(syncEvery):
		case <-j.stop:
			return
		}
	}
}

// sync flushes the file to disk. It keeps an error for the next Append.
func (j *Journal) sync() {
	j.mu.Lock()
	file := j.file
	j.mu.Unlock()
	if err := file.Sync(); err != nil && !errors.Is(err, fs.ErrClosed) {
		j.mu.Lock()
		j.failed = fmt.Errorf("journal: %w", err)
		j.mu.Unlock()
	}
}

// Close syncs and closes the journal, which must not be used afterwards.
func (j *Journal) Close() error {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.closed = true
	if j.file == nil {
		return nil
	}
	close(j.stop)
	j.mu.Unlock()
	<-j.done
	j.mu.Lock()
	err := errors.Join(j.file.Sync(), j.file.Close(), j.lock.Close())
	j.file, j.lock = nil, nil
	return err
}

// Tail is the state at the end of a journal.
type Tail struct {
	Generation string
	ID         string
	Position   int64
	Edition    int64   // Seq of the edition of the last intents; 0 for none
	Recipients []int64 // of the last intents
}

// tailSize is how many bytes at the end of a journal are read for a Tail. They contain the
// last position and the last intents.
const tailSize = 64 << 10

// ReadTail reads the header and the end of the journal in a folder. found is false when
// the folder has no journal.
func ReadTail(folder string) (tail Tail, found bool, err error) {
	file, err := os.Open(filepath.Join(folder, fileName))
	if errors.Is(err, fs.ErrNotExist) {
		return tail, false, nil
	}
	if err != nil {
		return tail, false, fmt.Errorf("journal: %w", err)
	}
	defer file.Close()
	h, found, err := readHeader(file)
	if err != nil || !found {
		return tail, false, wrapPath(file.Name(), err)
	}
	tail.Generation, tail.ID = h.fields[0], h.fields[1]
	info, err := file.Stat()
	if err != nil {
		return tail, false, err
	}
	from := max(0, info.Size()-tailSize)
	lines := bufio.NewReader(io.NewSectionReader(file, from, tailSize))
	for {
		line, err := readLine(lines)
		if err != nil {
			return tail, true, nil // the end
		}
		if r, ok := parse(line); ok {
			tail.add(&r)
		}
	}
}

func (t *Tail) add(r *Record) {
	t.Position = max(t.Position, r.position)
	switch {
	case r.kind == intentKind:
		t.Edition, t.Recipients = parseNumber(r.fields[0]), r.ids
	case r.kind == endKind && parseNumber(r.fields[0]) == t.Edition:
		t.Edition, t.Recipients = 0, nil
	}
}

func wrapPath(path string, err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("journal %s: %w", path, err)
}
