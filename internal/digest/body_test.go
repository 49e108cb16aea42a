package digest

import (
	"strings"
	"testing"

	"github.com/tidings-press/tidings/internal/article"
	"github.com/tidings-press/tidings/templates"
)

// wholeMail renders an edition of one article with a template that shows its body.
func wholeMail(t *testing.T, body string) Variant {
	t.Helper()
	dir := t.TempDir()
	writeMail(t, dir, "whole", `{{range .Articles}}{{.Body}}{{end}}<a href="{{.Reader.Unsubscribe}}">x</a>`, "{{range .Articles}}{{plain .Body}}\n{{end}}{{.Reader.Unsubscribe}}")
	set, err := templates.Load(dir)
	if err != nil {
		t.Fatal(err)
	}
	in := sampleInput()
	in.Definition.Template = "whole"
	in.Articles = []article.Article{{ID: "a1", Slug: "harbour", Title: "The harbour", Language: "en", HTML: body}}
	v, err := Render(in, Preferences{}, set)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func TestBodiesAreAdaptedForMailPrograms(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct{ body, html, text string }{
		"video": {
			`<video controls="" poster="/media/p.jpg"><source src="/media/v.mp4" type="video/mp4"/><a href="/media/v.mp4">get it</a></video>`,
			`<a href="https://post.example/media/v.mp4"><img src="https://post.example/media/p.jpg" alt="" style="max-width:100%;height:auto"/><br/>▶ Watch the video</a>`,
			"▶ Watch the video <https://post.example/media/v.mp4>",
		},
		"video without a file": {`<video></video>`, `<a href="https://post.example/articles/harbour">▶ Watch the video</a>`, "▶ Watch the video <https://post.example/articles/harbour>"},
		"audio":                {`<p><audio src="/media/a.mp3" controls=""></audio></p>`, `<p><a href="https://post.example/media/a.mp3">♪ Listen to the recording</a></p>`, "♪ Listen to the recording <https://post.example/media/a.mp3>"},
		"details":              {`<details><summary>More</summary><p>Text</p></details>`, `<div><p><strong>More</strong></p><p>Text</p></div>`, "More\n\nText"},
		"picture": {
			`<picture><source srcset="/media/a.avif" type="image/avif"/><img src="/media/a.jpg" alt="a boat" width="1200" height="800" srcset="/media/a.jpg 1200w" sizes="100vw" loading="lazy"/></picture>`,
			`<img src="https://post.example/media/a.jpg" alt="a boat" width="536" height="357" style="max-width:100%;height:auto"/>`, "[a boat]",
		},
		"small image":       {`<img src="/media/b.png" alt="" width="40" height="30"/>`, `<img src="https://post.example/media/b.png" alt="" width="40" height="30" style="max-width:100%;height:auto"/>`, ""},
		"image of no width": {`<img src="/media/b.png" alt="b" height="3000"/>`, `<img src="https://post.example/media/b.png" alt="b" style="max-width:100%;height:auto"/>`, "[b]"},
		"drawing":           {`<p><img src="/x/a.svg?v=1" alt="tides"/></p>`, `<p><em>[tides]</em></p>`, "[tides]"},
		"code":              {"<pre><code>if x {\n    y\n}</code></pre>", "<pre style=\"white-space:pre-wrap;overflow-wrap:anywhere\"><code>if x {\n    y\n}</code></pre>", "if x {\n    y\n}"},
		"table":             {`<table><tbody><tr><td>a</td></tr></tbody></table>`, `<table style="max-width:100%;overflow-wrap:anywhere;word-break:break-word"><tbody><tr><td>a</td></tr></tbody></table>`, "a"},
		"details in details": {
			`<details open=""><summary>A <picture><img src="/media/b.png" alt="b"/></picture></summary><details><summary>B</summary>c</details></details>`,
			`<div><p><strong>A <img src="https://post.example/media/b.png" alt="b" style="max-width:100%;height:auto"/></strong></p><div><p><strong>B</strong></p>c</div></div>`, "A [b]\n\nB\n\nc",
		},
	} {
		v := wholeMail(t, tc.body)
		if !strings.Contains(v.HTML, "<body>"+tc.html+"<a href") {
			t.Errorf("%s: %s\nwant %s", name, v.HTML, tc.html)
		}
		if got, _, _ := strings.Cut(v.Text, v.Placeholders.Unsubscribe); strings.TrimSpace(got) != tc.text {
			t.Errorf("%s: %q, want %q", name, got, tc.text)
		}
	}
}

func TestImagesFitTheColumn(t *testing.T) {
	t.Parallel()
	for _, tc := range [][4]int{{1072, 600, 536, 300}, {536, 300, 536, 300}, {300, 9000, 300, 9000}, {5000, 3, 536, 0}, {0, 400, 0, 0}, {400, 0, 400, 0}} {
		if w, h := fitColumn(tc[0], tc[1]); w != tc[2] || h != tc[3] {
			t.Errorf("%d by %d is shown at %d by %d, want %d by %d", tc[0], tc[1], w, h, tc[2], tc[3])
		}
	}
	in := sampleInput()
	in.Articles[0].Image = &article.Image{URL: "/media/drawing.svg", Alt: "Tides"}
	if v := mustRender(t, in, Preferences{}); strings.Contains(v.HTML, "drawing.svg") {
		t.Error("a mail shows a drawing in SVG")
	}
}
