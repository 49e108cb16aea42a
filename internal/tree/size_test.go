package tree

import (
	"bytes"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

type measured struct {
	name  string
	lines int
}

// sources visits our Go files, without tests.
func sources(t *testing.T, visit func(path string, data []byte)) {
	t.Helper()
	err := filepath.WalkDir(filepath.Join("..", ".."), func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() && strings.HasPrefix(d.Name(), ".") && d.Name() != ".." {
			return filepath.SkipDir
		}
		if !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
			return nil
		}
		data, err := os.ReadFile(path)
		visit(path, data)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

func percentile(all []measured, p int) int {
	return all[min(len(all)*p/100, len(all)-1)].lines
}

func bySize(all []measured) {
	slices.SortFunc(all, func(a, b measured) int { return a.lines - b.lines })
}

func TestFilesStaySmall(t *testing.T) {
	t.Parallel()
	var files []measured
	sources(t, func(path string, data []byte) {
		files = append(files, measured{path, bytes.Count(data, []byte("\n"))})
	})
	bySize(files)
	t.Logf("%d files: median %d lines, 95th percentile %d, longest %d", len(files), percentile(files, 50), percentile(files, 95), files[len(files)-1].lines)
	if got := percentile(files, 50); got > 150 {
		t.Errorf("the median file has %d lines, want at most 150", got)
	}
	if got := percentile(files, 95); got > 400 {
		t.Errorf("the 95th percentile of files has %d lines, want at most 400", got)
	}
	for _, f := range files {
		if f.lines > 500 {
			t.Errorf("%s has %d lines, want at most 500; split it by topic", f.name, f.lines)
		}
	}
}

func TestFunctionsStaySmall(t *testing.T) {
	t.Parallel()
	var functions []measured
	sources(t, func(path string, data []byte) {
		set := token.NewFileSet()
		file, err := parser.ParseFile(set, path, data, 0)
		if err != nil {
			t.Error(err)
			return
		}
		for _, decl := range file.Decls {
			if f, ok := decl.(*ast.FuncDecl); ok {
				lines := set.Position(f.End()).Line - set.Position(f.Pos()).Line + 1
				functions = append(functions, measured{path + ":" + f.Name.Name, lines})
			}
		}
	})
	bySize(functions)
	t.Logf("%d functions: median %d lines, 95th percentile %d, longest %s with %d", len(functions), percentile(functions, 50), percentile(functions, 95), functions[len(functions)-1].name, functions[len(functions)-1].lines)
	if got := percentile(functions, 50); got > 12 {
		t.Errorf("the median function has %d lines, want at most 12", got)
	}
	if got := percentile(functions, 95); got > 59 {
		t.Errorf("the 95th percentile of functions has %d lines, want at most 59", got)
	}
}
