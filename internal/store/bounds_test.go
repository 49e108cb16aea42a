package store_test

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/tidings-press/tidings/internal/store"
	"github.com/tidings-press/tidings/internal/store/schema"
	"github.com/tidings-press/tidings/internal/testkit/storetest"
)

// TestDocsSayWhatBoundsEachTable compares the list in docs/backup.md with the tables of both engines.
func TestDocsSayWhatBoundsEachTable(t *testing.T) {
	t.Parallel()
	page, err := os.ReadFile(filepath.Join("..", "..", "docs", "backup.md"))
	if err != nil {
		t.Fatal(err)
	}
	_, list, found := strings.Cut(string(page), "### What bounds each table\n")
	list, _, ended := strings.Cut(list, "\n## ")
	if !found || !ended {
		t.Fatal("docs/backup.md has no list of tables")
	}
	var named []string
	for _, row := range regexp.MustCompile(`(?m)^\| (.*?) \|`).FindAllStringSubmatch(list, -1) {
		for _, name := range regexp.MustCompile("`([a-z_]+)`").FindAllStringSubmatch(row[1], -1) {
			if slices.Contains(named, name[1]) {
				t.Errorf("the table %s is listed twice", name[1])
			}
			named = append(named, name[1])
		}
	}
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		tables, err := schema.Tables(t.Context(), s.Engine(), s.DB())
		if err != nil {
			t.Fatal(err)
		}
		exists := map[string]bool{}
		for _, table := range tables {
			exists[table.Name] = true
			if !slices.Contains(named, table.Name) {
				t.Errorf("docs/backup.md does not say what bounds the table %s", table.Name)
			}
		}
		for _, name := range named {
			if !exists[name] && !strings.HasPrefix(name, "article_index") {
				t.Errorf("docs/backup.md lists the table %s, which does not exist", name)
			}
		}
	})
}
