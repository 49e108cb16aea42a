package ingest_test

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/tidings-press/tidings/internal/article/ingest"
	"github.com/tidings-press/tidings/internal/config"
	"github.com/tidings-press/tidings/internal/store"
	"github.com/tidings-press/tidings/internal/testkit"
	"github.com/tidings-press/tidings/internal/testkit/storetest"
)

// importSite imports a folder of a site. It returns the slug and status of each article, the
// names of refused files, and the messages of all problems and warnings.
func importSite(t *testing.T, files map[string]string, folder string) (got []string, problems string) {
	t.Helper()
	s := storetest.Open(t, store.SQLite, store.Options{Clock: func() time.Time { return time.Date(2026, 12, 1, 0, 0, 0, 0, time.UTC) }})
	dir := t.TempDir()
	write(t, dir, files)
	im := ingest.Importer{Store: s, Config: config.Default(), Report: func(r ingest.FileReport) {
		for _, a := range r.Articles {
			got = append(got, a.Slug+" "+string(a.Status))
		}
		for _, p := range r.Problems {
			got = append(got, filepath.Base(r.File)+" refused")
			problems += p.Error() + "\n"
		}
		for _, p := range r.Warnings {
			problems += p.Error() + "\n"
		}
	}}
	if _, err := im.Import(t.Context(), filepath.Join(dir, folder)); err != nil {
		t.Fatal(err)
	}
	slices.Sort(got)
	return got, problems
}

func file(title string, more ...string) string {
	return "---\ntitle: " + title + "\ndate: 2025-03-01\n" + strings.Join(more, "\n") + "\n---\nText of " + title + ".\n"
}

func TestSiteSettingsWithholdArticles(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		files    map[string]string
		folder   string
		want     []string
		problems string
	}{
		"Hugo: cascade of a section": {
			files: map[string]string{
				"content/inner/_index.md": "---\ntitle: Inner\ncascade:\n  draft: true\n---\n", "content/inner/a.md": file("A"), "content/inner/deep/b.md": file("B"),
				"content/inner/own.md": file("Own", "draft: false"), "content/open/c.md": file("C"),
			},
			want: []string{"a draft", "b draft", "c published", "own published"},
		},
		"Hugo: cascade above the imported folder": {
			files:  map[string]string{"content/inner/_index.md": "+++\ntitle = 'Inner'\n[cascade.build]\nrender = 'never'\n+++\n", "content/inner/deep/b.md": file("B")},
			folder: "content/inner/deep", want: []string{"b draft"},
		},
		"Hugo: cascade with targets, in the configuration": {
			files: map[string]string{
				"hugo.toml":          "baseURL = 'https://x.example'\n[[cascade]]\nprivate = true\n[cascade._target]\npath = '/notes/**'\n[[cascade]]\nunlisted = true\n[cascade._target]\nkind = 'section'\n",
				"content/notes/a.md": file("A"), "content/posts/b.md": file("B"),
			},
			folder: "content", want: []string{"a draft", "b published"},
		},
		"Hugo: a nearer section counts above a farther one": {
			files: map[string]string{
				"posts/_index.md": "---\ncascade: {params: {unlisted: true}}\n---\n", "posts/open/_index.md": "---\ncascade: [{unlisted: false}]\n---\n", "posts/a.md": file("A"), "posts/open/b.md": file("B"),
			},
			want: []string{"a unlisted", "b published"},
		},
		"Hugo: a cascade that is not understood": {
			files: map[string]string{"posts/_index.md": "---\ncascade: {draft: perhaps}\n---\n", "posts/a.md": file("A"), "b.md": file("B")},
			want:  []string{"a.md refused", "b published"}, problems: `posts/_index.md:2: draft: "perhaps" is not understood; write true or false`,
		},
		"Hugo: a section page that is broken": {
			files: map[string]string{"posts/_index.md": "---\ntitle: [\n---\n", "posts/a.md": file("A"), "posts/own.md": file("Own", "draft: false")},
			want:  []string{"a draft", "own published"}, problems: "posts/_index.md may withhold it, but the front matter is not YAML",
		},
		"Zola: a section that is a draft": {
			files: map[string]string{"posts/_index.md": "+++\ntitle = 'x'\ndraft = true\n+++\n", "posts/2025/a.md": file("A"), "b.md": file("B")},
			want:  []string{"a draft", "b published"},
		},
		"Jekyll: defaults": {
			files: map[string]string{
				"_config.yml": "title: x\ndefaults:\n  - scope: {path: \"\", type: notes}\n    values: {published: false}\n  - scope: {path: secret}\n    values: {published: false}\n" +
					"  - scope: {path: secret/open}\n    values: {published: true}\n  - scope: {path: \"parts/*/hidden\"}\n    values: {hidden: true}\n",
				"_notes/a.md": file("A"), "_posts/2025-03-01-b.md": file("B"), "secret/c.md": file("C"), "secret/open/d.md": file("D"), "parts/one/hidden/e.md": file("E"), "parts/one/f.md": file("F"),
			},
			want: []string{"a draft", "b published", "c draft", "d published", "e unlisted", "f published"},
		},
		"Jekyll: a collection that is not written out, from its own folder": {
			files:  map[string]string{"_config.yml": "collections:\n  notes: {output: false}\n  trips: {output: true}\n", "_notes/a.md": file("A"), "_trips/b.md": file("B")},
			folder: "_notes", want: []string{"a draft"},
		},
		"Eleventy: data files of folders and articles": {
			files: map[string]string{
				"posts/posts.json": `{"draft": true, "tags": ["post"]}`, "posts/a.md": file("A"), "posts/b/b.11tydata.json": `{"draft": false}`, "posts/b/b1.md": file("B1"),
				"notes/notes.11tydata.json": `{"permalink": false}`, "notes/c.md": file("C"), "d.md": file("D"), "d.11tydata.json": `{"eleventyExcludeFromCollections": true}`,
			},
			want: []string{"a draft", "b1 published", "c draft", "d unlisted"},
		},
		"Eleventy: a script": {
			files: map[string]string{
				"posts/posts.11tydata.js": "export default { eleventyComputed: { permalink: (data) => data.draft ? false : data.permalink } };", "posts/a.md": file("A"), "posts/b.md": file("B", "draft: false"),
				"notes/notes.11tydata.js": "module.exports = { layout: 'note' };", "notes/c.md": file("C"),
			},
			want: []string{"a draft", "b published", "c published"}, problems: "posts/posts.11tydata.js may withhold it, but it is a script that cannot be worked out here",
		},
		"other JSON of a folder's name": {
			files: map[string]string{"posts/posts.json": `[1, 2]`, "posts/a.md": file("A")},
			want:  []string{"a published"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, problems := importSite(t, c.files, c.folder)
			if !slices.Equal(got, c.want) || !strings.Contains(problems, c.problems) {
				t.Errorf("got  %q\nwant %q\nproblems %s\nwant %s", got, c.want, problems, c.problems)
			}
		})
	}
}

func TestChangedSettingsReimportFolder(t *testing.T) {
	t.Parallel()
	w := watch(t, map[string]string{"posts/a.md": file("A"), "posts/posts.json": "{}"})
	status := func(want string) func() bool {
		return func() bool {
			all, err := w.store.Articles(t.Context(), store.Query{Limit: 10, Statuses: nil})
			return err == nil && (len(all) == 1) == (want == "published")
		}
	}
	testkit.Eventually(t, "the article is published", status("published"))
	if err := os.WriteFile(filepath.Join(w.dir, "posts", "posts.json"), []byte(`{"draft": true}`), 0o600); err != nil {
		t.Fatal(err)
	}
	testkit.Eventually(t, "the article is a draft", status("draft"))
}
