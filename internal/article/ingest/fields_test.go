package ingest_test

import (
	"testing"

	"github.com/tidings-press/tidings/internal/article/ingest"
)

func TestWeightIsReadFromTheFrontMatter(t *testing.T) {
	t.Parallel()
	hashes := map[string]bool{}
	for _, test := range []struct {
		line     string
		want     int
		warnings int
	}{
		{"", 0, 0},
		{"weight:", 0, 0},
		{"weight: 10", 10, 0},
		{"weight: -3", -3, 0},
		{`weight: "7"`, 7, 0},
		{"weight: 1.5", 0, 1},
		{"weight: heavy", 0, 1},
		{"weight: [1]", 0, 1},
		{"weight: 99999999999999999999", 0, 1},
	} {
		out := importOne(t, "a.md", "---\ntitle: A\ndate: 2026-01-01\n"+test.line+"\n---\nText\n", ingest.Options{})
		if out.Article.Weight != test.want || len(out.Warnings) != test.warnings {
			t.Errorf("%s: weight %d, warnings %v; want %d and %d warnings", test.line, out.Article.Weight, out.Warnings, test.want, test.warnings)
		}
		hashes[out.Article.Hash] = true
	}
	if len(hashes) != 4 { // none, 10, -3 and 7
		t.Errorf("%d hashes for four weights: a changed weight is not stored", len(hashes))
	}
}
