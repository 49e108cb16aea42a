package public

import (
	"io/fs"
	"os"
	"regexp"
	"strings"
	"testing"
)

// phrases returns all phrases in the sources of the pages.
func phrases(t *testing.T) map[string]bool {
	t.Helper()
	out := map[string]bool{"Everything": true, "By tag": true, "Digest editions": true} // titles that the list of feeds has
	said := regexp.MustCompile(`[sS]ay[ (]"([^"]+)"`)
	for _, pattern := range []string{"*.go", "pages/*.html"} {
		names, err := fs.Glob(os.DirFS("."), pattern)
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range names {
			data, err := os.ReadFile(name)
			if err != nil {
				t.Fatal(err)
			}
			for _, m := range said.FindAllStringSubmatch(string(data), -1) {
				out[m[1]] = !strings.HasSuffix(name, "_test.go") || out[m[1]]
			}
		}
	}
	return out
}

func TestAllPhrasesAreTranslated(t *testing.T) {
	t.Parallel()
	want := phrases(t)
	for _, tag := range []string{"fr-CA", "de", "ar", "ja"} {
		if !catalogue().Has(tag) {
			t.Fatalf("%s is missing", tag)
		}
		w := catalogue().In(tag).Texts()
		for phrase := range want {
			if w[phrase] == "" {
				t.Errorf("%s lacks %q", tag, phrase)
			}
		}
		for phrase := range w {
			if !want[phrase] {
				t.Errorf("%s has %q, which no page says", tag, phrase)
			}
		}
	}
	if got := catalogue().In("en").Say("Feeds"); got != "Feeds" {
		t.Errorf("English: %s", got)
	}
}
