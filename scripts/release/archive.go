package main

import (
	"archive/tar"
	"archive/zip"
	"bytes"
	"os"
	"path"
	"path/filepath"
	"slices"
	"sort"
)

// entry is a file or a folder of an archive.
type entry struct {
	name   string // of a folder: with a slash at the end
	mode   int64
	uid    int
	data   []byte
	folder bool
}

// writeArchive writes a .tar.gz, or a .zip for Windows, with the program, its configuration, manual and completions.
func (r *release) writeArchive(t target, binary string, notices []byte) error {
	program, err := os.ReadFile(binary)
	if err != nil {
		return err
	}
	config, err := os.ReadFile(filepath.Join(r.root, "config.yaml"))
	if err != nil {
		return err
	}
	name := "tidings_" + r.version + "_" + t.os + "_" + t.arch
	files := map[string][]byte{filepath.Base(binary): program, "config.yaml": config, "THIRD-PARTY-LICENSES.txt": notices}
	for doc, data := range r.shared.docs {
		if !slices.Contains(projectFiles, doc) {
			doc = "docs/" + doc
		}
		files[doc] = data
	}
	for shell, script := range r.shared.completions {
		files["completions/tidings."+shell] = script
	}
	if t.os != "windows" {
		for page, data := range r.shared.manual {
			files["man/man1/"+page] = data
		}
	}
	var entries []entry
	for file, data := range files {
		mode := int64(0o644)
		if file == filepath.Base(binary) {
			mode = 0o755
		}
		entries = append(entries, entry{name: path.Join(name, file), mode: mode, data: data})
	}
	sort.Slice(entries, func(i, j int) bool { return entries[i].name < entries[j].name })
	if t.os == "windows" {
		return r.writeZip(name+".zip", entries)
	}
	packed, err := r.tarball(entries)
	if err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(r.out, name+".tar.gz"), compressed(packed), 0o644)
}

// tarball returns the entries, in their order, as a tar archive.
func (r *release) tarball(entries []entry) ([]byte, error) {
	var out bytes.Buffer
	w := tar.NewWriter(&out)
	for _, e := range entries {
		header := &tar.Header{Name: e.name, Mode: e.mode, Uid: e.uid, Gid: e.uid, Size: int64(len(e.data)), ModTime: r.time, Typeflag: tar.TypeReg}
		if e.folder {
			header.Typeflag = tar.TypeDir
		}
		if err := w.WriteHeader(header); err != nil {
			return nil, err
		}
		if _, err := w.Write(e.data); err != nil {
			return nil, err
		}
	}
	err := w.Close()
	return out.Bytes(), err
}

func (r *release) writeZip(name string, entries []entry) error {
	var out bytes.Buffer
	w := zip.NewWriter(&out)
	for _, e := range entries {
		header := &zip.FileHeader{Name: e.name, Method: zip.Deflate, Modified: r.time}
		header.SetMode(os.FileMode(e.mode))
		file, err := w.CreateHeader(header)
		if err != nil {
			return err
		}
		if _, err := file.Write(e.data); err != nil {
			return err
		}
	}
	if err := w.Close(); err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(r.out, name), out.Bytes(), 0o644)
}
