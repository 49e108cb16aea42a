package app

import (
	"maps"
	"slices"
	"sync"

	"github.com/tidings-press/tidings/internal/article/ingest"
)

// importProblems holds the problems of the files in watched folders, as this node saw them last. The
// zero value has none.
type importProblems struct {
	mu     sync.Mutex
	byFile map[string]string
}

// maxImportProblems bounds the files whose problems are kept.
const maxImportProblems = 100

// note keeps the first problem of a file, or forgets the file if it has none any more.
func (p *importProblems) note(r ingest.FileReport) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(r.Problems) == 0 {
		delete(p.byFile, r.File)
		return
	}
	if p.byFile == nil {
		p.byFile = map[string]string{}
	}
	if _, known := p.byFile[r.File]; known || len(p.byFile) < maxImportProblems {
		p.byFile[r.File] = r.Problems[0].Error()
	}
}

// list returns the problems in the order of the files.
func (p *importProblems) list() []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	var out []string
	for _, file := range slices.Sorted(maps.Keys(p.byFile)) {
		out = append(out, p.byFile[file])
	}
	return out
}
