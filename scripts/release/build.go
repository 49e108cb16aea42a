package main

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"sort"
	"strings"
)

// sharedFiles are the same for every system.
type sharedFiles struct {
	manual      map[string][]byte // manual pages by file name
	completions map[string][]byte // scripts by the name of the shell
	config      []byte            // /etc/tidings/config.yaml of packages and images
	docs        map[string][]byte // by path below the folder of documents
}

// buildTarget builds the program for a system, and everything that contains it.
func (r *release) buildTarget(t target) error {
	binary := r.binary(t)
	if err := r.compile(t); err != nil {
		return err
	}
	parts, err := r.components(binary)
	if err != nil {
		return err
	}
	if err := r.writeBOM(t, binary, parts); err != nil {
		return err
	}
	notices := licenceTexts(parts)
	if err := r.writeArchive(t, binary, notices); err != nil {
		return err
	}
	if t.os != "linux" {
		return nil
	}
	for _, kind := range []string{"deb", "rpm"} {
		if err := r.writePackage(kind, t, binary, notices); err != nil {
			return fmt.Errorf(".%s: %w", kind, err)
		}
	}
	return r.writeImage(t, binary, notices)
}

// binary returns the path of the program for a system.
func (r *release) binary(t target) string {
	path := filepath.Join(r.work, t.os+"_"+t.arch, "tidings")
	if t.os == "windows" {
		path += ".exe"
	}
	return path
}

// compile builds a static binary that depends on the sources and the version of Go alone.
func (r *release) compile(t target) error {
	if _, err := os.Stat(r.binary(t)); err == nil {
		return nil
	}
	fmt.Println("release: compile for", t)
	cmd := exec.Command("go", "build", "-trimpath", "-buildvcs=false", "-ldflags", "-s -w -buildid= -X main.version="+r.version, "-o", r.binary(t), "./cmd/tidings")
	cmd.Dir = r.root
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0", "GOOS="+t.os, "GOARCH="+t.arch, "GOAMD64=v1", "GOARM64=v8.0", "GOEXPERIMENT=", "GOFLAGS=-tags=nodynamic")
	cmd.Stderr = os.Stderr
	return cmd.Run()
}

// collectShared builds the program for this machine and lets it write its manual and completions.
func (r *release) collectShared() error {
	this := target{runtime.GOOS, runtime.GOARCH}
	if err := r.compile(this); err != nil {
		return err
	}
	host := r.binary(this)
	manual := filepath.Join(r.work, "man1")
	cmd := exec.Command(host, "man", manual)
	cmd.Env = append(os.Environ(), fmt.Sprintf("SOURCE_DATE_EPOCH=%d", r.time.Unix()))
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("tidings man: %w: %s", err, out)
	}
	var err error
	if r.shared.manual, err = readFolder(manual, "*.1"); err != nil {
		return err
	}
	r.shared.completions = map[string][]byte{}
	for _, shell := range []string{"bash", "zsh", "fish", "powershell"} {
		script, err := exec.Command(host, "completion", shell).Output()
		if err != nil {
			return fmt.Errorf("tidings completion %s: %w", shell, err)
		}
		r.shared.completions[shell] = script
	}
	if r.shared.config, err = r.packageConfig(); err != nil {
		return err
	}
	if r.shared.docs, err = readDocs(filepath.Join(r.root, "docs")); err != nil {
		return err
	}
	for _, name := range projectFiles {
		if r.shared.docs[name], err = os.ReadFile(filepath.Join(r.root, name)); err != nil {
			return err
		}
	}
	return nil
}

// projectFiles are the documents beside the folder docs.
var projectFiles = []string{"README.md", "CHANGELOG.md", "LICENSE"}

// readDocs returns the files of the folder of documents by their paths below it: the pages, and the
// examples that they link to. Pictures are left out because of their size.
func readDocs(folder string) (map[string][]byte, error) {
	docs := map[string][]byte{}
	err := filepath.WalkDir(folder, func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if entry.IsDir() {
			if entry.Name() == "images" {
				return fs.SkipDir
			}
			return nil
		}
		name, err := filepath.Rel(folder, path)
		if err != nil {
			return err
		}
		docs[filepath.ToSlash(name)], err = os.ReadFile(path)
		return err
	})
	return docs, err
}

// packageConfig is the configuration file to start from, with the store in /var/lib/tidings.
func (r *release) packageConfig() ([]byte, error) {
	config, err := os.ReadFile(filepath.Join(r.root, "config.yaml"))
	for _, change := range []struct{ from, to string }{
		{"dsn: ${TIDINGS_STORE:-sqlite:tidings.db}", "dsn: ${TIDINGS_STORE:-sqlite:/var/lib/tidings/tidings.db}"},
		{"tidings.db beside this file", "/var/lib/tidings/tidings.db"},
	} {
		if err == nil && bytes.Count(config, []byte(change.from)) != 1 {
			err = fmt.Errorf("config.yaml does not have %q exactly once; correct packageConfig", change.from)
		}
		config = bytes.ReplaceAll(config, []byte(change.from), []byte(change.to))
	}
	return config, err
}

// readFolder returns the files of a folder whose names match the pattern.
func readFolder(folder, pattern string) (map[string][]byte, error) {
	paths, err := filepath.Glob(filepath.Join(folder, pattern))
	if err == nil && len(paths) == 0 {
		err = fmt.Errorf("%s has no files %s", folder, pattern)
	}
	files := map[string][]byte{}
	for _, path := range paths {
		if err == nil {
			files[filepath.Base(path)], err = os.ReadFile(path)
		}
	}
	return files, err
}

// compressed returns data as gzip without a name or a time.
func compressed(data []byte) []byte {
	var out bytes.Buffer
	w, _ := gzip.NewWriterLevel(&out, gzip.BestCompression) // the level is valid
	w.Write(data)                                           //nolint:errcheck // a buffer takes everything
	w.Close()
	return out.Bytes()
}

// writeChecksums writes the SHA-256 of every file in the form of sha256sum.
func (r *release) writeChecksums() error {
	files, err := filepath.Glob(filepath.Join(r.out, "*"))
	if err != nil {
		return err
	}
	sort.Strings(files)
	var sums strings.Builder
	for _, path := range files {
		data, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		fmt.Fprintf(&sums, "%x  %s\n", sha256.Sum256(data), filepath.Base(path))
		fmt.Printf("release: %6.1f MB %s\n", float64(len(data))/1e6, path)
	}
	return os.WriteFile(filepath.Join(r.out, "SHA256SUMS"), []byte(sums.String()), 0o644)
}
