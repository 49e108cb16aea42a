package main

import (
	"bytes"
	"crypto/sha256"
	"debug/buildinfo"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"

	cdx "github.com/CycloneDX/cyclonedx-go"
	"github.com/google/licensecheck"
)

// component is a module that is linked into a binary.
type component struct {
	path, version string
	licences      []string // SPDX ids
	text          []byte   // of its licence files
}

// components returns the modules in a binary, as the linker recorded them, and Go's own library.
func (r *release) components(binary string) ([]component, error) {
	info, err := buildinfo.ReadFile(binary)
	if err != nil {
		return nil, err
	}
	folders, err := moduleFolders(r.root)
	if err != nil {
		return nil, err
	}
	root, err := output(r.root, "go", "env", "GOROOT")
	if err != nil {
		return nil, err
	}
	std := component{path: "std", version: strings.TrimPrefix(info.GoVersion, "go")}
	parts := []component{std}
	folders[std.path] = root
	for _, dep := range info.Deps {
		if dep.Replace != nil {
			dep = dep.Replace
		}
		parts = append(parts, component{path: dep.Path, version: dep.Version})
	}
	for i := range parts {
		if err := parts[i].readLicence(folders[parts[i].path]); err != nil {
			return nil, err
		}
	}
	return parts, nil
}

// moduleFolders returns the folder of the sources of each module that the program requires.
func moduleFolders(root string) (map[string]string, error) {
	cmd := exec.Command("go", "list", "-m", "-json=Path,Dir", "all")
	cmd.Dir, cmd.Stderr = root, os.Stderr
	out, err := cmd.Output()
	if err != nil {
		return nil, fmt.Errorf("go list -m all: %w", err)
	}
	folders := map[string]string{}
	for dec := json.NewDecoder(bytes.NewReader(out)); ; {
		var module struct{ Path, Dir string }
		if err := dec.Decode(&module); errors.Is(err, io.EOF) {
			return folders, nil
		} else if err != nil {
			return nil, err
		}
		folders[module.Path] = module.Dir
	}
}

// readLicence reads the licence files in the folder of a module. A module without a known licence is an error,
// since what may not be passed on must not be in a release.
func (c *component) readLicence(folder string) error {
	files, err := os.ReadDir(folder)
	if err != nil {
		return fmt.Errorf("the sources of %s: %w", c.path, err)
	}
	for _, file := range files {
		name := strings.ToUpper(file.Name())
		isLicence := strings.HasPrefix(name, "LICENSE") || strings.HasPrefix(name, "LICENCE") || strings.HasPrefix(name, "COPYING")
		if !file.Type().IsRegular() || !isLicence && !strings.HasPrefix(name, "NOTICE") {
			continue
		}
		text, err := os.ReadFile(filepath.Join(folder, file.Name()))
		if err != nil {
			return err
		}
		c.text = fmt.Appendf(c.text, "%s\n", bytes.TrimSpace(text))
		for _, match := range licensecheck.Scan(text).Match {
			if isLicence && !match.IsURL && !slices.Contains(c.licences, match.ID) {
				c.licences = append(c.licences, match.ID)
			}
		}
	}
	if len(c.licences) == 0 {
		return fmt.Errorf("module %s has no licence that is known", c.path)
	}
	return nil
}

// licenceTexts returns the licences of all components as one text. Most of them require that
// it accompanies the binary.
func licenceTexts(parts []component) []byte {
	var out bytes.Buffer
	out.WriteString("Tidings contains these libraries. Their licences follow.\n")
	for _, c := range parts {
		fmt.Fprintf(&out, "\n%s\n%s %s (%s)\n\n%s", strings.Repeat("=", 80), c.path, c.version, strings.Join(c.licences, ", "), c.text)
	}
	return out.Bytes()
}

// writeBOM writes the list of the components of a binary in the form of CycloneDX.
func (r *release) writeBOM(t target, binary string, parts []component) error {
	data, err := os.ReadFile(binary)
	if err != nil {
		return err
	}
	purl := "pkg:golang/github.com/tidings-press/tidings@" + r.version
	main := cdx.Component{
		BOMRef: purl, Type: cdx.ComponentTypeApplication, Name: "tidings", Version: r.version, PackageURL: purl,
		Licenses:   licenceChoices([]string{"Apache-2.0"}),
		Hashes:     &[]cdx.Hash{{Algorithm: cdx.HashAlgoSHA256, Value: fmt.Sprintf("%x", sha256.Sum256(data))}},
		Properties: &[]cdx.Property{{Name: "GOOS", Value: t.os}, {Name: "GOARCH", Value: t.arch}, {Name: "go", Value: runtime.Version()}},
	}
	var all []cdx.Component
	var refs []string
	for _, c := range parts {
		ref := "pkg:golang/" + c.path + "@" + c.version
		all = append(all, cdx.Component{BOMRef: ref, Type: cdx.ComponentTypeLibrary, Name: c.path, Version: c.version, PackageURL: ref, Licenses: licenceChoices(c.licences)})
		refs = append(refs, ref)
	}
	bom := cdx.NewBOM()
	bom.Metadata = &cdx.Metadata{Timestamp: r.time.Format("2006-01-02T15:04:05Z"), Component: &main}
	bom.Components = &all
	bom.Dependencies = &[]cdx.Dependency{{Ref: purl, Dependencies: &refs}}
	var out bytes.Buffer
	if err := cdx.NewBOMEncoder(&out, cdx.BOMFileFormatJSON).SetPretty(true).Encode(bom); err != nil {
		return err
	}
	name := fmt.Sprintf("tidings_%s_%s_%s.cdx.json", r.version, t.os, t.arch)
	return os.WriteFile(filepath.Join(r.out, name), out.Bytes(), 0o644)
}

func licenceChoices(ids []string) *cdx.Licenses {
	var choices cdx.Licenses
	for _, id := range ids {
		choices = append(choices, cdx.LicenseChoice{License: &cdx.License{ID: id}})
	}
	return &choices
}
