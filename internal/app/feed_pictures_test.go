package app_test

import (
	"bytes"
	"image"
	"image/jpeg"
	"regexp"
	"strings"
	"testing"

	"github.com/tidings-press/tidings/internal/article"
	"github.com/tidings-press/tidings/internal/copies"
	"github.com/tidings-press/tidings/internal/store"
	"github.com/tidings-press/tidings/internal/testkit/feedrules"
	"github.com/tidings-press/tidings/internal/testkit/storetest"
)

// Copies are made after their article was stored, and perhaps after it was served in a feed.
func TestFeedsShowCopiesOnceTheyAreMade(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		var photo bytes.Buffer
		if err := jpeg.Encode(&photo, image.NewGray(image.Rect(0, 0, 3000, 60)), nil); err != nil {
			t.Fatal(err)
		}
		name := strings.Repeat("ab", 32) + ".jpg"
		a := feedrules.Article(1)
		a.HTML, a.Image = `<p><img src="/media/`+name+`" alt="x"/></p>`, &article.Image{URL: "/media/" + name, Type: "image/jpeg", Bytes: int64(photo.Len())}
		if _, err := s.PutArticle(t.Context(), &a, nil, []article.Medium{{Name: name, Type: "image/jpeg", Data: photo.Bytes()}}); err != nil {
			t.Fatal(err)
		}
		server := feedServer(s)
		if _, before := fetch(t, server, "/feed.xml"); strings.Count(before, name) < 2 {
			t.Fatalf("without copies, a feed shows the image itself\n%s", before)
		}
		if err := copies.MakeMissing(t.Context(), s, func(string, error) {}); err != nil {
			t.Fatal(err)
		}
		server.Changed()
		for _, path := range []string{"/feed.xml", "/atom.xml", "/feed.json"} {
			_, got := fetch(t, server, path)
			if strings.Contains(got, name) || !regexp.MustCompile(`/media/[0-9a-f]{64}\.(jpg|png)`).MatchString(got) {
				t.Errorf("%s shows the original of 3000 pixels\n%s", path, got)
			}
		}
		if _, got := fetch(t, server, "/feed.xml"); !regexp.MustCompile(`<media:content [^>]*width="1600" height="32"`).MatchString(got) || strings.Count(got, `width="1600" height="32"`) < 2 {
			t.Errorf("the sizes are missing\n%s", got)
		}
	})
}
