package writing_test

import (
	"strings"
	"testing"
	"time"

	"github.com/tidings-press/tidings/internal/article"
	"github.com/tidings-press/tidings/internal/article/diff"
	"github.com/tidings-press/tidings/internal/article/ingest"
	"github.com/tidings-press/tidings/internal/article/writing"
)

// differing returns the fields that differ, with what was removed and added.
func differing(before, after article.Written, zone *time.Location) string {
	var out []string
	for _, d := range writing.Differences(before, after, zone) {
		text := d.Field + ":"
		for _, line := range d.Lines {
			mark := map[diff.Kind]string{diff.Added: "+", diff.Removed: "-", diff.Same: "=", diff.Skipped: "…"}[line.Kind]
			for _, part := range line.Parts {
				mark += part.Text
			}
			text += " " + mark
		}
		out = append(out, text)
	}
	return strings.Join(out, "; ")
}

func TestDifferencesOfRevisionsAreShownByField(t *testing.T) {
	t.Parallel()
	zone := time.FixedZone("", 2*3600)
	at := time.Date(2026, time.March, 1, 23, 30, 45, 0, time.UTC)
	whole := article.Written{
		Title: "T", Text: "one\ntwo", Summary: "S", Slug: "t", Image: "/media/a.png", ImageAlt: "A", Tags: []string{"a", "b"}, Authors: []string{"Ada"}, Language: "en", TranslationOf: "1", Published: at, Expires: at.Add(time.Hour), Unlisted: true,
	}
	if got := differing(whole, whole, zone); got != "" {
		t.Errorf("the same differs: %s", got)
	}
	for want, change := range map[string]func(*article.Written){
		"title: -T +U":              func(w *article.Written) { w.Title = "U" },
		"text: =one -two +2 +three": func(w *article.Written) { w.Text = "one\n2\nthree" },
		"":                          func(w *article.Written) { w.Text = "one\r\ntwo\n" }, // line ends say nothing
		"summary: -S":               func(w *article.Written) { w.Summary = "" },
		"slug: -t +u":               func(w *article.Written) { w.Slug = "u" },
		"image: -/media/a.png +/media/b.png; image_alt: -A": func(w *article.Written) { w.Image, w.ImageAlt = "/media/b.png", "" },
		"tags: =a -b +c":                               func(w *article.Written) { w.Tags = []string{"a", "c"} },
		"authors: =Ada +Bob":                           func(w *article.Written) { w.Authors = []string{"Ada", "Bob"} },
		"language: -en +fr; translation_of: -1":        func(w *article.Written) { w.Language, w.TranslationOf = "fr", "" },
		"published: -2026-03-02 01:30":                 func(w *article.Written) { w.Published = time.Time{} }, // in the zone of the site
		"expires: -2026-03-02 02:30 +2026-03-03 02:30": func(w *article.Written) { w.Expires = w.Expires.Add(24 * time.Hour) },
		"unlisted: -yes":                               func(w *article.Written) { w.Unlisted = false },
	} {
		after := whole
		change(&after)
		if got := differing(whole, after, zone); got != want {
			t.Errorf("%s\nwant %s", got, want)
		}
	}
	seconds := whole
	seconds.Published = at.Add(10 * time.Second) // forms show minutes
	if got := differing(whole, seconds, zone); got != "" {
		t.Errorf("seconds differ: %s", got)
	}
}

func TestErrorsOfContentSayWhatWhereAndHowToFixIt(t *testing.T) {
	t.Parallel()
	for want, problem := range map[string]ingest.Problem{
		"line 4: it is too long; cut it": {Line: 4, What: "it is too long", Fix: "cut it"},
		"it is too long; cut it":         {What: "it is too long", Fix: "cut it"},
		"it is too long":                 {What: "it is too long"},
	} {
		if got := (&writing.ContentError{ID: "1", Problem: &problem}).Error(); got != want {
			t.Errorf("%s, want %s", got, want)
		}
	}
}
