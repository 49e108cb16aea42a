package ingest_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
)

// TestPatternsOfSettingsWithholdWhenInDoubt: a pattern that is not understood selects every file, since the
// setting may withhold it.
func TestPatternsOfSettingsWithholdWhenInDoubt(t *testing.T) {
	t.Parallel()
	for pattern, want := range map[string][]string{
		"/notes/**":          {"a", "b", "deep"},
		"/notes/*":           {"a", "b"},
		"/notes/?":           {"a", "b"},
		"/notes/{a,x}":       {"a"},
		"/NOTES/A":           {"a"},
		"/**/deep":           {"deep"},
		"**":                 {"a", "b", "c", "deep"},
		"/posts/c":           {"c"},
		"/none/**":           {},
		"/notes/[a]":         {"a", "b", "c", "deep"}, // sets of characters are not read
		"/none/[!x]*":        {"a", "b", "c", "deep"},
		`/notes/\\a`:         {"a", "b", "c", "deep"},
		"/notes/{a":          {"a", "b", "c", "deep"}, // no pattern
		"/notes/(a|b).+":     {},
		"/notes/a.md":        {},
		"/notes/deep/deep":   {"deep"},
		"/notes/deep/{,x/}*": {"deep"},
	} {
		t.Run(pattern, func(t *testing.T) {
			t.Parallel()
			got, problems := importSite(t, map[string]string{
				"hugo.toml":          "[[cascade]]\ndraft = true\n[cascade._target]\npath = \"" + pattern + "\"\n",
				"content/notes/a.md": file("A"), "content/notes/b/index.md": file("B"), "content/notes/deep/deep.md": file("Deep"), "content/posts/c.md": file("C"),
			}, "content")
			var drafts []string
			for _, one := range got {
				if slug, draft := strings.CutSuffix(one, " draft"); draft {
					drafts = append(drafts, slug)
				}
			}
			if len(got) != 4 || !slices.Equal(drafts, want) && len(drafts)+len(want) > 0 {
				t.Errorf("%v are drafts, want %v\n%s", drafts, want, problems)
			}
		})
	}
}

func TestTargetsOfCascadesAreRead(t *testing.T) {
	t.Parallel()
	for target, draft := range map[string]bool{
		"kind = 'page'":                     true,
		"kind = '{page,section}'":           true,
		"kind = 'section'":                  false,
		"environment = 'production'":        true,
		"environment = 'dev*'":              false,
		"lang = 'fr'":                       true, // not read: in doubt it withholds
		"kind = 'page'\npath = '/other/**'": false,
		"environment = 'x'\npath = '/**'":   false,
		"":                                  true,
	} {
		got, problems := importSite(t, map[string]string{"config/_default/cascade.toml": "draft = true\n[target]\n" + target + "\n", "content/a.md": file("A")}, "content")
		if want := map[bool]string{true: "a draft", false: "a published"}[draft]; fmt.Sprint(got) != "["+want+"]" {
			t.Errorf("%q: %v, want %s\n%s", target, got, want, problems)
		}
	}
}

func TestDefaultsOfJekyllAreReadByTheirScope(t *testing.T) {
	t.Parallel()
	for scope, want := range map[string][]string{
		"path: ''":                   {"a", "b", "p"},
		"path: _posts":               {"a", "b"},
		"path: _posts/, type: posts": {"a", "b"},
		"path: _posts/old":           {"b"},
		"path: '_posts/*/2025*'":     {"b"},
		"path: '_posts/2025*'":       {"a"},
		"path: '', type: posts":      {"a", "b"},
		"path: '', type: notes":      {},
		"path: '', type: pages":      {"p"},
		"path: about.md":             {"p"},
		"path: _post":                {},
		"type: posts":                {"a", "b"},
		"path: '_posts/[x]*'":        {"a", "b", "p"}, // not read: in doubt it withholds
	} {
		t.Run(scope, func(t *testing.T) {
			t.Parallel()
			got, problems := importSite(t, map[string]string{
				"_config.yml":                "defaults:\n- scope: {" + scope + "}\n  values: {published: false}\n",
				"_posts/2025-03-01-a.md":     file("A"),
				"_posts/old/2025-03-01-b.md": file("B"),
				"about.md":                   file("P", "slug: p"),
			}, ".")
			var drafts []string
			for _, one := range got {
				if slug, draft := strings.CutSuffix(one, " draft"); draft {
					drafts = append(drafts, slug)
				}
			}
			if len(got) != 3 || !slices.Equal(drafts, want) && len(drafts)+len(want) > 0 {
				t.Errorf("%v are drafts, want %v\n%v\n%s", drafts, want, got, problems)
			}
		})
	}
}

func TestSettingsThatAreNotUnderstoodWithhold(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		files map[string]string
		want  string
	}{
		"a cascade that is a text":   {map[string]string{"hugo.toml": "cascade = 'draft'\n"}, `its cascade "draft" is not understood`},
		"a list of texts":            {map[string]string{"hugo.yaml": "cascade: [draft]\n"}, `its cascade "draft" is not understood`},
		"broken TOML":                {map[string]string{"config.toml": "[[cascade]\n"}, "the front matter is not TOML"},
		"broken JSON":                {map[string]string{"hugo.json": `{"cascade": {`}, "the front matter is not JSON"},
		"defaults without values":    {map[string]string{"_config.yml": "defaults:\n- scope: {path: ''}\n"}, "its defaults map[scope:map[path:]] are not understood"},
		"defaults without a scope":   {map[string]string{"_config.yml": "defaults:\n- values: {published: false}\n"}, "are not understood"},
		"a broken page of a section": {map[string]string{"_index.md": "---\ntitle: x\n"}, "the front matter that begins here never ends"},
		"a script of Eleventy":       {map[string]string{"posts/posts.11tydata.js": "module.exports = {permalink: (d) => false}"}, "it is a script that cannot be worked out here, and it names permalink"},
		"broken data of Eleventy":    {map[string]string{"posts/posts.json": "{\"draft\": true"}, "the front matter is not JSON"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c.files["posts/a.md"] = file("A")
			got, problems := importSite(t, c.files, ".")
			if !slices.Contains(got, "a draft") || !strings.Contains(problems, c.want) || !strings.Contains(problems, "write draft: true or false into the file's own front matter") {
				t.Errorf("%v\n%s\nwant %s", got, problems, c.want)
			}
			// The file's own mark counts above a setting that is not understood.
			c.files["posts/a.md"] = file("A", "draft: false")
			if got, problems := importSite(t, c.files, "."); !slices.Contains(got, "a published") {
				t.Errorf("with a mark of its own: %v\n%s", got, problems)
			}
		})
	}
}

func TestDataFilesThatSayNothingAreIgnored(t *testing.T) {
	t.Parallel()
	got, problems := importSite(t, map[string]string{
		"posts/a.md": file("A"), "posts/posts.json": "[1, 2]", "posts/posts.11tydata.js": "module.exports = {layout: 'post'}", "_config.yml": "title: x\n", "hugo.toml": "title = 'x'\n",
		"config/production/hugo.toml/x.md": "no settings, but a folder",
	}, "posts")
	if fmt.Sprint(got) != "[a published]" || problems != "" {
		t.Errorf("%v\n%s", got, problems)
	}
}
