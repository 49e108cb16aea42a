package press

import (
	"context"
	"errors"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/fsnotify/fsnotify"

	"github.com/tidings-press/tidings/article"
)

// settle is how long a file must be quiet before it is imported: editors write in
// several steps.
const settle = 300 * time.Millisecond

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
			return endOf(ctx, err)
		}
	}
	ready()
	return im.follow(ctx, watcher, paths)
}

// endOf makes the end of a watch no error.
func endOf(ctx context.Context, err error) error {
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

// follow collects changes until they settle, and imports the files.
func (im *Importer) follow(ctx context.Context, watcher *fsnotify.Watcher, paths []string) error {
	changed := map[string]bool{}
	timer := time.NewTimer(time.Hour)
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case err := <-watcher.Errors:
			return err
		case event := <-watcher.Events:
			if im.concerns(watcher, event) {
				changed[event.Name] = true
				timer.Reset(settle)
			}
		case <-timer.C:
			for name := range changed {
				if err := im.again(ctx, paths, name); err != nil {
					return endOf(ctx, err)
				}
			}
			clear(changed)
		}
	}
}

// concerns says whether an event changes an article. New folders are watched from then on.
func (im *Importer) concerns(watcher *fsnotify.Watcher, event fsnotify.Event) bool {
	if !event.Has(fsnotify.Create) && !event.Has(fsnotify.Write) || strings.HasPrefix(filepath.Base(event.Name), ".") {
		return false
	}
	if info, err := os.Stat(event.Name); err == nil && info.IsDir() {
		if err := watchTree(watcher, event.Name); err != nil {
			slog.Warn("a new folder cannot be watched", "folder", event.Name, "error", err)
		}
		return true
	}
	return article.Importable(event.Name)
}

// again imports what changed, as a part of the watched path that it lies in: names and
// images are told from there. What is gone again is left alone.
func (im *Importer) again(ctx context.Context, paths []string, changed string) error {
	info, err := os.Stat(changed)
	if err != nil {
		return nil
	}
	for _, path := range paths {
		below, err := filepath.Rel(path, changed)
		if err != nil || !filepath.IsLocal(below) || below == "." {
			continue
		}
		names := []string{filepath.ToSlash(below)}
		if info.IsDir() {
			if names, err = importableBelow(path, below); err != nil || len(names) == 0 {
				return err
			}
		}
		_, err = im.importFrom(ctx, path, names)
		return err
	}
	for _, path := range paths { // a file that is watched by itself; its neighbours are not
		if filepath.Clean(path) == changed {
			_, err = im.Import(ctx, path)
			return err
		}
	}
	return nil
}

// importableBelow lists the articles of a new folder by their names from the watched one.
func importableBelow(path, below string) ([]string, error) {
	names, err := importable(os.DirFS(filepath.Join(path, below)))
	for i, name := range names {
		names[i] = filepath.ToSlash(below) + "/" + name
	}
	return names, err
}
