package ingest_test

import (
	"bytes"
	"encoding/base64"
	"errors"
	"image"
	"image/jpeg"
	"image/png"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/tidings-press/tidings/internal/article"
	"github.com/tidings-press/tidings/internal/article/ingest"
)

// picture returns a PNG of this size.
func picture(t *testing.T, width, height int) []byte {
	t.Helper()
	var out bytes.Buffer
	if err := png.Encode(&out, image.NewGray(image.Rect(0, 0, width, height))); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// folder returns Options.Media for files that lie beside an article.
func folder(files map[string][]byte) func(string) ([]byte, error) {
	return func(name string) ([]byte, error) {
		if data, ok := files[name]; ok {
			return data, nil
		}
		return nil, fs.ErrNotExist
	}
}

func TestMediaBesideArticleAreImported(t *testing.T) {
	t.Parallel()
	options := ingest.Options{Site: site, Media: folder(map[string][]byte{"posts/a b.png": picture(t, 6, 4), "sound.mp3": []byte("ID3\x03\x00\x00\x00")})}
	source := "---\ntitle: x\ndate: 2026-11-23\nimage: a%20b.png\nimage_alt: An A\nenclosures:\n  - {url: ../sound.mp3, duration: 1m30s}\n---\n![A](a%20b.png) <a href=\"a%20b.png\">large</a> ![gone](gone.png)\n"
	one := importOne(t, "posts/x.md", source, options)
	if len(one.Media) != 2 || one.Media[0].Width != 6 || one.Media[0].Height != 4 || one.Media[0].Type != "image/png" {
		t.Fatalf("%+v", one.Media)
	}
	link := "/media/" + one.Media[0].Name
	if *one.Article.Image != (article.Image{URL: link, Alt: "An A", Type: "image/png", Bytes: int64(len(one.Media[0].Data)), Width: 6, Height: 4}) {
		t.Errorf("%+v", one.Article.Image)
	}
	if e := one.Article.Enclosure[0]; e.URL != "/media/"+one.Media[1].Name || e.Type != "audio/mpeg" || e.Bytes != 7 || e.Duration.Seconds() != 90 {
		t.Errorf("%+v", e)
	}
	if !strings.Contains(one.Article.HTML, `<img src="`+link+`" alt="A"/> <a href="`+link+`">large</a> gone`) {
		t.Error(one.Article.HTML)
	}
	if len(one.Warnings) != 1 || !strings.Contains(one.Warnings[0].Error(), "gone.png cannot be read") {
		t.Errorf("%v", one.Warnings)
	}
}

func TestMediaOutsideFolderAreRefused(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	inside := filepath.Join(dir, "inside")
	secret := filepath.Join(dir, "secret.png")
	for _, err := range []error{os.Mkdir(inside, 0o700), os.WriteFile(secret, picture(t, 1, 1), 0o600), os.Symlink(secret, filepath.Join(inside, "link.png")), os.Symlink(dir, filepath.Join(inside, "up"))} {
		if err != nil {
			t.Fatal(err)
		}
	}
	root, err := os.OpenRoot(inside)
	if err != nil {
		t.Fatal(err)
	}
	defer root.Close()
	options := ingest.Options{Site: site, Media: root.ReadFile}
	for _, link := range []string{"../secret.png", "a/../../secret.png", "..%2fsecret.png", "link.png", "up/secret.png", "./x/../../secret.png", "file://" + secret, secret} {
		one := importOne(t, "a.md", front+"<img src=\""+link+"\" alt=\"x\">", options)
		if len(one.Media) > 0 {
			t.Errorf("%s came along", link)
		}
	}
}

func TestFilesThatAreNotMediaAreLeftOut(t *testing.T) {
	t.Parallel()
	options := ingest.Options{Site: site, Media: folder(map[string][]byte{"page.png": []byte("<html><script>alert(1)</script>"), "large.png": make([]byte, ingest.MaxMedium+1), "page.svg": []byte("<html><svg/></html>"), "cut.jpg": []byte("\xff\xd8\xff\xe0"), "note.ico": []byte("text")})}
	for link, want := range map[string]string{"page.png": "by its content it is text/html", "large.png": "20 MB and is left out", "page.svg": "cannot be read as an image", "cut.jpg": "cannot be read as an image", "note.ico": "by its content it is text/plain"} {
		one := importOne(t, "a.md", front+"![x]("+link+")", options)
		if len(one.Media) > 0 || (want != "" && (len(one.Warnings) != 1 || !strings.Contains(one.Warnings[0].Error(), want))) {
			t.Errorf("%s: %d media, warnings %v", link, len(one.Media), one.Warnings)
		}
	}
}

func TestImagesAreCleanedAndTurned(t *testing.T) {
	t.Parallel()
	var photo bytes.Buffer
	if err := jpeg.Encode(&photo, image.NewRGBA(image.Rect(0, 0, 64, 32)), nil); err != nil {
		t.Fatal(err)
	}
	// Big endian EXIF with one entry: orientation 6, turned by a quarter.
	exif := "Exif\x00\x00MM\x00*\x00\x00\x00\x08\x00\x01\x01\x12\x00\x03\x00\x00\x00\x01\x00\x06\x00\x00 Secret Beach"
	data := slices.Concat(photo.Bytes()[:2], []byte{0xFF, 0xE1, 0, byte(len(exif) + 2)}, []byte(exif), photo.Bytes()[2:])
	one := importOne(t, "a.md", front+"![x](a.jpg)", ingest.Options{Site: site, Media: folder(map[string][]byte{"a.jpg": data})})
	if len(one.Media) != 1 {
		t.Fatalf("%d media, %v", len(one.Media), one.Warnings)
	}
	m := one.Media[0]
	if bytes.Contains(m.Data, []byte("Secret Beach")) || m.Width != 32 || m.Height != 64 {
		t.Errorf("%d by %d: %q", m.Width, m.Height, m.Data[:60])
	}
	if config, _, err := image.DecodeConfig(bytes.NewReader(m.Data)); err != nil || config.Width != 32 {
		t.Errorf("%+v, %v", config, err)
	}
}

func TestImagesHaveTheTypeOfTheirContent(t *testing.T) {
	t.Parallel()
	options := ingest.Options{Site: site, Media: folder(map[string][]byte{"a.jpg": picture(t, 6, 4), "b.svg": []byte(`<svg xmlns="http://www.w3.org/2000/svg" width="9" height="5"><script>alert(1)</script></svg>`), "c.ico": []byte("\x00\x00\x01\x00\x01\x00")})}
	one := importOne(t, "a.md", front+"![x](a.jpg) ![y](b.svg) ![z](c.ico)", options)
	if len(one.Media) != 3 || len(one.Warnings) > 0 {
		t.Fatalf("%+v, %v", one.Media, one.Warnings)
	}
	for i, want := range []article.Medium{{Name: ".png", Type: "image/png", Width: 6, Height: 4}, {Name: ".svg", Type: "image/svg+xml", Width: 9, Height: 5}, {Name: ".ico", Type: "image/x-icon"}} {
		if got := one.Media[i]; !strings.HasSuffix(got.Name, want.Name) || got.Type != want.Type || got.Width != want.Width || got.Height != want.Height {
			t.Errorf("%+v, want %+v", got, want)
		}
	}
}

func TestDataURLPicturesBecomeFiles(t *testing.T) {
	t.Parallel()
	data := base64.StdEncoding.EncodeToString(picture(t, 3, 2))
	one := importOne(t, "a.md", front+`<img src="data:image/png;base64,`+data+`" alt="x">`, ingest.Options{Site: site})
	if len(one.Media) != 1 || one.Media[0].Width != 3 || one.Article.HTML != `<img src="/media/`+one.Media[0].Name+`" alt="x"/>` {
		t.Errorf("%d media: %s", len(one.Media), one.Article.HTML)
	}
	for _, bad := range []string{"data:image/svg+xml;base64,PHN2Zy8+", "data:text/html;base64,PHA+", "data:image/png;base64,%%%", "data:image/png,x"} {
		if one := importOne(t, "a.md", front+`<img src="`+bad+`" alt="words">`, ingest.Options{Site: site}); len(one.Media) > 0 || one.Article.HTML != "words" {
			t.Errorf("%s: %d media: %s", bad, len(one.Media), one.Article.HTML)
		}
	}
}

func TestUnreadableMediaGiveWarning(t *testing.T) {
	t.Parallel()
	options := ingest.Options{Site: site, Media: func(string) ([]byte, error) { return nil, errors.New("the disk is gone") }}
	if one := importOne(t, "a.md", front+"![x](a.png)", options); len(one.Warnings) != 1 || !strings.Contains(one.Warnings[0].Error(), "the disk is gone") {
		t.Errorf("%v", one.Warnings)
	}
}
