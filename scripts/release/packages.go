package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"

	"github.com/goreleaser/nfpm/v2"
	_ "github.com/goreleaser/nfpm/v2/deb" // registers the kinds of packages
	"github.com/goreleaser/nfpm/v2/files"
	_ "github.com/goreleaser/nfpm/v2/rpm"
)

const description = `Self-hosted feed and newsletter server
Tidings imports articles, serves them as RSS, Atom and JSON feeds, and mails
them as HTML digests on a schedule.`

// staged collects the files of a package in a folder, from which nfpm reads them.
type staged struct {
	folder   string
	contents files.Contents
	err      error
}

// add adds a file that root owns and everyone may read.
func (s *staged) add(path string, data []byte) { s.addAs(path, data, "", 0o644, "root") }

// addAs adds a file. The kind is empty, or as nfpm calls it.
func (s *staged) addAs(path string, data []byte, kind string, mode os.FileMode, group string) {
	source := filepath.Join(s.folder, path)
	if s.err == nil {
		s.err = os.MkdirAll(filepath.Dir(source), 0o755)
	}
	if s.err == nil {
		s.err = os.WriteFile(source, data, 0o644)
	}
	s.contents = append(s.contents, &files.Content{Source: source, Destination: path, Type: kind, FileInfo: &files.ContentFileInfo{Owner: "root", Group: group, Mode: mode}})
}

func (s *staged) addFolder(path, owner string, mode os.FileMode) {
	s.contents = append(s.contents, &files.Content{Destination: path, Type: files.TypeDir, FileInfo: &files.ContentFileInfo{Owner: owner, Group: "tidings", Mode: mode}})
}

// writePackage writes a .deb or .rpm.
func (r *release) writePackage(kind string, t target, binary string, notices []byte) error {
	s := staged{folder: filepath.Join(r.work, kind+"-"+t.arch)}
	if err := r.stage(&s, kind, binary, notices); err != nil {
		return err
	}
	scripts, err := r.packageScripts(s.folder)
	if err != nil {
		return err
	}
	info := nfpm.WithDefaults(&nfpm.Info{
		Name: "tidings", Arch: t.arch, Platform: t.os, Version: r.version, VersionSchema: "semver", Release: release1(kind),
		Section: "web", Priority: "optional", License: "Apache-2.0", Description: description,
		Maintainer: "The developers of Tidings <maintainers@tidings.example>", Vendor: "Tidings", Homepage: "https://github.com/tidings-press/tidings",
		MTime: r.time, DisableGlobbing: true,
		Overridables: nfpm.Overridables{Contents: s.contents, Scripts: scripts, Recommends: []string{"ca-certificates"}, RPM: nfpm.RPM{Compression: "zstd", BuildHost: "localhost"}, Deb: nfpm.Deb{Compression: "gzip"}},
	})
	if kind == "deb" {
		info.Depends = []string{"passwd"}
	} else {
		info.Depends = []string{"/usr/sbin/useradd", "/usr/sbin/groupadd"}
	}
	packager, err := nfpm.Get(kind)
	if err != nil {
		return err
	}
	var out bytes.Buffer
	if err := packager.Package(info, &out); err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(r.out, packager.ConventionalFileName(info)), out.Bytes(), 0o644)
}

// release1 is the number of this packaging of a version. A .deb of the project's own has none.
func release1(kind string) string {
	if kind == "rpm" {
		return "1"
	}
	return ""
}

// stage adds everything that a package installs.
func (r *release) stage(s *staged, kind, binary string, notices []byte) error {
	program, err := os.ReadFile(binary)
	if err != nil {
		return err
	}
	unit, err := os.ReadFile(filepath.Join(r.root, "scripts", "release", "package", "tidings.service"))
	if err != nil {
		return err
	}
	s.addAs("/usr/bin/tidings", program, "", 0o755, "root")
	s.add("/usr/lib/systemd/system/tidings.service", unit)
	s.addFolder("/etc/tidings", "root", 0o750)
	s.addAs("/etc/tidings/config.yaml", r.shared.config, files.TypeConfigNoReplace, 0o640, "tidings")
	s.addFolder("/var/lib/tidings", "tidings", 0o750)
	for page, data := range r.shared.manual {
		s.add("/usr/share/man/man1/"+page+".gz", compressed(data))
	}
	zsh := "/usr/share/zsh/site-functions/_tidings"
	if kind == "deb" {
		zsh = "/usr/share/zsh/vendor-completions/_tidings"
	}
	s.add("/usr/share/bash-completion/completions/tidings", r.shared.completions["bash"])
	s.add("/usr/share/fish/vendor_completions.d/tidings.fish", r.shared.completions["fish"])
	s.add(zsh, r.shared.completions["zsh"])
	for name, data := range r.shared.docs {
		if name != "LICENSE" {
			s.add("/usr/share/doc/tidings/"+name, data)
		}
	}
	s.add("/usr/share/doc/tidings/copyright", append(append([]byte{}, r.shared.docs["LICENSE"]...), notices...))
	return s.err
}

// packageScripts writes the scripts that a package runs before and after its files change, with
// the version filled in. dpkg and rpm call them with different arguments, which the scripts know.
func (r *release) packageScripts(folder string) (nfpm.Scripts, error) {
	path := func(name string) string { return filepath.Join(folder, "scripts", name) }
	if err := os.MkdirAll(path(""), 0o755); err != nil {
		return nfpm.Scripts{}, err
	}
	for _, name := range []string{"preinstall", "postinstall", "preremove", "postremove"} {
		text, err := os.ReadFile(filepath.Join(r.root, "scripts", "release", "package", name))
		if err != nil {
			return nfpm.Scripts{}, err
		}
		filled := strings.ReplaceAll(string(text), "@VERSION@", strings.Replace(r.version, "-", "~", 1))
		if err := os.WriteFile(path(name), []byte(filled), 0o755); err != nil {
			return nfpm.Scripts{}, err
		}
	}
	return nfpm.Scripts{PreInstall: path("preinstall"), PostInstall: path("postinstall"), PreRemove: path("preremove"), PostRemove: path("postremove")}, nil
}
