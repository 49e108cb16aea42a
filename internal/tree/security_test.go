package tree

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// TestNamedTestsInSecurityPageExist looks for each test of docs/security.md in the package that is named
// behind it or behind one of its neighbours, and in that of the admin.
func TestNamedTestsInSecurityPageExist(t *testing.T) {
	t.Parallel()
	root := filepath.Join("..", "..")
	page, err := os.ReadFile(filepath.Join(root, "docs", "security.md"))
	if err != nil {
		t.Fatal(err)
	}
	names, folders := regexp.MustCompile("`((?:Test|Fuzz)[A-Z]\\w*)`"), regexp.MustCompile(`\(((?:internal|mailer|templates|feed|cmd)[\w/]*)\)`)
	tests := map[string]string{} // the test files of a package in one text
	found := 0
	for i, line := range strings.Split(string(page), "\n") {
		packages := []string{"internal/web/admin"}
		for _, m := range folders.FindAllStringSubmatch(line, -1) {
			packages = append(packages, m[1])
		}
		code := ""
		for _, folder := range packages {
			if _, read := tests[folder]; !read {
				tests[folder] = testFiles(t, filepath.Join(root, folder))
			}
			code += tests[folder]
		}
		for _, m := range names.FindAllStringSubmatch(line, -1) {
			if found++; !strings.Contains(code, "func "+m[1]+"(") {
				t.Errorf("line %d: no test %s in %s", i+1, m[1], strings.Join(packages, ", "))
			}
		}
	}
	if found < 100 {
		t.Errorf("the page names %d tests", found)
	}
}

// testFiles returns the test files of a folder in one text.
func testFiles(t *testing.T, folder string) string {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(folder, "*_test.go"))
	if err != nil {
		t.Fatal(err)
	}
	var out strings.Builder
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		out.Write(data)
	}
	return out.String()
}
