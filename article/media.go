package article

import (
	"bytes"
	"crypto/sha256"
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
	u, err := url.Parse(strings.TrimSpace(link))
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
func (im *importer) medium(name string) *Medium {
	kind := mediaTypes[strings.ToLower(path.Ext(name))]
	if im.options.Media == nil || kind == "" {
		return nil
	}
	full := path.Join(path.Dir(im.file.Name), name)
	if full == ".." || strings.HasPrefix(full, "../") || path.IsAbs(full) {
		im.warn(0, fmt.Sprintf("%s lies outside of the imported folder and is left there", name), "")
		return nil
	}
	data, err := im.options.Media(full)
	if err != nil {
		im.warn(0, fmt.Sprintf("%s cannot be read: %v", name, err), "put the file beside the article, or write its full address")
		return nil
	}
	return im.keepMedium(name, kind, data)
}

func (im *importer) keepMedium(name, kind string, data []byte) *Medium {
	if len(data) > MaxMedium {
		im.warn(0, fmt.Sprintf("%s has %d MB and is left out", name, len(data)>>20), fmt.Sprintf("at most %d MB are kept", MaxMedium>>20))
		return nil
	}
	if found := http.DetectContentType(data); strings.HasPrefix(found, "text/") {
		im.warn(0, fmt.Sprintf("%s is left out: by its content it is %s", name, found), "")
		return nil
	}
	sum := sha256.Sum256(data)
	m := Medium{Name: hex.EncodeToString(sum[:]) + strings.ToLower(path.Ext(name)), Type: kind, Data: data}
	if i := slices.IndexFunc(im.out.Media, func(old Medium) bool { return old.Name == m.Name }); i >= 0 {
		return &im.out.Media[i]
	}
	if config, _, err := image.DecodeConfig(bytes.NewReader(data)); err == nil {
		m.Width, m.Height = config.Width, config.Height
	}
	im.out.Media = append(im.out.Media, m)
	return &m
}
