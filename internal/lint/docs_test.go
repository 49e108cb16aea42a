package lint_test

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/tidings-press/tidings/internal/lint"
)

var update = flag.Bool("update", false, "write the tables of docs/checks.md")

var ruleTables = regexp.MustCompile(`(?s)<!-- rules -->.*<!-- end of rules -->`)

func TestDocsListEveryRule(t *testing.T) {
	t.Parallel()
	path := filepath.Join("..", "..", "docs", "checks.md")
	page, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var tables strings.Builder
	tables.WriteString("<!-- rules -->\n\n| name | severity | what is wrong | how to fix it |\n|---|---|---|---|\n")
	for _, r := range lint.Rules() {
		severity := string(r.Severity)
		if r.Harmful {
			severity += ", harmful"
		}
		fmt.Fprintf(&tables, "| `%s` | %s | %s | %s |\n", r.Name, severity, strings.ReplaceAll(r.Meaning, "<", "&lt;"), r.Fix)
	}
	tables.WriteString("\n<!-- end of rules -->")
	want := ruleTables.ReplaceAllLiteralString(string(page), tables.String())
	if *update {
		if err := os.WriteFile(path, []byte(want), 0o644); err != nil {
			t.Fatal(err)
		}
		page = []byte(want)
	}
	if string(page) != want || !strings.Contains(want, tables.String()) {
		t.Error("docs/checks.md differs from the rules; run go test ./internal/lint -run Docs -update")
	}
}

func TestRulesHaveNamesAndFixes(t *testing.T) {
	t.Parallel()
	seen := map[string]bool{}
	for _, r := range lint.Rules() {
		if seen[r.Name] || !lint.Known(r.Name) || r.Meaning == "" || r.Fix == "" || r.Harmful && r.Severity != lint.Error {
			t.Errorf("%+v", r)
		}
		seen[r.Name] = true
	}
	if lint.Known("no-such-rule") {
		t.Error("an unknown name is known")
	}
}
