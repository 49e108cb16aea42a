package ingest_test

import (
	"strings"
	"testing"

	"github.com/tidings-press/tidings/internal/article/ingest"
)

// TestMarksThatAreNotReadNeverPublish has marks in places that are not read as front matter is. Each of these
// articles was published.
func TestMarksThatAreNotReadNeverPublish(t *testing.T) {
	t.Parallel()
	const script = "---js\nconst title = 'A title';\nconst date = '2025-03-01';\n"
	for name, c := range map[string]struct{ file, source, want string }{
		"a second declaration on a line":        {"a.md", script + "let a = 1, draft = true;\n---\nText.\n", "a.md:4: the front matter is a script that cannot be worked out here: draft may withhold the article; write it in yaml, toml or json"},
		"a second statement on a line":          {"a.md", script + "const layout = 'x'; const draft = true;\n---\nText.\n", "a.md:4: the front matter is a script that cannot be worked out here: draft may withhold the article"},
		"an assignment":                         {"a.md", script + "draft = true;\n---\nText.\n", "a.md:4: the front matter is a script that cannot be worked out here: draft"},
		"an export":                             {"a.md", script + "\nexport const draft = true;\n---\nText.\n", "a.md:5: the front matter is a script that cannot be worked out here: draft"},
		"an exported object":                    {"a.md", script + "module.exports = {\n  unlisted: true };\n---\nText.\n", "a.md:5: the front matter is a script that cannot be worked out here: unlisted"},
		"names taken from an object":            {"a.md", script + "const { isPrivate } = load();\n---\nText.\n", "a.md:4: the front matter is a script that cannot be worked out here: isPrivate"},
		"a status that is assigned":             {"a.md", script + "status = 'draft'\n---\nText.\n", "a.md:4: the front matter is a script that cannot be worked out here: status"},
		"a computed list":                       {"a.md", script + "const tags = posts.filter(p => p.published);\n---\nText.\n", "a.md:4: the front matter is a script that cannot be worked out here: published"},
		"a merge key in a mapping":              {"a.md", "---\ntitle: T\ndate: 2025-03-01\nbase: &base {draft: true}\nparams:\n  <<: *base\n---\nText.\n", "a.md:5: merge keys (<<) are not read; write the keys themselves"},
		"a merge key deep in a mapping":         {"a.md", "---\ntitle: T\ndate: 2025-03-01\nbase: &base {draft: true}\na: [{b: {<<: *base}}]\n---\nText.\n", "a.md:5: merge keys (<<) are not read"},
		"a page nested too deeply":              {"a.html", "<title>T</title><meta name=draft content=true>" + strings.Repeat("<div>", 600) + "Text.", "a.html:1: the page cannot be read: open stack of elements exceeds 512 nodes; nest its elements less deeply"},
		"a hidden page nested too deeply":       {"a.html", "<html hidden><title>T</title>" + strings.Repeat("<div>", 600) + "Text.", "a.html:1: the page cannot be read"},
		"a page nested deeply in a JSON object": {"a.jsonl", `{"id": "1", "title": "T", "date": "2025-03-01", "html": "<meta name=draft content=true>` + strings.Repeat("<div>", 600) + `Text."}`, "a.jsonl:1: the page cannot be read"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if got := importProblem(t, c.file, c.source, ingest.Options{Site: site, DateFromFile: true}); !strings.HasPrefix(got, c.want) {
				t.Errorf("%s\nwant %s", got, c.want)
			}
		})
	}
}

// TestScriptsWithoutMarksAreImported: words in texts and comments, and names of other things, are no marks.
func TestScriptsWithoutMarksAreImported(t *testing.T) {
	t.Parallel()
	for name, line := range map[string]string{
		"a comment":              "// draft = true",
		"a long comment":         "/* private:\n draft */ const a = 1",
		"a text":                 "const note = makeNote('draft = true', \"hidden\");",
		"a text of several rows": "const note = make(`\npublished: false\n`);",
		"an escaped quote":       `const note = make('it\'s a draft');`,
		"a publisher":            "const publisher = 'The Quay';",
		"a function":             "function render(data) { return data.title; }",
		"a comparison":           "const a = status == 'x' || feed === true;",
		"a mark that says no":    "const draft = false;",
		"nothing":                "",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			source := "---js\nconst title = 'A title';\nconst date = '2025-03-01';\n" + line + "\n---\nText.\n"
			if got := statusOf(t, "a.md", source, ingest.Options{Site: site}); got != "published" {
				t.Errorf("%q is %s", line, got)
			}
		})
	}
	source := "---js\nconst title = 'A title';\nconst date = '2025-03-01';\nconst published = false;\n---\nText.\n"
	if got := statusOf(t, "a.md", source, ingest.Options{Site: site}); got != "draft" {
		t.Errorf("a mark that is read: %s", got)
	}
}
