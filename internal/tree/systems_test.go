package tree

import (
	"go/ast"
	"go/build"
	"go/parser"
	"go/token"
	"io/fs"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// TestFilesOfWindowsUseWhatItHas checks the files that are compiled for Windows without compiling them:
// package syscall has other names on each system, and golang.org/x/sys/unix has none there.
func TestFilesOfWindowsUseWhatItHas(t *testing.T) {
	t.Parallel()
	windows := build.Default
	windows.GOOS, windows.GOARCH = "windows", "amd64"
	root, err := exec.Command("go", "env", "GOROOT").Output()
	if err != nil {
		t.Fatal(err)
	}
	has := declared(t, &windows, filepath.Join(strings.TrimSpace(string(root)), "src", "syscall"))
	if !has["SIGTERM"] || has["Getrlimit"] {
		t.Fatalf("%d names of package syscall", len(has))
	}
	checked := 0
	for _, top := range []string{"cmd", "internal", "mailer", "feed", "templates"} {
		eachFile(t, &windows, filepath.Join("..", "..", top), func(path string, file *ast.File) {
			checked++
			if strings.Contains(filepath.ToSlash(path), "/testkit/") {
				return // tests run on Linux and macOS
			}
			for _, imported := range file.Imports {
				if imported.Path.Value == `"golang.org/x/sys/unix"` {
					t.Errorf("%s: golang.org/x/sys/unix has nothing on Windows; give the file a build constraint", path)
				}
			}
			ast.Inspect(file, func(n ast.Node) bool {
				if s, ok := n.(*ast.SelectorExpr); ok {
					if name, ok := s.X.(*ast.Ident); ok && name.Name == "syscall" && !has[s.Sel.Name] {
						t.Errorf("%s: Windows has no syscall.%s; give the file a build constraint", path, s.Sel.Name)
					}
				}
				return true
			})
		})
	}
	if checked < 300 {
		t.Errorf("only %d files were checked", checked)
	}
}

// eachFile parses the files of a folder and those below that a system compiles, without tests.
func eachFile(t *testing.T, system *build.Context, folder string, do func(path string, file *ast.File)) {
	t.Helper()
	err := filepath.WalkDir(folder, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
			return err
		}
		if compiled, err := system.MatchFile(filepath.Split(path)); err != nil || !compiled {
			return err
		}
		file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.SkipObjectResolution)
		if err == nil {
			do(path, file)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

// declared returns the names that a package declares at its top level for a system.
func declared(t *testing.T, system *build.Context, folder string) map[string]bool {
	t.Helper()
	names := map[string]bool{}
	eachFile(t, system, folder, func(_ string, file *ast.File) {
		for _, d := range file.Decls {
			switch d := d.(type) {
			case *ast.FuncDecl:
				names[d.Name.Name] = d.Recv == nil || names[d.Name.Name]
			case *ast.GenDecl:
				for _, spec := range d.Specs {
					switch spec := spec.(type) {
					case *ast.TypeSpec:
						names[spec.Name.Name] = true
					case *ast.ValueSpec:
						for _, name := range spec.Names {
							names[name.Name] = true
						}
					}
				}
			}
		}
	})
	return names
}
