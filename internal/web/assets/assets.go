// Package assets contains the style sheets, scripts and icons of the pages. Path returns the
// path of a file, which changes with its content; Handler serves the files.
package assets

import (
	"bytes"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"io/fs"
	"mime"
	"net/http"
	"path"
	"time"

	"github.com/tidings-press/tidings/internal/rendercache"
)

//go:embed *.css *.js *.svg *.ico *.png
var files embed.FS

type asset struct {
	name string
	data []byte
	text *rendercache.Document // the file with its compressed forms, for texts; nil for pictures, which are compressed already
}

// texts answers requests for the files that are sent compressed.
var texts = rendercache.NewCache[*rendercache.Document](0)

// byPath has the assets by path, byName their paths by file name.
var byPath, byName = index()

func index() (map[string]asset, map[string]string) {
	paths, names := map[string]asset{}, map[string]string{}
	err := fs.WalkDir(files, ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		data, err := files.ReadFile(name)
		sum := sha256.Sum256(data)
		p := "/assets/" + hex.EncodeToString(sum[:6]) + "/" + path.Base(name)
		paths[p], names[path.Base(name)] = newAsset(name, data), p
		return err
	})
	if err != nil {
		panic(err) // the files are compiled in
	}
	return paths, names
}

// contentTypes are those of the files that are texts; the system's mime.types may differ.
var contentTypes = map[string]string{".css": "text/css; charset=utf-8", ".js": "text/javascript; charset=utf-8", ".svg": "image/svg+xml"}

func newAsset(name string, data []byte) asset {
	a := asset{name: name, data: data}
	if kind := contentTypes[path.Ext(name)]; kind != "" {
		a.text = rendercache.New(name, data, http.Header{"Content-Type": {kind}}, 0)
	}
	return a
}

// Path returns the path of a file such as "public.css", or "" if there is none.
func Path(name string) string { return byName[name] }

// Handler serves the files below /assets/. Their paths contain a hash of the content, so caches
// may keep them without revalidation (RFC 8246).
func Handler() http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		a, ok := byPath[r.URL.Path]
		if !ok {
			http.NotFound(w, r)
			return
		}
		w.Header().Set("Cache-Control", "public, max-age=31536000, immutable")
		serve(w, r, a)
	})
}

// Fixed returns a handler for a file at a fixed path, such as /favicon.ico.
func Fixed(name string) http.Handler {
	a := byPath[byName[name]]
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Cache-Control", "public, max-age=86400")
		serve(w, r, a)
	})
}

func serve(w http.ResponseWriter, r *http.Request, a asset) {
	if a.text != nil {
		_, unchanged := a.text.Unchanged(r)
		texts.Answer(w, r, a.text, unchanged)
		return
	}
	kind := mime.TypeByExtension(path.Ext(a.name))
	if path.Ext(a.name) == ".ico" {
		kind = "image/x-icon"
	}
	sum := sha256.Sum256(a.data)
	w.Header().Set("Content-Type", kind)
	w.Header().Set("ETag", `"`+hex.EncodeToString(sum[:8])+`"`)
	http.ServeContent(w, r, a.name, time.Time{}, bytes.NewReader(a.data))
}
