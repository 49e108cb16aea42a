package ingest

import (
	"context"
	"errors"
	"io/fs"
	"log/slog"
	"maps"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/fsnotify/fsnotify"
)

// quietPeriod is how long there must be no change before files are imported, since editors write
// a file in several steps.
const quietPeriod = 300 * time.Millisecond

// Watch imports the paths, and after that every change in them, until the context ends. It calls
// ready after the first import.
func (im *Importer) Watch(ctx context.Context, paths []string, ready func()) error {
	watcher, err := fsnotify.NewWatcher()
	if err != nil {
		return err
	}
	defer watcher.Close()
	for _, path := range paths { // watch before the import, so that no change is missed
		if err := watchTree(watcher, path); err != nil {
			return err
		}
		if _, err := im.Import(ctx, path); err != nil {
			return ignoreContextEnd(ctx, err)
		}
	}
	ready()
	return im.importChanges(ctx, watcher, paths)
}

// ignoreContextEnd returns nil for the error of a context that has ended.
func ignoreContextEnd(ctx context.Context, err error) error {
	if ctx.Err() != nil && errors.Is(err, ctx.Err()) {
		return nil
	}
	return err
}

// watchTree watches a folder with all its subfolders, or the folder of a file.
func watchTree(watcher *fsnotify.Watcher, path string) error {
	info, err := os.Stat(path)
	if err != nil {
		return err
	}
	if !info.IsDir() {
		return watcher.Add(filepath.Dir(path))
	}
	root := filepath.Clean(path) + string(filepath.Separator) // WalkDir would not follow a symbolic link without it
	return filepath.WalkDir(root, func(name string, entry fs.DirEntry, err error) error {
		if err != nil || !entry.IsDir() {
			return nil // a folder that was removed meanwhile needs no watch
		}
		if strings.HasPrefix(entry.Name(), ".") && name != root {
			return filepath.SkipDir
		}
		return watcher.Add(name)
	})
}

// changes holds the paths that changed in watched folders since the last import.
type changes struct {
	written map[string]bool // files and folders that were written or created
	removed map[string]bool // files that were removed or renamed
}

// retryAfter is the time until a failed import is tried again.
const retryAfter = 5 * time.Second

// importChanges collects changes until there are none for quietPeriod, and imports them. Failed
// imports are logged and tried again, so that neither a bad file nor a full disk ends the watch.
func (im *Importer) importChanges(ctx context.Context, watcher *fsnotify.Watcher, paths []string) error {
	seen := changes{map[string]bool{}, map[string]bool{}}
	timer := time.NewTimer(time.Hour)
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case err := <-watcher.Errors:
			// Events were lost, so anything may have changed.
			im.logFailure("", err)
			for _, path := range paths {
				seen.written[path] = true
			}
			timer.Reset(quietPeriod)
		case event := <-watcher.Events:
			if im.record(watcher, event, &seen) {
				timer.Reset(quietPeriod)
			}
		case <-timer.C:
			if im.importPending(ctx, paths, seen) {
				clear(seen.written)
				clear(seen.removed)
			} else {
				timer.Reset(retryAfter)
			}
		}
	}
}

// logFailure logs that the import of a watched path failed.
func (im *Importer) logFailure(path string, err error) {
	slog.Error("a watched path cannot be imported; it is tried again", "path", path, "error", err)
}

// record records an event in seen and reports whether something may have to be imported. It
// starts to watch new folders.
func (im *Importer) record(watcher *fsnotify.Watcher, event fsnotify.Event, seen *changes) bool {
	if strings.HasPrefix(filepath.Base(event.Name), ".") {
		return false
	}
	if event.Has(fsnotify.Remove) || event.Has(fsnotify.Rename) {
		if Importable(event.Name) {
			seen.removed[event.Name] = true
		}
		return false // a create event follows if another file takes its place
	}
	if !event.Has(fsnotify.Create) && !event.Has(fsnotify.Write) {
		return false
	}
	if info, err := os.Stat(event.Name); err == nil && info.IsDir() {
		if err := watchTree(watcher, event.Name); err != nil {
			slog.Warn("a new folder cannot be watched", "folder", event.Name, "error", err)
		}
	} else if !Importable(event.Name) && !isSettings(filepath.ToSlash(event.Name)) {
		return false
	}
	seen.written[event.Name] = true
	return true
}

// importPending imports the changes below each watched path, since names and images are relative
// to that path. All changes below a path are imported together, so that files whose names were
// swapped are recognised. It reports whether there was no error.
func (im *Importer) importPending(ctx context.Context, paths []string, seen changes) bool {
	fine := true
	left := maps.Clone(seen.written)
	for _, path := range paths {
		names, err := takeBelow(path, left)
		if err == nil && len(names) > 0 {
			_, err = im.importFolder(ctx, path, names, vanishedBelow(path, seen))
		}
		if err != nil && ctx.Err() == nil {
			im.logFailure(path, err)
			fine = false
		}
	}
	for _, path := range paths { // watched files, and watched folders after lost events
		if !left[filepath.Clean(path)] {
			continue
		}
		if _, err := im.Import(ctx, path); err != nil && !errors.Is(err, os.ErrNotExist) && ctx.Err() == nil {
			im.logFailure(path, err)
			fine = false
		}
	}
	return fine
}

// takeBelow removes the changes below a folder from the set of changes, and returns the names of
// the files to import for them. Files that were removed meanwhile are ignored.
func takeBelow(folder string, came map[string]bool) ([]string, error) {
	var names []string
	for changed := range came {
		name, err := filepath.Rel(folder, changed)
		if err != nil || !filepath.IsLocal(name) || name == "." {
			continue
		}
		delete(came, changed)
		info, err := os.Stat(changed)
		switch {
		case err != nil:
		case isSettings(filepath.ToSlash(changed)): // the settings of other files may have changed
			within, err := importableBelow(folder, filepath.Dir(name))
			if err != nil {
				return nil, err
			}
			names = append(names, within...)
		case !info.IsDir():
			names = append(names, filepath.ToSlash(name))
		default:
			within, err := importableBelow(folder, name)
			if err != nil {
				return nil, err
			}
			names = append(names, within...)
		}
	}
	slices.Sort(names)
	return slices.Compact(names), nil
}

// vanishedBelow returns the names of the files below a folder that were removed and not written
// again.
func vanishedBelow(folder string, seen changes) map[string]bool {
	out := map[string]bool{}
	for gone := range seen.removed {
		name, err := filepath.Rel(folder, gone)
		if err == nil && filepath.IsLocal(name) && !seen.written[gone] {
			out[filepath.ToSlash(name)] = true
		}
	}
	return out
}

// importableBelow lists the importable files in a subfolder, with names relative to folder.
func importableBelow(folder, below string) ([]string, error) {
	names, err := importable(os.DirFS(filepath.Join(folder, below)))
	for i, name := range names {
		names[i] = path.Join(filepath.ToSlash(below), name)
	}
	return names, err
}
