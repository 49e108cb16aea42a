package ingest

import (
	"bytes"
	"crypto/sha256"
	"encoding/gob"
	"encoding/hex"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strings"

	"github.com/tidings-press/tidings/internal/article"
)

// spoolMemory is the maximum size of parsed articles and media in memory, in bytes. The rest is
// written to a temporary file, so that a folder of any size can be imported.
const spoolMemory = 64 << 20

// spool holds the parsed articles of an import until they are stored.
type spool struct {
	limit   int64 // maximum number of bytes in memory
	entries []spoolEntry
	size    int64    // bytes held in memory
	file    *os.File // nil until it is needed
	written int64
}

// spoolEntry holds the articles of one file: in memory, or as a range of the temporary file.
type spoolEntry struct {
	found          []Imported
	offset, length int64 // length is 0 for an entry in memory
}

// spooled is an entry in the temporary file. The data of media that can be read again are left
// out.
type spooled struct {
	Found []Imported
	Media map[string]string // file names of the media without data, by medium name
}

// add adds the articles of a file and returns their index. media is the reader of the file's
// media.
func (s *spool) add(found []Imported, media *mediaReader) (int, error) {
	size := int64(1 << 10)
	for i := range found {
		if a := found[i].Article; a != nil {
			size += int64(len(a.HTML) + len(a.Summary) + len(a.Title))
		}
		for _, m := range found[i].Media {
			size += int64(len(m.Data))
		}
	}
	entry := spoolEntry{found: found}
	if s.size+size > s.limit {
		var err error
		if entry, err = s.write(found, media); err != nil {
			return 0, fmt.Errorf("cannot write a temporary file; free some space, or set TMPDIR to a folder that has some: %w", err)
		}
	} else {
		s.size += size
	}
	s.entries = append(s.entries, entry)
	return len(s.entries) - 1, nil
}

func (s *spool) write(found []Imported, media *mediaReader) (spoolEntry, error) {
	if s.file == nil {
		file, err := os.CreateTemp("", "tidings-import-")
		if err != nil {
			return spoolEntry{}, err
		}
		s.file = file
	}
	kept := spooled{Found: found, Media: map[string]string{}}
	for i := range found {
		for j := range found[i].Media {
			m := &found[i].Media[j]
			if name, ok := media.nameOf(m.Data); ok {
				kept.Media[m.Name], m.Data = name, nil
			}
		}
	}
	var data bytes.Buffer
	if err := gob.NewEncoder(&data).Encode(kept); err != nil {
		return spoolEntry{}, err
	}
	entry := spoolEntry{offset: s.written, length: int64(data.Len())}
	n, err := s.file.Write(data.Bytes())
	s.written += int64(n)
	return entry, err
}

func (s *spool) entry(at int) (spooled, error) {
	e := s.entries[at]
	if e.length == 0 {
		return spooled{Found: e.found}, nil
	}
	var kept spooled
	err := gob.NewDecoder(io.NewSectionReader(s.file, e.offset, e.length)).Decode(&kept)
	return kept, err
}

// articles returns the articles of a file. Their media may lack data.
func (s *spool) articles(at int) ([]Imported, error) {
	kept, err := s.entry(at)
	return kept.Found, err
}

// load returns the articles of a file with all media, and frees their memory. An article whose
// media were changed after it was parsed is left out, with a problem.
func (s *spool) load(at int, files fs.FS) ([]Imported, []*Problem, error) {
	kept, err := s.entry(at)
	s.entries[at].found = nil
	var problems []*Problem
	for i := range kept.Found {
		for j := range kept.Found[i].Media {
			m := &kept.Found[i].Media[j]
			name, dropped := kept.Media[m.Name]
			if !dropped {
				continue
			}
			data, err := readBounded(files, name, MaxMedium)
			if m.Data = data; err != nil || !hasHash(m) {
				problems = append(problems, &Problem{What: name + " changed during the import", Fix: "import it again"})
				kept.Found[i] = Imported{}
				break
			}
		}
	}
	return kept.Found, problems, err
}

// hasHash reports whether the data of a medium have the hash in its name.
func hasHash(m *article.Medium) bool {
	sum := sha256.Sum256(m.Data)
	return strings.HasPrefix(m.Name, hex.EncodeToString(sum[:]))
}

// close removes the temporary file.
func (s *spool) close() {
	if s.file != nil {
		_ = s.file.Close()
		_ = os.Remove(s.file.Name())
	}
}

// mediaReader reads the media of one article file and remembers their file names.
type mediaReader struct {
	files fs.FS
	names map[*byte]string
}

func (m *mediaReader) read(name string) ([]byte, error) {
	data, err := readBounded(m.files, name, MaxMedium)
	if len(data) > 0 {
		if m.names == nil {
			m.names = map[*byte]string{}
		}
		m.names[&data[0]] = name
	}
	return data, err
}

// nameOf returns the name of the file from which read returned data.
func (m *mediaReader) nameOf(data []byte) (string, bool) {
	if len(data) == 0 {
		return "", false
	}
	name, ok := m.names[&data[0]]
	return name, ok
}
