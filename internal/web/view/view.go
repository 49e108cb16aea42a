// Package view renders page templates. Load reads the templates of a folder, Set.Show answers a
// request with a page.
//
// Pages are rendered into memory first, so that an error never leaves half a page sent.
package view

import (
	"bytes"
	"fmt"
	"html/template"
	"io/fs"
	"net/http"
	"path"
	"strings"
	"sync"

	"github.com/tidings-press/tidings/internal/web/assets"
)

// Set contains the pages of a folder: all *.html files except layout.html, which is the layout
// of all pages. Files whose name begins with an underscore define parts that pages share.
type Set struct {
	pages map[string]func() (*template.Template, error) // each is parsed when it is first rendered
	parts *template.Template
}

// Load reads the pages of a folder and checks their syntax. Besides the given functions, templates
// have asset, which returns the path of an asset, and lines, which splits a text into lines.
//
// Each page needs a copy of the layout and of all parts. Copies for all pages at once would be most of
// the time in which a node starts and takes new settings, and of the memory of idle pages, so a page
// gets its copy when it is first rendered.
func Load(folder fs.FS, functions template.FuncMap) (*Set, error) {
	empty := func(name string) *template.Template {
		return template.New(name).Funcs(template.FuncMap{"asset": assets.Path, "lines": lines}).Funcs(functions)
	}
	base := empty("layout.html")
	shared, err := fs.Glob(folder, "_*.html")
	if err != nil {
		return nil, err
	}
	if base, err = base.ParseFS(folder, append(shared, "layout.html")...); err != nil {
		return nil, fmt.Errorf("page templates: %w", err)
	}
	names, err := fs.Glob(folder, "*.html")
	if err != nil {
		return nil, err
	}
	set := &Set{pages: map[string]func() (*template.Template, error){}, parts: template.Must(base.Clone())}
	for _, name := range names {
		if name == "layout.html" || strings.HasPrefix(name, "_") {
			continue
		}
		if _, err := empty(name).ParseFS(folder, name); err != nil {
			return nil, fmt.Errorf("page templates: %w", err)
		}
		set.pages[strings.TrimSuffix(name, path.Ext(name))] = sync.OnceValues(func() (*template.Template, error) {
			return template.Must(base.Clone()).ParseFS(folder, name) // base is never executed, so it can be cloned
		})
	}
	return set, nil
}

// lines splits a text at its line breaks.
func lines(s string) []string { return strings.Split(s, "\n") }

// Fill renders a page.
func (s *Set) Fill(name string, data any) ([]byte, error) {
	load := s.pages[name]
	if load == nil {
		return nil, fmt.Errorf("unknown page %q", name)
	}
	page, err := load()
	if err != nil {
		return nil, err
	}
	var out bytes.Buffer
	err = page.ExecuteTemplate(&out, "layout.html", data)
	return out.Bytes(), err
}

// Part renders a shared part, for updates of an open page.
func (s *Set) Part(name string, data any) ([]byte, error) {
	var out bytes.Buffer
	err := s.parts.ExecuteTemplate(&out, name, data)
	return out.Bytes(), err
}

// Show answers with a page. If it returns an error, it has sent nothing.
func (s *Set) Show(w http.ResponseWriter, status int, name string, data any) error {
	body, err := s.Fill(name, data)
	if err != nil {
		return err
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.WriteHeader(status)
	_, _ = w.Write(body) // a client that disconnected needs no answer
	return nil
}
