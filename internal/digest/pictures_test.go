package digest

import (
	"strings"
	"testing"

	"github.com/tidings-press/tidings/internal/article"
	"github.com/tidings-press/tidings/templates"
)

// samplePictures has a photo of 20 MB with three copies, a drawing, and an image that cannot be read.
func samplePictures() article.Pictures {
	copyOf := func(name string, width int, bytes int64) article.Copy {
		return article.Copy{Name: name, Type: "image/jpeg", Width: width, Height: width / 2, Bytes: bytes}
	}
	return article.Pictures{
		"harbour.jpg": {Copy: copyOf("harbour.jpg", 6000, 20_000_000), Copies: []article.Copy{copyOf("h1.jpg", 536, 40_000), copyOf("h2.jpg", 1072, 120_000), copyOf("h3.jpg", 1600, 250_000)}},
		"heavy.webp": {
			Copy:   article.Copy{Name: "heavy.webp", Type: "image/webp", Width: 900, Height: 600, Bytes: 10},
			Copies: []article.Copy{{Name: "w1.png", Type: "image/png", Width: 536, Height: 357, Bytes: 200_000}, {Name: "w2.png", Type: "image/png", Width: 900, Height: 600, Bytes: 400_000}},
		},
		"tides.svg":  {Copy: article.Copy{Name: "tides.svg", Type: "image/svg+xml", Width: 10, Height: 10, Bytes: 10}},
		"broken.jpg": {Copy: article.Copy{Name: "broken.jpg", Type: "image/jpeg", Width: 10, Height: 10, Bytes: 10}},
	}
}

func TestMailsShowCopiesOfImages(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	writeMail(t, dir, "whole", `{{range .Articles}}{{with .Image}}<img src="{{.URL}}" width="{{.Width}}" height="{{.Height}}">{{end}}{{.Body}}{{end}}<a href="{{.Reader.Unsubscribe}}">x</a>`, "{{.Reader.Unsubscribe}}")
	set, err := templates.Load(dir)
	if err != nil {
		t.Fatal(err)
	}
	for name, tc := range map[string]struct{ body, want string }{
		"photo":        {`<img src="/media/harbour.jpg" alt="a"/>`, `<img src="https://post.example/media/h2.jpg" alt="a" width="536" height="268" style="max-width:100%;height:auto"/>`},
		"photo, small": {`<img src="/media/harbour.jpg" alt="a" width="200"/>`, `<img src="https://post.example/media/h2.jpg" alt="a" width="200" height="100" style="max-width:100%;height:auto"/>`},
		"WebP":         {`<img src="/media/heavy.webp" alt="a"/>`, `<img src="https://post.example/media/w1.png" alt="a" width="536" height="357" style="max-width:100%;height:auto"/>`},
		"SVG":          {`<img src="/media/tides.svg" alt="tides"/>`, `<em>[tides]</em>`},
		"unreadable":   {`<img src="/media/broken.jpg" alt="a"/>`, `<em>[a]</em>`},
		"missing":      {`<img src="/media/gone.jpg" alt="a"/>`, `<em>[a]</em>`},
		"elsewhere":    {`<img src="https://e.example/media/x.jpg" alt="a" width="9" height="9"/>`, `<img src="https://e.example/media/x.jpg" alt="a" width="9" height="9" style="max-width:100%;height:auto"/>`},
	} {
		in := sampleInput()
		in.Definition.Template, in.Pictures = "whole", samplePictures()
		in.Articles = []article.Article{{ID: "a1", Slug: "a", Title: "A", HTML: tc.body}}
		v, err := Render(in, Preferences{}, set)
		if err != nil || !strings.Contains(v.HTML, "<body>"+tc.want+"<a") {
			t.Errorf("%s: %v\n%s\nwant %s", name, err, v.HTML, tc.want)
		}
	}
	in := sampleInput()
	in.Definition.Template, in.Pictures = "whole", samplePictures()
	in.Articles[0].HTML = `<img src="/media/harbour.jpg" alt="a"/>`
	v, err := Render(in, Preferences{}, set)
	if err != nil || !strings.Contains(v.HTML, `<body><img src="https://post.example/media/h2.jpg" width="536" height="281"/>`) || strings.Contains(v.HTML, "mina.jpg") {
		t.Errorf("%v %s", err, v.HTML)
	}
}
