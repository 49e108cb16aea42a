package ingest_test

import (
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/tidings-press/tidings/internal/article"
	"github.com/tidings-press/tidings/internal/article/ingest"
	"github.com/tidings-press/tidings/internal/config"
	"github.com/tidings-press/tidings/internal/store"
	"github.com/tidings-press/tidings/internal/testkit/storetest"
)

func TestTranslationsOfAnArticleAreRecognised(t *testing.T) {
	t.Parallel()
	post := func(lines ...string) string {
		return "---\ntitle: x\ndate: 2025-03-04\n" + strings.Join(lines, "\n") + "\n---\nText.\n"
	}
	for name, c := range map[string]struct {
		files map[string]string
		want  []string // slug and the languages of its translations
	}{
		"language in the name": {
			files: map[string]string{"tide.md": post("lang: en"), "tide.fr.md": post(), "quay.fr.md": post(), "one/index.en.md": post(), "one/index.de.md": post()},
			want:  []string{"one en", "one-2 de", "quay", "tide en", "tide-2 fr"},
		},
		"folders of languages": {
			files: map[string]string{"hugo.yaml": "baseURL: https://x.example/\nlanguages:\n  en: {contentDir: content/en}\n  fr: {contentDir: content/fr}\n", "content/en/post/tide.md": post(), "content/fr/post/tide.md": post(), "content/fr/post/quay.md": post()},
			want:  []string{"quay", "tide fr", "tide-2 en"},
		},
		"folders of languages that the front matter names": {
			files: map[string]string{"en/_posts/2025-03-04-tide.md": post("lang: en"), "zh_tw/_posts/2025-03-04-tide.md": post("lang: zh_tw")},
			want:  []string{"tide zh-TW", "tide-2 en"},
		},
		"a key in the front matter": {
			files: map[string]string{"a.md": post("lang: en", "translationKey: tide"), "b.md": post("lang: fr", "translationKey: tide"), "c.md": post("lang: en", "ref: quay"), "d.md": post("lang: de", "ref: quay")},
			want:  []string{"a fr", "b en", "c de", "d en"},
		},
		"Docusaurus": {
			files: map[string]string{"docusaurus.config.js": "module.exports = {};\n", "blog/2025-03-04-tide.md": post("lang: en"), "i18n/fr/docusaurus-plugin-content-blog/2025-03-04-tide.md": post()},
			want:  []string{"tide fr", "tide-2 en"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := storetest.Open(t, store.SQLite, store.Options{Clock: func() time.Time { return time.Date(2026, 12, 1, 0, 0, 0, 0, time.UTC) }})
			dir := t.TempDir()
			write(t, dir, c.files)
			im := ingest.Importer{Store: s, Config: config.Default()}
			if _, err := im.Import(t.Context(), dir); err != nil {
				t.Fatal(err)
			}
			found, err := s.Articles(t.Context(), store.Query{})
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for i := range found {
				a := &found[i].Article
				if err := s.AddTranslations(t.Context(), []*article.Article{a}); err != nil {
					t.Fatal(err)
				}
				line := a.Slug
				for _, other := range a.Translations {
					line += " " + other.Language
				}
				got = append(got, line)
			}
			if slices.Sort(got); !slices.Equal(got, c.want) {
				t.Errorf("got  %q\nwant %q", got, c.want)
			}
			again, err := im.Import(t.Context(), filepath.Join(dir))
			if err != nil || again.Unchanged != len(got) {
				t.Errorf("a second import: %v (%v)", again, err)
			}
		})
	}
}
