package feedserver

import (
	"context"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path"
	"strings"
	"time"

	"github.com/tidings-press/tidings/feed"
	"github.com/tidings-press/tidings/internal/rendercache"
)

// Export is what Write writes besides the feeds that have names of their own.
type Export struct {
	More       []feed.Definition // such as those of tags; see Define
	Archives   bool              // all archive pages too
	Compressed bool              // each file as .gz and .br beside it, for servers that send those
}

// Write writes feeds as files below dir, byte for byte what the server answers,
// and returns how many documents that made. A tag's slash is a folder, as file
// servers look for it.
func (s *Server) Write(ctx context.Context, dir string, export Export) (int, error) {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return 0, err
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		return 0, err
	}
	defer root.Close()
	s.refresh()
	w := exporter{server: s, root: root, export: export}
	opml, err := s.makeOPML(ctx)
	if err != nil {
		return 0, err
	}
	if err := w.write(opml); err != nil {
		return 0, err
	}
	for _, d := range append(s.Definitions(), export.More...) {
		if err := w.feed(ctx, d); err != nil {
			return w.written, err
		}
	}
	return w.written, nil
}

type exporter struct {
	server  *Server
	root    *os.Root
	export  Export
	written int
}

// feed writes a feed's newest documents and, if asked to, its archive. Each page is
// read once: what leads to the next one is what its documents say.
func (w *exporter) feed(ctx context.Context, d feed.Definition) error {
	for cursor := ""; ; {
		t := target{definition: d, cursor: cursor}
		content, err := w.server.load(ctx, t)
		if err != nil {
			return err
		}
		for _, t.format = range feed.Formats {
			made, err := w.server.compose(t, content)
			if err != nil {
				return err
			}
			if err := w.write(made); err != nil {
				return err
			}
		}
		if cursor = content.selection.Page.Older; cursor == "" || !w.export.Archives {
			return nil
		}
	}
}

// write writes a document and its codings.
func (w *exporter) write(d *document) error {
	name, err := fileName(d.Key)
	if err != nil {
		return err
	}
	if err := w.root.MkdirAll(path.Dir(name), 0o755); err != nil {
		return err
	}
	modified := w.server.options.Now() // of what cannot be dated
	if d.modified != nil {
		modified = time.Unix(later(d.modified, w.server.freshness.departed.Load()).second, 0)
	}
	endings := map[rendercache.Coding]string{rendercache.Identity: ""}
	if w.export.Compressed {
		endings[rendercache.Gzip], endings[rendercache.Brotli] = ".gz", ".br"
	}
	for c, ending := range endings {
		file := name + ending
		if err := w.root.WriteFile(file, d.Body(c), 0o644); err != nil {
			return err
		}
		// Servers make Last-Modified from it: the same as ours.
		if err := w.root.Chtimes(file, modified, modified); err != nil {
			return err
		}
	}
	w.written++
	return nil
}

// fileName is where a document stands below the export's folder. A name that
// leads elsewhere stays percent-encoded; the question of a search is part of
// the name.
func fileName(key string) (string, error) {
	key = strings.TrimPrefix(key, "/")
	name, err := url.PathUnescape(key)
	if err != nil {
		return "", fmt.Errorf("feed path %q: %w", key, err)
	}
	if !fs.ValidPath(name) || strings.ContainsAny(name, "\\\x00") {
		return strings.ReplaceAll(key, "%", "%25"), nil
	}
	return name, nil
}
