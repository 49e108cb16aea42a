package tree

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

func TestDependenciesAreDocumented(t *testing.T) {
	t.Parallel()
	cmd := exec.Command("go", "list", "-m", "-f", "{{if not (or .Indirect .Main)}}{{.Path}}{{end}}", "all")
	cmd.Dir = filepath.Join("..", "..")
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("go list -m all: %v", err)
	}
	direct := map[string]bool{}
	for _, path := range strings.Fields(string(out)) {
		direct[path] = true
	}
	page, err := os.ReadFile(filepath.Join("..", "..", "docs", "dependencies.md"))
	if err != nil {
		t.Fatal(err)
	}
	explained := map[string]bool{}
	for _, row := range regexp.MustCompile("(?m)^\\| `([^`]+)` \\|").FindAllStringSubmatch(string(page), -1) {
		explained[row[1]] = true
	}
	for path := range direct {
		if !explained[path] {
			t.Errorf("docs/dependencies.md has no row for %s", path)
		}
	}
	for path := range explained {
		if !direct[path] {
			t.Errorf("docs/dependencies.md explains %s, which go.mod does not require directly", path)
		}
	}
}

// TestCachesAndSignedTokensHaveOnePackage checks that only internal/lru imports a cache library, and
// that only internal/token makes tokens of the web interface.
func TestCachesAndSignedTokensHaveOnePackage(t *testing.T) {
	t.Parallel()
	sources(t, func(path string, data []byte) {
		path = filepath.ToSlash(path)
		if strings.Contains(string(data), `"github.com/hashicorp/golang-lru`) && !strings.Contains(path, "/internal/lru/") {
			t.Errorf("%s imports golang-lru; use internal/lru", path)
		}
		if strings.Contains(string(data), `"crypto/hmac"`) && strings.Contains(path, "/internal/web/") {
			t.Errorf("%s imports crypto/hmac; sign with internal/token", path)
		}
	})
}
