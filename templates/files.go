package templates

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// maxFile bounds one template file, in bytes.
const maxFile = 1 << 20

// fileSet is the files of one folder, by name.
type fileSet map[string]file

type file struct {
	path   string // for messages
	source string
}

func (s fileSet) source(name string) string { return s[name].source }

func (s fileSet) path(name string) string {
	if f, ok := s[name]; ok {
		return f.path
	}
	return name
}

// parts lists the shared parts: files whose name begins with an underscore.
func (s fileSet) parts(suffix string) []string { return s.named("_", suffix) }

func (s fileSet) named(prefix, suffix string) []string {
	var names []string
	for _, name := range slices.Sorted(maps.Keys(s)) {
		if strings.HasPrefix(name, prefix) && strings.HasSuffix(name, suffix) {
			names = append(names, name)
		}
	}
	return names
}

// readFiles reads the built-in files of a folder, then those of dir over them. A
// dir without that folder adds none.
func readFiles(folder, dir string, suffixes ...string) (fileSet, error) {
	files := fileSet{}
	if err := files.add(builtIn, folder, func(name string) string { return "built-in " + folder + "/" + name }, suffixes); err != nil {
		return nil, err
	}
	if dir == "" {
		return files, nil
	}
	if info, err := os.Stat(dir); err != nil || !info.IsDir() {
		return nil, &Error{File: dir, What: "no folder of that name", Fix: "a folder with mail/ or phrases/ in it, or none for the built-in templates"}
	}
	err := files.add(os.DirFS(dir), folder, func(name string) string { return filepath.Join(dir, folder, name) }, suffixes)
	if errors.Is(err, fs.ErrNotExist) {
		return files, nil
	}
	return files, err
}

func (s fileSet) add(from fs.FS, folder string, path func(string) string, suffixes []string) error {
	entries, err := fs.ReadDir(from, folder)
	if err != nil {
		return fmt.Errorf("templates cannot be read: %w", err)
	}
	for _, entry := range entries {
		name := entry.Name()
		if entry.IsDir() || !slices.ContainsFunc(suffixes, func(s string) bool { return strings.HasSuffix(name, s) }) {
			continue
		}
		source, err := readFile(from, folder+"/"+name)
		if err != nil {
			return &Error{File: path(name), What: err.Error()}
		}
		s[name] = file{path: path(name), source: source}
	}
	return nil
}

func readFile(from fs.FS, name string) (string, error) {
	f, err := from.Open(name)
	if err != nil {
		return "", err
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, maxFile+1))
	if err == nil && len(data) > maxFile {
		err = fmt.Errorf("larger than %d bytes, which no mail template is", maxFile)
	}
	return string(data), err
}
