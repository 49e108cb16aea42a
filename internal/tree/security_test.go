package tree

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
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

// levelTwo are the sections of OWASP ASVS 4.0.3 that are asked for at level 1 or 2, without the numbers that
// it deleted.
const levelTwo = `1.1: 1-7; 1.2: 1-4; 1.4: 1 4-5; 1.5: 1-4; 1.6: 1-4; 1.7: 1-2; 1.8: 1-2; 1.9: 1-2; 1.10: 1; 1.11: 1-2; 1.12: 2; 1.14: 1-6;
2.1: 1-12; 2.2: 1-3; 2.3: 1-3; 2.4: 1-5; 2.5: 1-7; 2.6: 1-3; 2.7: 1-6; 2.8: 1-7; 2.9: 1-3; 2.10: 1-4;
3.1: 1; 3.2: 1-4; 3.3: 1-4; 3.4: 1-5; 3.5: 1-3; 3.7: 1; 4.1: 1-3 5; 4.2: 1-2; 4.3: 1-3; 5.1: 1-5; 5.2: 1-8; 5.3: 1-10; 5.4: 1-3; 5.5: 1-4;
6.1: 1-3; 6.2: 1-6; 6.3: 1-2; 6.4: 1-2; 7.1: 1-4; 7.2: 1-2; 7.3: 1 3-4; 7.4: 1-3; 8.1: 1-4; 8.2: 1-3; 8.3: 1-8; 9.1: 1-3; 9.2: 1-4;
10.2: 1-2; 10.3: 1-3; 11.1: 1-8; 12.1: 1-3; 12.2: 1; 12.3: 1-6; 12.4: 1-2; 12.5: 1-2; 12.6: 1; 13.1: 1 3-5; 13.2: 1-3 5-6; 13.3: 1-2; 13.4: 1-2;
14.1: 1-4; 14.2: 1-6; 14.3: 2-3; 14.4: 1-7; 14.5: 1-4`

// TestSecurityPageHasEverySectionOfLevelTwo looks for the rows of the sections.
func TestSecurityPageHasEverySectionOfLevelTwo(t *testing.T) {
	t.Parallel()
	page, err := os.ReadFile(filepath.Join("..", "..", "docs", "security.md"))
	if err != nil {
		t.Fatal(err)
	}
	rows := map[string]int{}
	for _, row := range regexp.MustCompile(`(?m)^\| (\d[\d., ]*) \|`).FindAllStringSubmatch(string(page), -1) {
		for _, number := range strings.Split(row[1], ", ") {
			rows[number]++
		}
	}
	sections := 0
	for _, part := range strings.Split(levelTwo, ";") {
		chapter, numbers, _ := strings.Cut(strings.TrimSpace(part), ": ")
		for _, span := range strings.Fields(numbers) {
			first, last, isRange := strings.Cut(span, "-")
			if !isRange {
				last = first
			}
			from, err1 := strconv.Atoi(first)
			to, err2 := strconv.Atoi(last)
			if err := errors.Join(err1, err2); err != nil {
				t.Fatal(err)
			}
			for n := from; n <= to; n++ {
				sections++
				if number := fmt.Sprintf("%s.%d", chapter, n); rows[number] != 1 {
					t.Errorf("the page has %d rows for %s", rows[number], number)
				}
			}
		}
	}
	if sections != 259 {
		t.Errorf("levels 1 and 2 have %d sections, want 259", sections)
	}
}

// TestServiceStartsNoPrograms looks for packages that start other programs, read memory past Go's checks, or
// contain the samples.
func TestServiceStartsNoPrograms(t *testing.T) {
	t.Parallel()
	may := map[string][]string{ // the folders whose files may import a package
		"os/exec": {"cmd/tidings/browser.go", "cmd/tidings/digest_edit.go", "internal/testkit/", "scripts/", "bench/"},
		"unsafe":  {"bench/"}, "C": nil, "plugin": nil,
		module + "internal/samples": {"internal/app/demo.go"},
	}
	files := 0
	sources(t, func(path string, data []byte) {
		files++
		path = strings.TrimPrefix(filepath.ToSlash(path), "../../")
		for name, folders := range may {
			allowed := slices.ContainsFunc(folders, func(folder string) bool { return strings.HasPrefix(path, folder) })
			if !allowed && strings.Contains(string(data), "\n\t\""+name+"\"\n") || strings.Contains(string(data), "\nimport \""+name+"\"\n") && !allowed {
				t.Errorf("%s imports %s", path, name)
			}
		}
	})
	if files < 300 {
		t.Errorf("%d files were read", files)
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
