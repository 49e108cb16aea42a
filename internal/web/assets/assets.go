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
)

//go:embed *.css *.js *.svg *.ico *.png
var files embed.FS

type asset struct {
	name string
	data []byte
}

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
		paths[p], names[path.Base(name)] = asset{name, data}, p
		return err
	})
	if err != nil {
		panic(err) // the files are compiled in
	}
	return paths, names
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
	kind := mime.TypeByExtension(path.Ext(a.name))
	switch path.Ext(a.name) { // the system's mime.types may differ
	case ".css":
		kind = "text/css; charset=utf-8"
	case ".js":
		kind = "text/javascript; charset=utf-8"
	case ".ico":
		kind = "image/x-icon"
	}
	sum := sha256.Sum256(a.data)
	w.Header().Set("Content-Type", kind)
	w.Header().Set("ETag", `"`+hex.EncodeToString(sum[:8])+`"`)
	http.ServeContent(w, r, a.name, time.Time{}, bytes.NewReader(a.data))
}
