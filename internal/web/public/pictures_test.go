package public_test

import (
	"bytes"
	"image"
	"image/png"
	"net/http"
	"regexp"
	"strings"
	"testing"

	"github.com/tidings-press/tidings/internal/article"
	"github.com/tidings-press/tidings/internal/copies"
)

func TestArticlePageOffersCopiesOfImages(t *testing.T) {
	t.Parallel()
	b := onSQLite(t)
	var data bytes.Buffer
	if err := png.Encode(&data, image.NewGray(image.Rect(0, 0, 1200, 300))); err != nil {
		t.Fatal(err)
	}
	lead, body := strings.Repeat("ab", 32)+".png", strings.Repeat("cd", 32)+".png"
	a := article.Article{
		Source: "m", Slug: "m", Title: "m", HTML: `<p><img src="/media/` + body + `" alt="x"/></p>`, Image: &article.Image{URL: "/media/" + lead},
		Hash: "m", Status: article.Published, Published: b.store.Now(),
	}
	media := []article.Medium{{Name: lead, Type: "image/png", Data: data.Bytes()}, {Name: body, Type: "image/png", Data: data.Bytes()}}
	if _, err := b.store.PutArticle(t.Context(), &a, nil, media); err != nil {
		t.Fatal(err)
	}
	if err := copies.MakeMissing(t.Context(), b.store, func(_ string, problem error) {
		if problem != nil {
			t.Error(problem)
		}
	}); err != nil {
		t.Fatal(err)
	}
	page := b.get("/articles/m")
	b.want(page, http.StatusOK)
	b.want(page, http.StatusOK, `<meta property="og:image:width" content="1200">`, `<meta name="twitter:card" content="summary_large_image">`)
	for _, path := range []string{"/", "/search?q=m"} {
		list := b.get(path)
		b.want(list, http.StatusOK)
		if found := regexp.MustCompile(`<img class="thumb" src="/media/[^"]*" alt="" srcset="[^"]* 536w, [^"]*" sizes="[^"]+"[^>]* width="1200" height="300">`).FindString(list.Body.String()); found == "" || path == "/" && strings.Contains(found, "lazy") {
			t.Errorf("%s: the image of the article is %q\n%s", path, found, list.Body)
		}
	}
	images := regexp.MustCompile(`<img src="([^"]*)"[^>]* width="1200" height="300"[^>]* srcset="([^"]*)" sizes="[^"]*vw[^"]*"`).FindAllStringSubmatch(page.Body.String(), -1)
	if len(images) != 2 {
		t.Fatalf("%d images of two have a size and copies\n%s", len(images), page.Body)
	}
	for _, img := range images {
		candidates := strings.Split(img[2], ", ")
		if len(candidates) != 3 || !strings.HasSuffix(candidates[0], " 536w") || !strings.HasPrefix(candidates[2], img[1]+" ") {
			t.Errorf("%q of %q", img[1], candidates)
		}
		for _, candidate := range candidates {
			address, _, _ := strings.Cut(candidate, " ")
			w := b.get(address)
			b.want(w, http.StatusOK)
			if w.Header().Get("Content-Type") != "image/png" || !strings.Contains(w.Header().Get("Cache-Control"), "immutable") {
				t.Errorf("%s: %v", address, w.Header())
			}
		}
	}
}
