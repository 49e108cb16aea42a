package copies_test

import (
	"bytes"
	"context"
	"image"
	"image/color"
	"image/gif"
	"image/jpeg"
	"image/png"
	"strings"
	"testing"
	"time"

	"github.com/tidings-press/tidings/internal/article"
	"github.com/tidings-press/tidings/internal/copies"
	"github.com/tidings-press/tidings/internal/store"
	"github.com/tidings-press/tidings/internal/testkit/storetest"
)

func photo(t *testing.T, width, height int) []byte {
	t.Helper()
	img := image.NewRGBA(image.Rect(0, 0, width, height))
	for y := range height {
		for x := range width {
			img.SetRGBA(x, y, color.RGBA{uint8(x * 7), uint8(x*y + y), uint8(y * 5), 255})
		}
	}
	var out bytes.Buffer
	if err := jpeg.Encode(&out, img, nil); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// put stores an article with images.
func put(t *testing.T, s *store.Store, media ...article.Medium) article.Article {
	t.Helper()
	a := article.Article{ID: "0c5fd9b4-6a4f-4b8e-9a52-6a0a1f1f0f01", Source: "file:a.md", Slug: "a", Title: "A", Status: article.Published, Hash: "1", Published: time.Unix(1, 0), Updated: time.Unix(1, 0)}
	for _, m := range media {
		a.HTML += `<p><img src="/media/` + m.Name + `" alt="x"/></p>`
	}
	if _, err := s.PutArticle(t.Context(), &a, nil, media); err != nil {
		t.Fatal(err)
	}
	return a
}

func widths(p article.Picture) (out []int) {
	for _, c := range p.Copies {
		out = append(out, c.Width)
	}
	return out
}

func TestImagesOfArticlesHaveCopies(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		data := photo(t, 1200, 60)
		a := put(t, s, article.Medium{Name: "wide.jpg", Type: "image/jpeg", Data: data}, article.Medium{Name: "talk.mp3", Type: "audio/mpeg", Data: []byte("x")},
			article.Medium{Name: "broken.png", Type: "image/png", Data: []byte("no picture")})
		before, err := s.LastChange(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		found, err := copies.ForArticles(t.Context(), s, []article.Article{a})
		if err != nil || len(found) != 2 {
			t.Fatalf("%v, %v", found, err)
		}
		wide := found["wide.jpg"]
		if got := widths(wide); len(got) != 3 || got[0] != 536 || got[1] != 1072 || got[2] != 1200 || wide.Width != 1200 || wide.Height != 60 {
			t.Errorf("%+v", wide)
		}
		for _, c := range wide.Copies {
			m, err := s.Medium(t.Context(), c.Name)
			if err != nil || int64(len(m.Data)) != c.Bytes || m.Type != "image/jpeg" || m.Width != c.Width {
				t.Errorf("%+v: %v", c, err)
			}
		}
		if broken := found["broken.png"]; len(broken.Copies) != 0 {
			t.Errorf("%+v", broken)
		}
		after, err := s.LastChange(t.Context())
		if err != nil || after.Revision <= before.Revision {
			t.Errorf("the revision stays %d: pages would be shown without the copies; %v", after.Revision, err)
		}
		again, err := copies.ForArticles(t.Context(), s, []article.Article{a})
		if last, _ := s.LastChange(t.Context()); err != nil || last.Revision != after.Revision || len(again["wide.jpg"].Copies) != 3 {
			t.Errorf("copies were made twice: %v", err)
		}
	})
}

func TestAllWaitingImagesGetCopies(t *testing.T) {
	t.Parallel()
	s := storetest.Open(t, store.SQLite, store.Options{})
	put(t, s, article.Medium{Name: "a.jpg", Type: "image/jpeg", Data: photo(t, 30, 20)}, article.Medium{Name: "b.jpg", Type: "image/jpeg", Data: []byte("\xff\xd8\xff")},
		article.Medium{Name: "c.svg", Type: "image/svg+xml", Data: []byte("<svg/>")})
	problems := map[string]error{}
	if err := copies.MakeMissing(t.Context(), s, func(name string, problem error) { problems[name] = problem }); err != nil {
		t.Fatal(err)
	}
	if len(problems) != 3 || problems["a.jpg"] != nil || problems["b.jpg"] == nil || problems["c.svg"] != nil {
		t.Errorf("%v", problems)
	}
	if left, err := s.ImagesWithoutCopies(t.Context(), 10); err != nil || len(left) > 0 {
		t.Errorf("%v, %v", left, err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := copies.MakeMissing(ctx, s, nil); err == nil {
		t.Error("no error after the end of the context")
	}
}

func TestCopiesOfEachFormatSuitMails(t *testing.T) {
	t.Parallel()
	animation := &gif.GIF{}
	for range 2 {
		animation.Image = append(animation.Image, image.NewPaletted(image.Rect(0, 0, 700, 10), color.Palette{color.Black, color.White}))
		animation.Delay = append(animation.Delay, 5)
	}
	var moving, drawing bytes.Buffer
	if err := gif.EncodeAll(&moving, animation); err != nil {
		t.Fatal(err)
	}
	if err := png.Encode(&drawing, image.NewGray(image.Rect(0, 0, 300, 10))); err != nil {
		t.Fatal(err)
	}
	for name, tc := range map[string]struct {
		medium article.Medium
		own    bool // the image itself goes into mails
		kind   string
		width  int
	}{
		"photo":         {article.Medium{Name: "a.jpg", Type: "image/jpeg", Data: photo(t, 3000, 30)}, false, "image/jpeg", 1072},
		"small drawing": {article.Medium{Name: "a.png", Type: "image/png", Data: drawing.Bytes()}, true, "image/png", 300},
		"light GIF":     {article.Medium{Name: "a.gif", Type: "image/gif", Data: moving.Bytes()}, true, "image/gif", 700},
		"heavy GIF":     {article.Medium{Name: "a.gif", Type: "image/gif", Data: append(moving.Bytes(), make([]byte, 1_000_000)...)}, false, "image/png", 700},
	} {
		made, animated, problem := copies.Make(&tc.medium)
		if problem != nil {
			t.Errorf("%s: %v", name, problem)
			continue
		}
		p := article.Picture{Animated: animated, Copy: copyOf(tc.medium)}
		for _, m := range made {
			p.Copies = append(p.Copies, copyOf(m))
		}
		got, ok := p.ForMail(536)
		if !ok || (got.Name == tc.medium.Name) != tc.own || got.Type != tc.kind || got.Width != tc.width || !tc.own && strings.HasPrefix(got.Name, "a.") {
			t.Errorf("%s: %+v", name, got)
		}
	}
}

func copyOf(m article.Medium) article.Copy {
	return article.Copy{Name: m.Name, Type: m.Type, Width: m.Width, Height: m.Height, Bytes: int64(len(m.Data))}
}
