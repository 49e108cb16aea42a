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

// floors lists the rooms from the top of the house to its ground. A package may
// import only what stands below its own floor.
var floors = []string{
	"cmd",
	"press",
	"web",
	"bounce",
	"delivery",
	"store",
	"feed",
	"digest",
	"mailer",
	"config",
	"subscriber",
	"article",
	"templates",
	"schedule",
}

// alone are the rooms that import nothing of ours.
var alone = []string{"mailer", "subscriber", "article", "schedule", "templates"}

// ground is below every floor: what the program needs that others may not import. It
// imports nothing of ours. The rest of internal is for tests.
var ground = []string{"internal/token"}

// isGround reports whether a package is on the ground.
func isGround(path string) bool {
	return slices.Contains(ground, strings.TrimPrefix(path, module))
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

// room is the first element of a package's path below the module, "" for others.
func room(path string) string {
	rest, ours := strings.CutPrefix(path, module)
	if !ours {
		return ""
	}
	return strings.SplitN(rest, "/", 2)[0]
}

// testOnly reports whether a package is for tests and measurements. The other packages below
// internal are parts of the program.
func testOnly(path string) bool {
	rest := strings.TrimPrefix(path, module)
	return strings.HasPrefix(rest, "bench/") || slices.Contains([]string{"internal/sink", "internal/testenv", "internal/tree", "internal/testkit"}, rest)
}

func TestImportsPointDownwards(t *testing.T) {
	t.Parallel()
	for _, p := range packages(t) {
		from := room(p.ImportPath)
		if isGround(p.ImportPath) {
			for _, imported := range p.Imports {
				if room(imported) != "" {
					t.Errorf("%s imports %s: it is below everything else", p.ImportPath, imported)
				}
			}
		}
		floor := slices.Index(floors, from)
		if floor < 0 {
			continue // bench, internal and samples are not on a floor
		}
		for _, imported := range p.Imports {
			to := room(imported)
			if to == "" || to == from || isGround(imported) {
				continue
			}
			if slices.Contains(alone, from) {
				t.Errorf("%s imports %s: %s stands alone and imports nothing of ours", p.ImportPath, imported, from)
			}
			if testOnly(imported) && !strings.HasSuffix(p.ImportPath, "test") { // store/storetest serves tests, like net/http/httptest
				t.Errorf("%s imports %s: that is for tests and measurements only", p.ImportPath, imported)
			}
			if below := slices.Index(floors, to); below >= 0 && below < floor {
				t.Errorf("%s imports %s, which stands above it", p.ImportPath, imported)
			}
		}
	}
}
