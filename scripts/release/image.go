package main

import (
	"bytes"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/layout"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/tarball"
	"github.com/google/go-containerregistry/pkg/v1/types"
	"golang.org/x/crypto/x509roots/fallback/bundle"
)

// imageUser is the user and the group that the program runs as in a container.
const imageUser = 65532

// writeImage writes an image of the program and nothing else, as a tar archive of an OCI layout. It has
// the list that "docker load" reads too.
func (r *release) writeImage(t target, binary string, notices []byte) error {
	image, err := r.image(t, binary, notices)
	if err != nil {
		return err
	}
	folder := filepath.Join(r.work, "image-"+t.arch)
	index, err := layout.Write(folder, empty.Index)
	if err != nil {
		return err
	}
	name := "tidings:" + r.version
	platform := layout.WithPlatform(v1.Platform{OS: t.os, Architecture: t.arch})
	if err := index.AppendImage(image, platform, layout.WithAnnotations(map[string]string{"org.opencontainers.image.ref.name": r.version, "io.containerd.image.name": name})); err != nil {
		return err
	}
	if err := writeDockerList(folder, name, image); err != nil {
		return err
	}
	entries, err := folderEntries(folder)
	if err != nil {
		return err
	}
	packed, err := r.tarball(entries)
	if err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(r.out, fmt.Sprintf("tidings_%s_%s_%s.oci.tar", r.version, t.os, t.arch)), packed, 0o644)
}

// image is the image itself: one layer, and how the program is started.
func (r *release) image(t target, binary string, notices []byte) (v1.Image, error) {
	files, err := r.imageFiles(binary, notices)
	if err != nil {
		return nil, err
	}
	open := func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(files)), nil }
	layer, err := tarball.LayerFromOpener(open, tarball.WithMediaType(types.OCILayer))
	if err != nil {
		return nil, err
	}
	base := mutate.ConfigMediaType(mutate.MediaType(empty.Image, types.OCIManifestSchema1), types.OCIConfigJSON)
	image, err := mutate.Append(base, mutate.Addendum{Layer: layer, History: v1.History{Created: v1.Time{Time: r.time}, CreatedBy: "make release"}})
	if err != nil {
		return nil, err
	}
	return mutate.ConfigFile(image, r.imageConfig(t, image))
}

func (r *release) imageConfig(t target, image v1.Image) *v1.ConfigFile {
	config, _ := image.ConfigFile() // of an image in memory
	config = config.DeepCopy()
	config.OS, config.Architecture, config.Created = t.os, t.arch, v1.Time{Time: r.time}
	config.Config = v1.Config{
		User:         fmt.Sprintf("%d:%d", imageUser, imageUser),
		Entrypoint:   []string{"/usr/bin/tidings"},
		Cmd:          []string{"serve"},
		Env:          []string{"PATH=/usr/bin", "TIDINGS_CONFIG=/etc/tidings/config.yaml"},
		WorkingDir:   "/var/lib/tidings",
		Volumes:      map[string]struct{}{"/var/lib/tidings": {}},
		ExposedPorts: map[string]struct{}{"8080/tcp": {}},
		Labels: map[string]string{
			"org.opencontainers.image.title": "Tidings", "org.opencontainers.image.version": r.version, "org.opencontainers.image.licenses": "Apache-2.0",
			"org.opencontainers.image.description": "Self-hosted feed and newsletter server", "org.opencontainers.image.source": "https://github.com/tidings-press/tidings",
		},
	}
	return config
}

// imageFiles returns the layer. Certificates come from Go's copy of Mozilla's list, so that they depend on
// go.mod alone; the timezones are in the binary.
func (r *release) imageFiles(binary string, notices []byte) ([]byte, error) {
	program, err := os.ReadFile(binary)
	if err != nil {
		return nil, err
	}
	var roots bytes.Buffer
	for root := range bundle.Roots() {
		if root.Constraint == nil {
			if err := pem.Encode(&roots, &pem.Block{Type: "CERTIFICATE", Bytes: root.Certificate}); err != nil {
				return nil, err
			}
		}
	}
	user := fmt.Sprintf("tidings:x:%d:%d:Tidings:/var/lib/tidings:/usr/sbin/nologin\n", imageUser, imageUser)
	folder := func(name string, mode int64, uid int) entry {
		return entry{name: name, mode: mode, uid: uid, folder: true}
	}
	file := func(name string, mode int64, data []byte) entry { return entry{name: name, mode: mode, data: data} }
	return r.tarball([]entry{
		folder("etc/", 0o755, 0), file("etc/group", 0o644, []byte(fmt.Sprintf("root:x:0:\ntidings:x:%d:\n", imageUser))),
		file("etc/passwd", 0o644, []byte("root:x:0:0:root:/:/usr/sbin/nologin\n"+user)),
		folder("etc/ssl/", 0o755, 0), folder("etc/ssl/certs/", 0o755, 0), file("etc/ssl/certs/ca-certificates.crt", 0o644, roots.Bytes()),
		folder("etc/tidings/", 0o755, 0), file("etc/tidings/config.yaml", 0o644, r.shared.config),
		folder("tmp/", 0o1777, 0),
		folder("usr/", 0o755, 0), folder("usr/bin/", 0o755, 0), file("usr/bin/tidings", 0o755, program),
		folder("usr/share/", 0o755, 0), folder("usr/share/doc/", 0o755, 0), folder("usr/share/doc/tidings/", 0o755, 0),
		file("usr/share/doc/tidings/copyright", 0o644, append(append([]byte{}, r.shared.docs["LICENSE"]...), notices...)),
		folder("var/", 0o755, 0), folder("var/lib/", 0o755, 0), folder("var/lib/tidings/", 0o700, imageUser),
	})
}

// writeDockerList writes manifest.json, by which Docker finds an image in an archive.
func writeDockerList(folder, name string, image v1.Image) error {
	manifest, err := image.Manifest()
	if err != nil {
		return err
	}
	blob := func(h v1.Hash) string { return "blobs/" + h.Algorithm + "/" + h.Hex }
	var layers []string
	for _, layer := range manifest.Layers {
		layers = append(layers, blob(layer.Digest))
	}
	list, err := json.Marshal([]map[string]any{{"Config": blob(manifest.Config.Digest), "RepoTags": []string{name}, "Layers": layers}})
	if err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(folder, "manifest.json"), list, 0o644)
}

// folderEntries reads a folder with everything below it, in the order of names.
func folderEntries(folder string) ([]entry, error) {
	var entries []entry
	err := filepath.WalkDir(folder, func(path string, d fs.DirEntry, err error) error {
		if err != nil || path == folder {
			return err
		}
		name, err := filepath.Rel(folder, path)
		if err != nil {
			return err
		}
		e := entry{name: filepath.ToSlash(name), mode: 0o644}
		if d.IsDir() {
			e.name, e.mode, e.folder = e.name+"/", 0o755, true
		} else if e.data, err = os.ReadFile(path); err != nil {
			return err
		}
		entries = append(entries, e)
		return nil
	})
	return entries, err
}
