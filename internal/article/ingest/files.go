package ingest

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"runtime/debug"
	"slices"
	"strings"
	"syscall"
	"time"
)

// importable lists the files of a folder that may be articles. It leaves out hidden files and
// folders, pages of sections (_index), and symbolic links to files that are in the list.
func importable(files fs.FS) ([]string, error) {
	var names, links []string
	err := fs.WalkDir(files, ".", func(name string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		hidden := strings.HasPrefix(entry.Name(), ".") && name != "."
		switch {
		case hidden && entry.IsDir():
			return fs.SkipDir
		case hidden || entry.IsDir() || !Importable(name) && unread[strings.ToLower(filepath.Ext(name))] == "" || strings.HasPrefix(entry.Name(), "_index."): // the page of a section
		case entry.Type()&fs.ModeSymlink != 0:
			links = append(links, name)
		default:
			names = append(names, name)
		}
		return nil
	})
	if err != nil || len(links) == 0 {
		return names, err
	}
	return append(names, uniqueLinks(files, links, names)...), nil
}

// uniqueLinks returns the links whose targets are not in names.
func uniqueLinks(files fs.FS, links, names []string) []string {
	var listed []fs.FileInfo
	for _, name := range names {
		if info, err := fs.Stat(files, name); err == nil {
			listed = append(listed, info)
		}
	}
	return slices.DeleteFunc(links, func(link string) bool {
		info, err := fs.Stat(files, link)
		return err == nil && slices.ContainsFunc(listed, func(other fs.FileInfo) bool { return os.SameFile(info, other) })
	})
}

// parseFile reads and parses a file. now is used for files without a modification time. A panic
// becomes a problem with the file, so that one file cannot stop the import of the others.
func parseFile(files fs.FS, name string, now time.Time, options Options, media *mediaReader) (found []Imported, problems []*Problem) {
	defer func() {
		if wrong := recover(); wrong != nil {
			slog.Error("the import of a file failed", "file", name, "panic", wrong, "stack", string(debug.Stack()))
			found, problems = nil, []*Problem{{File: name, What: fmt.Sprintf("it cannot be read: %v", wrong), Fix: "please report it, with the file"}}
		}
	}()
	data, err := readBounded(files, name, MaxFile)
	if err != nil {
		return nil, []*Problem{{File: name, What: "it cannot be read: " + cause(err), Fix: "make it readable, and smaller than " + MaxFileText}}
	}
	file := File{Name: name, Data: data, Modified: now}
	if info, err := fs.Stat(files, name); err == nil && !info.ModTime().IsZero() {
		file.Modified = info.ModTime()
	}
	if media != nil {
		options.Media = media.read
	}
	return Import(file, options)
}

// readBounded reads a regular file. It reads at most one byte more than most, by which the caller
// sees that the file is too large.
func readBounded(files fs.FS, name string, most int64) ([]byte, error) {
	info, err := fs.Stat(files, name)
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() {
		return nil, &notRegular{info.Mode()}
	}
	if info.Size() > most {
		return nil, &tooLarge{name, info.Size()}
	}
	file, err := files.Open(name)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	// The file may have been replaced after Stat.
	if info, err := file.Stat(); err != nil || !info.Mode().IsRegular() {
		return nil, errors.Join(err, fmt.Errorf("%s is not a regular file", name))
	}
	return io.ReadAll(io.LimitReader(file, most+1))
}

// tooLarge is the error of a file that is larger than the most that is read.
type tooLarge struct {
	name string
	size int64
}

func (e *tooLarge) Error() string { return fmt.Sprintf("%s has %d MB", e.name, e.size>>20) }

// notRegular is the error of a file that is a pipe, a device or a folder.
type notRegular struct{ mode fs.FileMode }

func (e *notRegular) Error() string {
	return fmt.Sprintf("it is %s, not a regular file", fileKind(e.mode))
}

// fileKind describes a kind of file, for messages.
func fileKind(mode fs.FileMode) string {
	switch {
	case mode.IsDir():
		return "a folder"
	case mode&fs.ModeNamedPipe != 0:
		return "a pipe (FIFO)"
	case mode&fs.ModeSocket != 0:
		return "a socket"
	case mode&fs.ModeDevice != 0:
		return "a device"
	}
	return "a special file"
}

// folderFS is a folder as a file system. It opens files without blocking: otherwise opening a
// pipe would wait until another process writes to it.
type folderFS struct{ root *os.Root }

// Open implements fs.FS.
func (f folderFS) Open(name string) (fs.File, error) {
	return f.root.OpenFile(filepath.FromSlash(name), os.O_RDONLY|syscall.O_NONBLOCK, 0)
}

// Stat implements fs.StatFS. It opens nothing.
func (f folderFS) Stat(name string) (fs.FileInfo, error) {
	return f.root.Stat(filepath.FromSlash(name))
}

// cause returns the text of an error without the name of the system call and the path.
func cause(err error) string {
	var wrong *fs.PathError
	if errors.As(err, &wrong) {
		return wrong.Err.Error()
	}
	return err.Error()
}
