package store_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/tidings-press/tidings/internal/store"
	"github.com/tidings-press/tidings/internal/testkit/storetest"
)

func TestEveryNamedQueryIsPreparedOnItsEngine(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		for name, text := range store.QueryTexts(s.Engine()) {
			stmt, err := s.DB().PrepareContext(t.Context(), text)
			if err != nil {
				t.Errorf("%s: %v\n%s", name, err, text)
				continue
			}
			if err := stmt.Close(); err != nil {
				t.Error(err)
			}
		}
	})
}

func TestEveryNamedQueryIsUsedAndEveryUsedQueryExists(t *testing.T) {
	t.Parallel()
	named := map[string]string{}
	files, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		if !strings.HasSuffix(file, "_test.go") {
			literals(t, file, named)
		}
	}
	known := map[string]bool{}
	for _, engine := range storetest.Engines {
		for name := range store.QueryTexts(engine) {
			known[name] = true
			if named[name] == "" {
				t.Errorf("no code names the query %s", name)
			}
		}
	}
	groups := map[string]bool{}
	for name := range known {
		group, _, _ := strings.Cut(name, ".")
		groups[group] = true
	}
	for name, file := range named {
		group, rest, dotted := strings.Cut(name, ".")
		if dotted && groups[group] && rest != "" && !known[name] && !strings.ContainsAny(rest, " ./%") {
			t.Errorf("%s names the query %s, which does not exist", file, name)
		}
	}
}

// literals collects the string literals of a file.
func literals(t *testing.T, file string, into map[string]string) {
	t.Helper()
	tree, err := parser.ParseFile(token.NewFileSet(), file, nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	ast.Inspect(tree, func(n ast.Node) bool {
		if lit, ok := n.(*ast.BasicLit); ok && lit.Kind == token.STRING {
			if text, err := strconv.Unquote(lit.Value); err == nil {
				into[text] = file
			}
		}
		return true
	})
}

func TestEveryNamedQueryHasAComment(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("*.sql")
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		lines := strings.Split(string(data), "\n")
		for i, line := range lines {
			if strings.HasPrefix(line, "-- name: ") && (i+1 == len(lines) || !strings.HasPrefix(lines[i+1], "-- ")) {
				t.Errorf("%s:%d: %s has no comment", file, i+1, line)
			}
		}
	}
}

func TestParametersBindOutOfOrder(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		const query = "SELECT CAST($3 AS text) || CAST($1 AS text) || CAST($2 AS text) || CAST($1 AS text)"
		var got string
		if err := s.DB().QueryRowContext(t.Context(), query, "a", "b", "c").Scan(&got); err != nil || got != "caba" {
			t.Errorf("got %q, %v; want caba", got, err)
		}
	})
}
