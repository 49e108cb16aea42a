package digest

import (
	"fmt"
	"image"
	"image/color"
	"image/png"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"

	"github.com/tidings-press/tidings/internal/testkit"
)

// TestDesignsAreDrawn writes pictures of all designs into the folder TIDINGS_SCREENSHOTS, for docs/images.
// Each picture shows one design in several windows side by side.
func TestDesignsAreDrawn(t *testing.T) {
	t.Parallel()
	if os.Getenv("TIDINGS_SCREENSHOTS") == "" {
		t.Skip("make screenshots draws them")
	}
	server := httptest.NewUnstartedServer(nil)
	site := "http://" + server.Listener.Addr().String()
	server.Config.Handler = designServer(t, site)
	server.Start()
	t.Cleanup(server.Close)
	browser := testkit.StartBrowser(t)
	for _, design := range designs {
		for name, windows := range map[string][]string{
			"light": {"600 en", "375 en"}, "dark": {"600 en", "375 en"},
			"arabic": {"600 ar", "375 ar"}, "japanese": {"600 ja", "375 ja"}, "images-off": {"600 en-off", "375 en-off"},
		} {
			browser.SetScaledViewport(sheetWidth(windows), 900, name == "dark", 0.55)
			browser.Open(site + "/sheet/" + design + "?" + strings.ReplaceAll(strings.Join(windows, "&"), " ", "="))
			browser.Wait("window.drawn")
			browser.ScreenshotPage(design + "-" + name)
		}
	}
}

// Spaces around and between the windows of a picture, in pixels.
const sheetGap = 24

// sheetWidth returns the width of a picture.
func sheetWidth(windows []string) int64 {
	width := sheetGap
	for _, window := range windows {
		var w int
		_, _ = fmt.Sscan(window, &w)
		width += w + sheetGap
	}
	return int64(width)
}

// designServer serves the mails, the pictures in them, and pages that show several mails.
func designServer(t *testing.T, site string) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("/mail/{design}/{what}", func(w http.ResponseWriter, r *http.Request) {
		lang, state, _ := strings.Cut(r.PathValue("what"), "-")
		v := mustRender(t, designInput(r.PathValue("design"), lang, site, state != "plain"), Preferences{})
		page := v.Fill(Placeholders{Name: "Mia Lind", Address: "mia@example.org", Unsubscribe: "#", Preferences: "#", Web: "#"}).HTML
		if state == "off" {
			page = strings.ReplaceAll(page, `src="`+site+"/media/", `src="`+site+"/missing/")
		}
		fmt.Fprint(w, page)
	})
	mux.HandleFunc("/sheet/{design}", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		fmt.Fprintf(w, `<!DOCTYPE html><meta name="color-scheme" content="light dark"><style>body{margin:%[1]dpx;display:flex;gap:%[1]dpx;align-items:flex-start;background:#8a9390}iframe{border:0;flex:none}</style>`, sheetGap)
		for _, window := range strings.Split(r.URL.RawQuery, "&") {
			width, what, _ := strings.Cut(window, "=")
			fmt.Fprintf(w, `<iframe width="%s" height="10" scrolling="no" src="/mail/%s/%s"></iframe>`, width, r.PathValue("design"), what)
		}
		fmt.Fprint(w, `<script>onload = () => { for (const f of document.querySelectorAll('iframe')) f.height = f.contentDocument.documentElement.scrollHeight; window.drawn = true }</script>`)
	})
	mux.HandleFunc("/media/{name}", func(w http.ResponseWriter, r *http.Request) {
		_ = png.Encode(w, samplePicture(r.PathValue("name")))
	})
	return mux
}

// samplePicture draws a picture in a few flat colors.
func samplePicture(name string) image.Image {
	n := int(name[max(0, len(name)-5)] - '0')
	switch {
	case strings.HasPrefix(name, "scene"):
		return scene(n, 1072, 600)
	case strings.HasPrefix(name, "face"):
		return face(n)
	}
	return wordmark(strings.HasPrefix(name, "logo"))
}

// scene draws a sun above the sea.
func scene(n, width, height int) image.Image {
	sky := []color.Color{color.RGBA{0xf4, 0xc9, 0x95, 255}, color.RGBA{0xa9, 0xd3, 0xdf, 255}, color.RGBA{0xf2, 0xb5, 0xa7, 255}, color.RGBA{0xcf, 0xd8, 0xdc, 255}, color.RGBA{0xd9, 0xd2, 0xe9, 255}, color.RGBA{0xb6, 0xd7, 0xa8, 255}}[n%6]
	palette := color.Palette{sky, color.RGBA{0x1f, 0x4e, 0x5f, 255}, color.RGBA{0x2b, 0x6a, 0x78, 255}, color.RGBA{0xff, 0xf3, 0xd6, 255}, color.RGBA{0x6b, 0x2d, 0x2a, 255}, color.RGBA{0xfa, 0xfa, 0xf5, 255}}
	img := image.NewPaletted(image.Rect(0, 0, width, height), palette)
	sunX, sunY, boatX, horizon := width/5+n*width/9, height/3, width*3/4-n*width/10, height*3/5
	for y := range height {
		for x := range width {
			index := uint8(0)
			switch dx, dy := x-boatX, horizon+40-y; {
			case dy >= 0 && dy < 200 && dx > 4 && dx < (200-dy)*2/3:
				index = 5
			case dy < 0 && dy > -30 && dx > -90-dy && dx < 130+dy:
				index = 4
			case y > horizon && (y-horizon)/24%2 == 1:
				index = 2
			case y > horizon:
				index = 1
			case (x-sunX)*(x-sunX)+(y-sunY)*(y-sunY) < 70*70:
				index = 3
			}
			img.SetColorIndex(x, y, index)
		}
	}
	return img
}

// face draws a head and shoulders.
func face(n int) image.Image {
	const size = 112
	palette := color.Palette{[]color.Color{color.RGBA{0xcf, 0xe3, 0xdc, 255}, color.RGBA{0xf3, 0xdc, 0xc2, 255}, color.RGBA{0xd8, 0xd4, 0xea, 255}}[n%3], color.RGBA{0x8d, 0x5a, 0x3c, 255}, color.RGBA{0x23, 0x3d, 0x4d, 255}}
	img := image.NewPaletted(image.Rect(0, 0, size, size), palette)
	for y := range size {
		for x := range size {
			dx := x - size/2
			switch {
			case dx*dx+(y-46)*(y-46) < 22*22:
				img.SetColorIndex(x, y, 1)
			case dx*dx+(y-118)*(y-118) < 46*46:
				img.SetColorIndex(x, y, 2)
			}
		}
	}
	return img
}

// wordmark draws a logo of waves, or a line that looks like a signature.
func wordmark(logo bool) image.Image {
	width, height := 300, 100
	if logo {
		width, height = 360, 72
	}
	img := image.NewPaletted(image.Rect(0, 0, width, height), color.Palette{color.Transparent, color.RGBA{0x0f, 0x5c, 0x56, 255}})
	for x := range width {
		wave := func(y, high, period int) {
			at := x % period
			if at > period/2 {
				at = period - at
			}
			for d := range 6 {
				if y := y + high*at*2/period + d; y >= 0 && y < height {
					img.SetColorIndex(x, y, 1)
				}
			}
		}
		switch {
		case logo:
			for row := range 3 {
				wave(10+row*18, 14, 90)
			}
		case x > 10 && x < width-10:
			wave(height-20-(x*height*2/3)/width, 40-x/8, 46)
		}
	}
	return img
}
