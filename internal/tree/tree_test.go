package tree

import (
	"encoding/json"
	"errors"
	"io"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

const module = "github.com/tidings-press/tidings/"

// layers lists the parts of the program from the top down. A package imports only packages
// of lower layers, and of its own part.
var layers = [][]string{
	{"cmd"},
	{"internal/app"},
	{"internal/web", "internal/bounce", "internal/websub", "internal/health"},
	{"internal/article/writing"},
	{"internal/delivery", "internal/article/ingest", "internal/settings", "internal/subscription", "internal/doctor"},
	{"internal/copies", "internal/backups"},
	{"internal/store", "internal/feedserver", "internal/lint"},
	{"internal/digest", "feed"},
	{"internal/config", "internal/update"},
	{"mailer", "templates", "internal/article", "internal/schedule"},
	{"internal/subscriber"},
	{"internal/token", "internal/certificate", "internal/listen", "internal/journal", "internal/archive", "internal/connlimit", "internal/publicnet", "internal/cpulimit", "internal/plaintext", "internal/picture", "internal/rendercache", "internal/inbox", "internal/samples", "internal/words"},
	{"internal/lru", "internal/backoff", "internal/metrics", "internal/disk", "internal/warmup"},
}

// testOnly lists what the program itself never imports.
var testOnly = []string{"bench", "internal/testkit", "internal/tree"}

// within reports whether the package at path is one of parts or stands below one of them.
func within(parts []string, path string) bool {
	return slices.ContainsFunc(parts, func(part string) bool { return path == part || strings.HasPrefix(path, part+"/") })
}

// layer returns the index of a package's layer, -1 if it has none.
func layer(path string) int {
	return slices.IndexFunc(layers, func(parts []string) bool { return within(parts, path) })
}

// samePart reports whether two packages belong to one part of the program.
func samePart(a, b string) bool {
	return slices.ContainsFunc(slices.Concat(layers...), func(part string) bool {
		return within([]string{part}, a) && within([]string{part}, b)
	})
}

type listed struct {
	ImportPath string
	Imports    []string
}

func packages(t *testing.T) []listed {
	t.Helper()
	cmd := exec.Command("go", "list", "-json=ImportPath,Imports", "./...")
	cmd.Dir = filepath.Join("..", "..")
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("go list: %v", err)
	}
	var all []listed
	for dec := json.NewDecoder(strings.NewReader(string(out))); ; {
		var p listed
		if err := dec.Decode(&p); errors.Is(err, io.EOF) {
			return all
		} else if err != nil {
			t.Fatal(err)
		}
		all = append(all, p)
	}
}

func TestImportsPointDownwards(t *testing.T) {
	t.Parallel()
	for _, p := range packages(t) {
		from := strings.TrimPrefix(p.ImportPath, module)
		if within(testOnly, from) {
			continue
		}
		if layer(from) < 0 {
			t.Errorf("%s has no layer: add it to layers here and to docs/architecture.md", from)
		}
		for _, imported := range p.Imports {
			to, ours := strings.CutPrefix(imported, module)
			switch {
			case !ours || samePart(from, to):
			case within(testOnly, to):
				t.Errorf("%s imports %s, which is for tests and measurements only", from, to)
			case layer(to) <= layer(from):
				t.Errorf("%s imports %s, which is not in a lower layer", from, to)
			}
		}
	}
}
