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

// calledByLibraries are methods that only the standard library and other modules call, through
// their interfaces.
var calledByLibraries = strings.Fields(`
	Accept Close Error Is LocalAddr Open Read ReadDir ServeHTTP SetWriteDeadline Stat Unwrap Write WriteByte WriteHeader WriteString
	GoString MarshalJSON MarshalText MarshalXML MarshalYAML String UnmarshalJSON UnmarshalText UnmarshalYAML
	Data Logout Mail Printf Println Rcpt Reset Set Type Err Next Values
	AddOptions CanOpenCloser CloseBlock FeedXml Generate IsDelimiter OnMatch Parse Parser Put SetOption SetParserOption Transform Trigger
	WebAuthnCredentials WebAuthnDisplayName WebAuthnID WebAuthnName`)

// calledByUserTemplates are methods under former names, which templates of users may still call.
var calledByUserTemplates = strings.Fields(`Moment ByLine ByLineHTML`)

// TestMethodsAreUsedOutsideTests finds methods that no product code selects or declares in an
// interface, and no template names. The deadcode tool keeps these if a type of theirs is converted to
// an interface. It goes by names: a method that shares its name with a used one is not found.
func TestMethodsAreUsedOutsideTests(t *testing.T) {
	t.Parallel()
	declared, used := map[string]string{}, map[string]bool{}
	sources(t, func(path string, data []byte) {
		file, err := parser.ParseFile(token.NewFileSet(), path, data, parser.SkipObjectResolution)
		if err != nil {
			t.Error(err)
			return
		}
		product := !strings.Contains(filepath.ToSlash(path), "/testkit/")
		for _, decl := range file.Decls {
			if f, ok := decl.(*ast.FuncDecl); ok && f.Recv != nil && product {
				declared[f.Name.Name] = path
			}
		}
		if product {
			addSelected(file, used)
		}
	})
	addInTemplates(t, used)
	for name, path := range declared {
		if !used[name] && !slices.Contains(calledByLibraries, name) && !slices.Contains(calledByUserTemplates, name) {
			t.Errorf("%s: only tests call the method %s; remove it or use it", path, name)
		}
	}
	if len(declared) < 1000 {
		t.Errorf("%d names of methods found; this test looks in the wrong place", len(declared))
	}
}

// addSelected adds the names that a file selects of values, and those of methods in its interfaces.
func addSelected(file *ast.File, used map[string]bool) {
	imported := map[string]bool{}
	for _, spec := range file.Imports {
		path := strings.Trim(spec.Path.Value, `"`)
		imported[path[strings.LastIndex(path, "/")+1:]] = true
		if spec.Name != nil {
			imported[spec.Name.Name] = true
		}
	}
	ast.Inspect(file, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.SelectorExpr:
			if x, ok := n.X.(*ast.Ident); !ok || !imported[x.Name] {
				used[n.Sel.Name] = true
			}
		case *ast.InterfaceType:
			for _, method := range n.Methods.List {
				for _, name := range method.Names {
					used[name.Name] = true
				}
			}
		}
		return true
	})
}

// addInTemplates adds the names that templates select.
func addInTemplates(t *testing.T, used map[string]bool) {
	t.Helper()
	selected := regexp.MustCompile(`\.([A-Z]\w*)`)
	for _, dir := range []string{"templates", "internal/web"} {
		err := filepath.WalkDir(filepath.Join("..", "..", dir), func(path string, d os.DirEntry, err error) error {
			if err != nil || d.IsDir() || strings.HasSuffix(path, ".go") {
				return err
			}
			data, err := os.ReadFile(path)
			for _, found := range selected.FindAllSubmatch(data, -1) {
				used[string(found[1])] = true
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
}
