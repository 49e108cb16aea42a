package delivery_test

import (
	"bytes"
	"image"
	"image/color"
	"image/jpeg"
	"image/png"
	"io"
	"mime"
	"mime/multipart"
	"mime/quotedprintable"
	"net/mail"
	"regexp"
	"strings"
	"testing"

	"github.com/tidings-press/tidings/internal/article"
	"github.com/tidings-press/tidings/internal/store"
	"github.com/tidings-press/tidings/internal/testkit/sink"
)

// htmlPart returns the HTML part of a mail.
func htmlPart(t *testing.T, data []byte) string {
	t.Helper()
	m, err := mail.ReadMessage(bytes.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	_, parameters, err := mime.ParseMediaType(m.Header.Get("Content-Type"))
	if err != nil {
		t.Fatal(err)
	}
	parts := multipart.NewReader(m.Body, parameters["boundary"])
	for {
		part, err := parts.NextRawPart()
		if err != nil {
			t.Fatal(err)
		}
		if strings.HasPrefix(part.Header.Get("Content-Type"), "text/html") {
			text, err := io.ReadAll(quotedprintable.NewReader(part))
			if err != nil {
				t.Fatal(err)
			}
			return string(text)
		}
	}
}

// An edition that is sent before the background has made the copies of its images makes them itself.
func TestMailsNeverShowOriginalImages(t *testing.T) {
	t.Parallel()
	b := setup(t, store.SQLite, sink.Options{})
	b.addSubscribers(1)
	img := image.NewRGBA(image.Rect(0, 0, 2400, 1200))
	for i := range img.Pix {
		img.Pix[i] = byte(i * i >> 7)
	}
	var photo, drawing bytes.Buffer
	if err := jpeg.Encode(&photo, img, nil); err != nil {
		t.Fatal(err)
	}
	if err := png.Encode(&drawing, image.NewPaletted(image.Rect(0, 0, 90, 30), color.Palette{color.White})); err != nil {
		t.Fatal(err)
	}
	for slug, m := range map[string]article.Medium{
		"photo":   {Name: strings.Repeat("a", 64) + ".jpg", Type: "image/jpeg", Data: photo.Bytes()},
		"drawing": {Name: strings.Repeat("b", 64) + ".png", Type: "image/png", Data: drawing.Bytes()},
		"broken":  {Name: strings.Repeat("c", 64) + ".png", Type: "image/png", Data: []byte("\x89PNG")},
		"svg":     {Name: strings.Repeat("d", 64) + ".svg", Type: "image/svg+xml", Data: []byte("<svg/>")},
	} {
		a := article.Article{Source: slug, Slug: slug, Title: slug, HTML: "<p>x</p>", Status: article.Published, Published: b.store.Now(), Hash: slug, Image: &article.Image{URL: "/media/" + m.Name, Alt: slug}}
		if _, err := b.store.PutArticle(t.Context(), &a, nil, []article.Medium{m}); err != nil {
			t.Fatal(err)
		}
	}
	b.start()
	b.sent(b.send().ID)
	page := htmlPart(t, b.server.Mails()[0].Data)
	images := regexp.MustCompile(`<img src="[^"]*/media/([^"]*)" alt="([^"]*)" width="(\d+)" height="(\d+)"`).FindAllStringSubmatch(page, -1)
	if len(images) != 2 {
		t.Fatalf("%d images of two are in the mail\n%s", len(images), page)
	}
	for _, found := range images {
		m, err := b.store.Medium(t.Context(), found[1])
		if err != nil {
			t.Error(err)
			continue
		}
		shown := found[3] + "x" + found[4]
		if found[2] == "photo" && (m.Width > 1072 || len(m.Data) > 300_000 || shown != "536x268") || found[2] == "drawing" && (m.Width != 90 || shown != "90x30") {
			t.Errorf("%s is %d pixels wide with %d bytes, shown at %s", found[2], m.Width, len(m.Data), shown)
		}
	}
}
