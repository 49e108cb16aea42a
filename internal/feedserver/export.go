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

// Export are the options of Write.
type Export struct {
	More       []feed.Definition // feeds to write besides the named ones, such as those of tags; see LabelFeed
	Archives   bool              // write all archive pages too
	Compressed bool              // write each file as .gz and .br too, for web servers that send them
}

// Write writes feeds as files below dir, with the same bytes that the server sends, and
// returns the number of documents. A slash in a tag becomes a folder, since file servers look
// for it there.
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

// feed writes the newest documents of a feed and, with Export.Archives, its archive pages.
// Each page is read once, so that the links in its documents lead to pages that are written.
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

// write writes a document and its compressed variants.
func (w *exporter) write(d *document) error {
	name, err := fileName(d.Key)
	if err != nil {
		return err
	}
	if err := w.root.MkdirAll(path.Dir(name), 0o755); err != nil {
		return err
	}
	modified := w.server.options.Now() // for documents without a date
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
		// File servers send it as Last-Modified, so it is the time that this server sends.
		if err := w.root.Chtimes(file, modified, modified); err != nil {
			return err
		}
	}
	w.written++
	return nil
}

// fileName returns the path of a document's file below the export's folder. The query of a
// search is part of the name. A name that would lead out of the folder stays percent-encoded.
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
