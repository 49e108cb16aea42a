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
	byName := append(packages(find(`(?m)^\s*run atonce (.+)$`)), packages(find(`(?m)^\s*run short-atonce (.+)$`))...)
	short := packages(find(`(?m)^\s*run short (.+)$`))
	for _, folder := range packages(find(`(?s)\nplain=\((.+?)\)`)) {
		if slices.Contains(short, folder) {
			continue
		}
		for _, name := range testsWithGoroutines(t, filepath.Join(root, folder)) {
			if !slices.Contains(byName, folder) || !atOnce.MatchString(name) {
				t.Errorf("%s in %s starts goroutines and never runs with the race detector; add it to atonce in scripts/run-tests", name, folder)
			}
		}
	}
}

// testsWithGoroutines returns the tests in a folder that start goroutines themselves.
func testsWithGoroutines(t *testing.T, folder string) (names []string) {
	t.Helper()
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
				names = append(names, f.Name.Name)
			}
		}
	}
	return names
}

// startsGoroutines reports whether a function has a go statement, calls Go of a group, or the helper
// concurrently.
func startsGoroutines(f *ast.FuncDecl) (found bool) {
	ast.Inspect(f, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.GoStmt:
			found = true
		case *ast.SelectorExpr:
			found = found || n.Sel.Name == "Go"
		case *ast.Ident:
			found = found || n.Name == "concurrently"
		}
		return !found
	})
	return found
}
