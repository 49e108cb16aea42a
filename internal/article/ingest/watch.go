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

// quietPeriod is how long a file must be quiet before it is imported: editors write in
// several steps.
const quietPeriod = 300 * time.Millisecond

// Watch imports paths, then again whatever changes in them, until the context ends. ready
// is called when everything is watched and imported once.
func (im *Importer) Watch(ctx context.Context, paths []string, ready func()) error {
	watcher, err := fsnotify.NewWatcher()
	if err != nil {
		return err
	}
	defer watcher.Close()
	for _, path := range paths { // first watched, then imported: nothing falls between
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

// ignoreContextEnd makes the end of a watch no error.
func ignoreContextEnd(ctx context.Context, err error) error {
	if ctx.Err() != nil && errors.Is(err, ctx.Err()) {
		return nil
	}
	return err
}

// watchTree watches a folder and all below it, or the folder of a file.
func watchTree(watcher *fsnotify.Watcher, path string) error {
	info, err := os.Stat(path)
	if err != nil {
		return err
	}
	if !info.IsDir() {
		return watcher.Add(filepath.Dir(path))
	}
	return filepath.WalkDir(path, func(name string, entry fs.DirEntry, err error) error {
		if err != nil || !entry.IsDir() {
			return nil // what is gone again needs no watch
		}
		if strings.HasPrefix(entry.Name(), ".") && name != path {
			return filepath.SkipDir
		}
		return watcher.Add(name)
	})
}

// changes are what happened in watched folders since the last import.
type changes struct {
	written map[string]bool // files and folders that were written or made
	removed map[string]bool // files that were removed or renamed
}

// retryAfter is when an import is tried again that the store refused.
const retryAfter = 5 * time.Second

// importChanges collects changes until they settle, and imports them. What fails is reported
// and tried again: no file and no full disk ends a watch.
func (im *Importer) importChanges(ctx context.Context, watcher *fsnotify.Watcher, paths []string) error {
	seen := changes{map[string]bool{}, map[string]bool{}}
	timer := time.NewTimer(time.Hour)
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case err := <-watcher.Errors:
			// Events were lost, so that anything may have changed.
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

// logFailure reports what went wrong with a path while it is watched.
func (im *Importer) logFailure(path string, err error) {
	slog.Error("a watched path cannot be imported; it is tried again", "path", path, "error", err)
}

// record keeps an event that changes an article, and reports whether it does. New folders
// are watched from then on.
func (im *Importer) record(watcher *fsnotify.Watcher, event fsnotify.Event, seen *changes) bool {
	if strings.HasPrefix(filepath.Base(event.Name), ".") {
		return false
	}
	if event.Has(fsnotify.Remove) || event.Has(fsnotify.Rename) {
		if Importable(event.Name) {
			seen.removed[event.Name] = true
		}
		return false // until something comes in its place
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

// importPending imports what changed, as a part of the watched path that it lies in: names
// and images are told from there. All of a path is imported together, so that files
// which changed places are told apart. It reports whether all went well.
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
	for _, path := range paths { // a path that is watched by itself
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

// takeBelow takes the changes below a folder, and returns the names of their articles.
// What is gone again is left alone.
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
		case isSettings(filepath.ToSlash(changed)): // what it says of other files may have changed
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

// vanishedBelow returns the names of the files below a folder that went and are still
// gone.
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

// importableBelow lists the articles of a new folder by their names from the watched one.
func importableBelow(folder, below string) ([]string, error) {
	names, err := importable(os.DirFS(filepath.Join(folder, below)))
	for i, name := range names {
		names[i] = path.Join(filepath.ToSlash(below), name)
	}
	return names, err
}
