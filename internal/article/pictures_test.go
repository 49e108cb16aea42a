package article

import (
	"slices"
	"testing"
)

func pictures() Pictures {
	copyOf := func(name, kind string, width int) Copy {
		return Copy{Name: name, Type: kind, Width: width, Height: width / 2, Bytes: 1000}
	}
	jpeg := []Copy{copyOf("1.jpg", "image/jpeg", 536), copyOf("2.jpg", "image/jpeg", 1072)}
	return Pictures{
		"a.jpg":  {Copy: copyOf("a.jpg", "image/jpeg", 4000), Copies: jpeg},
		"b.png":  {Copy: copyOf("b.png", "image/png", 200), Copies: []Copy{copyOf("b.png", "image/png", 200)}},
		"c.webp": {Copy: copyOf("c.webp", "image/webp", 4000), Copies: jpeg},
		"d.gif":  {Copy: copyOf("d.gif", "image/gif", 4000), Animated: true, Copies: jpeg},
		"e.svg":  {Copy: Copy{Name: "e.svg", Type: "image/svg+xml"}},
	}
}

func TestPagesHaveSizesAndCopiesOfImages(t *testing.T) {
	t.Parallel()
	for source, want := range map[string]string{
		`<p>a<img src="/media/a.jpg" alt="a&amp;b"/>b</p>`:         `<p>a<img src="/media/2.jpg" alt="a&amp;b" width="4000" height="2000" srcset="/media/1.jpg 536w, /media/2.jpg 1072w" sizes="50vw"/>b</p>`,
		`<img src="/media/a.jpg" width="100">`:                     `<img src="/media/2.jpg" width="100" height="50" srcset="/media/1.jpg 536w, /media/2.jpg 1072w" sizes="50vw">`,
		`<img src="/media/a.jpg" srcset="/media/x.jpg 2x"/>`:       `<img src="/media/a.jpg" srcset="/media/x.jpg 2x" width="4000" height="2000"/>`,
		`<img src="/media/b.png" height="50"/>`:                    `<img src="/media/b.png" height="50" width="100"/>`,
		`<img src="/media/c.webp"/>`:                               `<img src="/media/c.webp" width="4000" height="2000"/>`,
		`<img src="/media/d.gif"/>`:                                `<img src="/media/d.gif" width="4000" height="2000"/>`,
		`<img src="/media/e.svg"/><img src="/media/f.jpg"/>`:       `<img src="/media/e.svg"/><img src="/media/f.jpg"/>`,
		`<a href="/media/a.jpg">a</a><img src="https://x/a.jpg"/>`: `<a href="/media/a.jpg">a</a><img src="https://x/a.jpg"/>`,
	} {
		if got := pictures().PageHTML(source, "50vw"); got != want {
			t.Errorf("%s\nbecomes %s\nwant %s", source, got, want)
		}
	}
	if got := (Pictures(nil)).PageHTML(`<img src="/media/a.jpg"/>`, ""); got != `<img src="/media/a.jpg"/>` {
		t.Error(got)
	}
}

func TestFeedsHaveTheLargestCopy(t *testing.T) {
	t.Parallel()
	for source, want := range map[string]string{
		`<img src="/media/a.jpg"/>`:  `<img src="/media/2.jpg" width="1072" height="536"/>`,
		`<img src="/media/c.webp"/>`: `<img src="/media/c.webp" width="4000" height="2000"/>`,
	} {
		if got := pictures().FeedHTML(source); got != want {
			t.Errorf("%s becomes %s, want %s", source, got, want)
		}
	}
}

func TestMediaNamesAreThoseOfTheArticle(t *testing.T) {
	t.Parallel()
	a := Article{
		Image: &Image{URL: "/media/lead.jpg"},
		HTML:  `<img src="/media/a.jpg" srcset="/media/b.jpg 1x, /media/c.jpg 2x"/><a href="/media/a.jpg">/media/text.jpg</a><img src="https://x.example/media/d.jpg"/>`,
	}
	if got := a.MediaNames(); !slices.Equal(got, []string{"lead.jpg", "a.jpg", "b.jpg", "c.jpg"}) {
		t.Errorf("%q", got)
	}
}

func TestMailsGetAnImageWithinTheirBudget(t *testing.T) {
	t.Parallel()
	copyOf := func(width int, bytes int64) Copy {
		return Copy{Name: "x", Type: "image/jpeg", Width: width, Bytes: bytes}
	}
	for name, tc := range map[string]struct {
		copies []Copy
		width  int
	}{
		"twice the column":  {[]Copy{copyOf(536, 1), copyOf(1072, 1), copyOf(1600, 1)}, 1072},
		"heavy":             {[]Copy{copyOf(536, 1), copyOf(1072, 400_000)}, 536},
		"heavy everywhere":  {[]Copy{copyOf(536, 400_000), copyOf(1072, 900_000)}, 536},
		"between one and 2": {[]Copy{copyOf(536, 1), copyOf(800, 1)}, 800},
	} {
		if got, ok := (Picture{Copy: Copy{Type: "image/jpeg", Bytes: 20_000_000}, Copies: tc.copies}).ForMail(536); !ok || got.Width != tc.width {
			t.Errorf("%s: %+v", name, got)
		}
	}
	for bytes, want := range map[int64]string{mailAnimationBytes: "image/gif", mailAnimationBytes + 1: "image/jpeg"} {
		p := Picture{Copy: Copy{Type: "image/gif", Bytes: bytes}, Animated: true, Copies: []Copy{copyOf(536, 1)}}
		if got, ok := p.ForMail(536); !ok || got.Type != want {
			t.Errorf("an animation of %d bytes: %+v", bytes, got)
		}
	}
}
