package ingest

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"image"
	_ "image/gif"  // sizes of pictures
	_ "image/jpeg" // sizes of pictures
	_ "image/png"  // sizes of pictures
	"net/http"
	"net/url"
	"path"
	"slices"
	"strings"
	"unicode"

	"github.com/tidings-press/tidings/internal/article"
)

// mediaTypes are the files that an import brings along, by the ending of their
// name. None of them can hold a script.
var mediaTypes = map[string]string{
	".png": "image/png", ".jpg": "image/jpeg", ".jpeg": "image/jpeg", ".gif": "image/gif", ".webp": "image/webp", ".avif": "image/avif",
	".mp3": "audio/mpeg", ".m4a": "audio/mp4", ".ogg": "audio/ogg", ".oga": "audio/ogg", ".opus": "audio/ogg", ".wav": "audio/wav", ".flac": "audio/flac",
	".mp4": "video/mp4", ".webm": "video/webm", ".pdf": "application/pdf",
}

// link returns the stored form of a link in the text. A link to a file beside the
// article brings the file along; a link to another article's file leads to that
// article.
func (im *importer) link(link string) string {
	link = strings.TrimSpace(link)
	if len(link) > 5 && strings.EqualFold(link[:5], "data:") {
		if m := im.inlineImage(link); m != nil {
			return "/media/" + m.Name
		}
		return ""
	}
	u, err := url.Parse(link)
	if err != nil {
		return ""
	}
	if u.Scheme == "" && u.Host == "" && u.Path != "" && !strings.HasPrefix(u.Path, "/") {
		if _, ok := kinds[strings.ToLower(path.Ext(u.Path))]; ok {
			u.Path, u.RawPath = path.Join(path.Dir(u.Path), slugOfFile(u.Path)), ""
			return im.links.resolve(u.String())
		}
		if m := im.medium(u.Path); m != nil {
			return "/media/" + m.Name
		}
	}
	return im.links.resolve(link)
}

// medium reads a file beside the article, once. It returns nil for what is not
// there or not a medium.
func (im *importer) medium(name string) *article.Medium {
	ending := strings.ToLower(path.Ext(name))
	kind := mediaTypes[ending]
	if im.options.Media != nil && im.options.BaseURL == "" && ending == ".svg" {
		im.warn(0, name+" is not brought along: a drawing in SVG can hold scripts", "save it as PNG or WebP, or write the full address of where it is")
	}
	if im.options.Media == nil || kind == "" {
		return nil
	}
	full := path.Join(path.Dir(im.file.Name), name)
	if kept, seen := im.files[full]; seen {
		return im.kept(kept)
	}
	if im.files == nil {
		im.files = map[string]string{}
	}
	im.files[full] = ""
	m := im.readMedium(full, name, kind)
	if m != nil {
		im.files[full] = m.Name
	}
	return m
}

func (im *importer) readMedium(full, name, kind string) *article.Medium {
	if full == ".." || strings.HasPrefix(full, "../") || path.IsAbs(full) {
		im.warn(0, fmt.Sprintf("%s lies outside of the imported folder and is left there", name), "put the file below the folder that is imported")
		return nil
	}
	if im.size > maxMedia {
		im.warn(0, fmt.Sprintf("%s is left out: the files before it have %d MB", name, im.size>>20), fmt.Sprintf("at most %d MB are kept of one article", maxMedia>>20))
		return nil
	}
	data, err := im.options.Media(full)
	if err != nil {
		im.warn(0, fmt.Sprintf("%s cannot be read: %v", name, err), "put the file beside the article, or write its full address")
		return nil
	}
	im.size += int64(len(data))
	return im.keepMedium(name, kind, data)
}

// kept returns the medium of a name, or nil.
func (im *importer) kept(name string) *article.Medium {
	i := slices.IndexFunc(im.out.Media, func(m article.Medium) bool { return m.Name == name })
	if i < 0 {
		return nil
	}
	return &im.out.Media[i]
}

// inlineTypes are the endings of pictures that stand in the text itself.
var inlineTypes = map[string]string{"image/png": ".png", "image/jpeg": ".jpg", "image/gif": ".gif", "image/webp": ".webp"}

// inlineImage makes a file of a picture that stands in the text itself (RFC 2397),
// since feed readers and mail programs drop those.
func (im *importer) inlineImage(link string) *article.Medium {
	kind, text, ok := strings.Cut(strings.TrimPrefix(link, "data:"), ";base64,")
	ending := inlineTypes[strings.ToLower(kind)]
	if !ok || ending == "" || im.size > maxMedia {
		return nil
	}
	data, err := base64.StdEncoding.DecodeString(strings.Map(dropSpace, text))
	if err != nil {
		return nil
	}
	im.size += int64(len(data))
	return im.keepMedium("picture"+ending, mediaTypes[ending], data)
}

func dropSpace(r rune) rune {
	if unicode.IsSpace(r) {
		return -1
	}
	return r
}

func (im *importer) keepMedium(name, kind string, data []byte) *article.Medium {
	if len(data) > MaxMedium {
		im.warn(0, fmt.Sprintf("%s has %d MB and is left out", name, len(data)>>20), fmt.Sprintf("at most %d MB are kept", MaxMedium>>20))
		return nil
	}
	if found := http.DetectContentType(data); strings.HasPrefix(found, "text/") {
		im.warn(0, fmt.Sprintf("%s is left out: by its content it is %s", name, found), "")
		return nil
	}
	sum := sha256.Sum256(data)
	m := article.Medium{Name: hex.EncodeToString(sum[:]) + strings.ToLower(path.Ext(name)), Type: kind, Data: data}
	if old := im.kept(m.Name); old != nil {
		return old
	}
	if config, _, err := image.DecodeConfig(bytes.NewReader(data)); err == nil {
		m.Width, m.Height = config.Width, config.Height
	}
	im.out.Media = append(im.out.Media, m)
	return &m
}
