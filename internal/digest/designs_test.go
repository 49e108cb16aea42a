package digest

import (
	"strings"
	"testing"
)

// TestDesignsMatchGoldenFiles compares the HTML without its head, which the files of digest-en.html and
// brief-en.html have, and the text. An edition has everything in each language, and nothing optional in
// English.
func TestDesignsMatchGoldenFiles(t *testing.T) {
	t.Parallel()
	for _, design := range designs {
		for _, lang := range []string{"en", "ar", "ja"} {
			v := mustRender(t, designInput(design, lang, "https://post.example", true), Preferences{})
			golden(t, "testdata/designs/"+design+"-"+lang+".html", bodyOf(v.HTML))
			golden(t, "testdata/designs/"+design+"-"+lang+".txt", v.Subject+"\n\n"+v.Text)
		}
		v := mustRender(t, designInput(design, "en", "https://post.example", false), Preferences{})
		golden(t, "testdata/designs/"+design+"-plain.html", bodyOf(v.HTML))
		golden(t, "testdata/designs/"+design+"-plain.txt", v.Subject+"\n\n"+v.Text)
	}
}

// bodyOf returns the body of a page.
func bodyOf(page string) string { return page[strings.Index(page, "<body"):] }
