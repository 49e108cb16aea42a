package tree

import (
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// TestTestsWithGoroutinesRunWithRaceDetector checks scripts/run-tests: of the packages whose tests run without
// the detector, a test that starts goroutines must be among those that run with it too.
func TestTestsWithGoroutinesRunWithRaceDetector(t *testing.T) {
	root := filepath.Join("..", "..")
	data, err := os.ReadFile(filepath.Join(root, "scripts", "run-tests"))
	if err != nil {
		t.Fatal(err)
	}
	script := string(data)
	find := func(pattern string) string {
		t.Helper()
		found := regexp.MustCompile(pattern).FindStringSubmatch(script)
		if found == nil {
			t.Fatalf("scripts/run-tests has no %s; correct this test", pattern)
		}
		return found[1]
	}
	packages := func(list string) []string { return regexp.MustCompile(`\./[\w./]+`).FindAllString(list, -1) }
	atOnce := regexp.MustCompile(find(`(?m)^atonce='(.+)'$`))
	byName, shortByName := packages(find(`(?m)^\s*run atonce (.+)$`)), packages(find(`(?m)^\s*run short-atonce (.+)$`))
	short := packages(find(`(?m)^\s*run short (.+)$`))
	slowByName, slowNames := packages(find(`(?m)^\s*run slow (.+)$`)), regexp.MustCompile(find(`(?m)^slow='(.+)'$`))
	for _, folder := range packages(find(`(?s)\nplain=\((.+?)\)`)) {
		for name, slow := range testsWithGoroutines(t, filepath.Join(root, folder)) {
			named := atOnce.MatchString(name)
			switch {
			case slices.Contains(byName, folder) && named:
			case slices.Contains(slowByName, folder) && slowNames.MatchString(name):
			case slices.Contains(shortByName, folder) && named && !slow, slices.Contains(short, folder) && !slow:
			default:
				t.Errorf("%s in %s starts goroutines and never runs with the race detector; add it to atonce or slow in scripts/run-tests (slow: %t)", name, folder, slow)
			}
		}
	}
}

// testsWithGoroutines returns the tests in a folder that start goroutines themselves, and whether a short run
// skips them.
func testsWithGoroutines(t *testing.T, folder string) map[string]bool {
	t.Helper()
	tests := map[string]bool{}
	files, err := filepath.Glob(filepath.Join(folder, "*_test.go"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no tests in %s: %v", folder, err)
	}
	for _, path := range files {
		file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		for _, declaration := range file.Decls {
			f, ok := declaration.(*ast.FuncDecl)
			if ok && f.Recv == nil && strings.HasPrefix(f.Name.Name, "Test") && startsGoroutines(f) {
				tests[f.Name.Name] = selects(f, "Slow") || selects(f, "Short")
			}
		}
	}
	return tests
}

// startsGoroutines reports whether a function has a go statement, calls Go of a group, or the helper
// concurrently.
func startsGoroutines(f *ast.FuncDecl) (found bool) {
	ast.Inspect(f, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.GoStmt:
			found = true
		case *ast.Ident:
			found = found || n.Name == "concurrently"
		}
		return !found
	})
	return found || selects(f, "Go")
}

// selects reports whether a function selects a name, as in testkit.Slow.
func selects(f *ast.FuncDecl, name string) (found bool) {
	ast.Inspect(f, func(n ast.Node) bool {
		selector, ok := n.(*ast.SelectorExpr)
		found = found || ok && selector.Sel.Name == name
		return !found
	})
	return found
}
