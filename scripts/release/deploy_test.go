package main

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/compose-spec/compose-go/v2/loader"
	compose "github.com/compose-spec/compose-go/v2/types"
	apps "k8s.io/api/apps/v1"
	core "k8s.io/api/core/v1"
	"sigs.k8s.io/yaml"
)

func deployFile(name string) string { return filepath.Join("..", "..", "docs", "deploy", name) }

func TestComposeFileMatchesItsSchema(t *testing.T) {
	t.Parallel()
	load := func(change func([]byte) []byte) (*compose.Project, error) {
		data, err := os.ReadFile(deployFile("compose.yaml"))
		if err != nil {
			t.Fatal(err)
		}
		files := []compose.ConfigFile{{Filename: "compose.yaml", Content: change(data)}}
		details := compose.ConfigDetails{WorkingDir: t.TempDir(), ConfigFiles: files, Environment: compose.Mapping{"TIDINGS_VERSION": "0.1.0"}}
		return loader.LoadWithContext(context.Background(), details, func(o *loader.Options) { o.SetProjectName("tidings", true) })
	}
	project, err := load(bytes.Clone)
	if err != nil {
		t.Fatal(err)
	}
	service := project.Services["tidings"]
	if service.Image != "tidings:0.1.0" || !service.ReadOnly || service.User != fmt.Sprintf("%d:%d", imageUser, imageUser) {
		t.Errorf("image %s, read-only %t, user %s", service.Image, service.ReadOnly, service.User)
	}
	if _, err := load(func(data []byte) []byte { return bytes.Replace(data, []byte("read_only:"), []byte("readonly:"), 1) }); err == nil {
		t.Error("a misspelt key is accepted, so this test finds nothing")
	}
}

// kubernetesObject decodes an object and refuses fields that its kind does not have.
func kubernetesObject(document string) (any, error) {
	var kind struct{ Kind string }
	if err := yaml.Unmarshal([]byte(document), &kind); err != nil {
		return nil, err
	}
	kinds := map[string]any{"ConfigMap": &core.ConfigMap{}, "Secret": &core.Secret{}, "Service": &core.Service{}, "StatefulSet": &apps.StatefulSet{}}
	object := kinds[kind.Kind]
	if object == nil {
		return nil, fmt.Errorf("kind %q", kind.Kind)
	}
	return object, yaml.UnmarshalStrict([]byte(document), object)
}

// TestReleaseHasTheFilesThatItsPagesLinkTo checks the links of the documents in packages and archives,
// apart from those to pictures and to sources.
func TestReleaseHasTheFilesThatItsPagesLinkTo(t *testing.T) {
	t.Parallel()
	docs, err := readDocs(filepath.Join("..", "..", "docs"))
	if err != nil {
		t.Fatal(err)
	}
	link := regexp.MustCompile(`\]\(([^)#:]+)(?:#[^)]*)?\)`)
	checked := 0
	for page, text := range docs {
		for _, found := range link.FindAllSubmatch(text, -1) {
			target := path.Join(path.Dir(page), string(found[1]))
			if !strings.HasSuffix(page, ".md") || strings.HasPrefix(target, "../") || strings.HasPrefix(target, "images/") {
				continue
			}
			checked++
			if docs[target] == nil && !slices.Contains([]string{"decisions", "deploy", "monitoring"}, target) { // folders
				t.Errorf("%s links to %s, which no package has", page, target)
			}
		}
	}
	if checked < 50 || docs["deploy/compose.yaml"] == nil || docs["monitoring/alerts.yaml"] == nil {
		t.Errorf("%d links in %d files", checked, len(docs))
	}
}

func TestKubernetesObjectsMatchTheirTypes(t *testing.T) {
	t.Parallel()
	data, err := os.ReadFile(deployFile("kubernetes.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	var set *apps.StatefulSet
	for document := range strings.SplitSeq(string(data), "\n---\n") {
		object, err := kubernetesObject(document)
		if err != nil {
			t.Error(err)
		}
		if found, ok := object.(*apps.StatefulSet); ok {
			set = found
			if _, err := kubernetesObject(strings.Replace(document, "readOnlyRootFilesystem", "readOnlyRoot", 1)); err == nil {
				t.Error("a misspelt field is accepted, so this test finds nothing")
			}
		}
	}
	pod := set.Spec.Template
	if *pod.Spec.SecurityContext.RunAsUser != imageUser || pod.Labels["app"] != set.Spec.Selector.MatchLabels["app"] {
		t.Errorf("user %d, labels %v for the selector %v", *pod.Spec.SecurityContext.RunAsUser, pod.Labels, set.Spec.Selector.MatchLabels)
	}
	volumes := map[string]bool{set.Spec.VolumeClaimTemplates[0].Name: true}
	for _, volume := range pod.Spec.Volumes {
		volumes[volume.Name] = true
	}
	for _, mount := range pod.Spec.Containers[0].VolumeMounts {
		if !volumes[mount.Name] {
			t.Errorf("volume %s is mounted, but not defined", mount.Name)
		}
	}
}
