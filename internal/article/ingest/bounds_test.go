package ingest_test

import (
	"strings"
	"testing"

	"github.com/tidings-press/tidings/internal/article/ingest"
)

// TestManyTagsAreReadOrRefusedAtOnce imports texts with very many tags. Each of them took minutes at the
// size that a file may have: the lines before each tag were counted although no more warnings were kept, all
// code was compared with each line, and the end of each bracket was looked for.
func TestManyTagsAreReadOrRefusedAtOnce(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		file, unit string
		size       int
		warnings   int
		refused    string
	}{
		"variables":         {"a.md", "{{ page.x }} ", 60_000, 50, ""},
		"tags":              {"a.md", "{% x %}\n", 60_000, 50, ""},
		"shortcodes":        {"a.md", "{{< x >}}", 60_000, 50, ""},
		"raw without end":   {"a.md", "{% raw %}", 60_000, 50, ""},
		"variables in code": {"a.md", "`{{ page.x }}` ", 30_000, 0, ""},
		"expressions":       {"a.mdx", "{x} ", 60_000, 50, ""},
		"components":        {"a.mdx", "<A/>", 60_000, 1, ""},
		"braces":            {"a.mdx", "{", 500_000, 0, "the text has more than 200000 braces and brackets up to here"},
		"brackets":          {"a.mdx", "<a", 500_000, 0, "the text has more than 200000 braces and brackets up to here"},
		"code":              {"a.mdx", "`a` b\n\n", 900_000, 0, "the text has more than 200000 lines and special characters up to here"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			file := ingest.File{Name: c.file, Data: []byte(front + filled(c.unit, c.size)), Modified: modified}
			got, problems := ingest.Import(file, ingest.Options{Site: site})
			if c.refused != "" {
				if len(problems) != 1 || problems[0].What != c.refused {
					t.Errorf("problems %v, want %q", problems, c.refused)
				}
				return
			}
			if len(problems) > 0 || len(got[0].Warnings) != c.warnings {
				t.Fatalf("problems %v, %d articles; want %d warnings", problems, len(got), c.warnings)
			}
			if c.unit[len(c.unit)-1] == '\n' && got[0].Warnings[49].Line != 54 {
				t.Errorf("the last warning is %v", got[0].Warnings[49])
			}
		})
	}
}

func TestTextThatIsTooLongIsRefusedBeforeItsTagsAreRead(t *testing.T) {
	t.Parallel()
	got := importProblem(t, "a.mdx", front+filled("word {x} ", 3<<20), ingest.Options{Site: site})
	if want := "a.mdx:5: the text has 3071 KB; at most 2048 KB are read; cut it into several articles"; got != want {
		t.Errorf("%s, want %s", got, want)
	}
	picture := "data:image/gif;base64," + strings.Repeat("A", 3<<20)
	one := importOne(t, "a.mdx", front+"{/* note */} ![x]("+picture+")", ingest.Options{Site: site})
	if one.Article.HTML == "" {
		t.Error("a text with a large embedded picture was dropped")
	}
}
