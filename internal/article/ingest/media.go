package ingest

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"path"
	"slices"
	"strings"
	"unicode"

	"github.com/tidings-press/tidings/internal/article"
	"github.com/tidings-press/tidings/internal/article/markup"
	"github.com/tidings-press/tidings/internal/picture"
)

// mediaTypes maps the extensions of files that are imported with an article to their media type.
// Of these formats, only SVG can hold scripts; it is served with a policy that runs none.
var mediaTypes = map[string]string{
	".png": "image/png", ".jpg": "image/jpeg", ".jpeg": "image/jpeg", ".gif": "image/gif", ".webp": "image/webp", ".avif": "image/avif", ".svg": picture.SVG, ".ico": "image/x-icon",
	".mp3": "audio/mpeg", ".m4a": "audio/mp4", ".ogg": "audio/ogg", ".oga": "audio/ogg", ".opus": "audio/ogg", ".wav": "audio/wav", ".flac": "audio/flac",
	".mp4": "video/mp4", ".webm": "video/webm", ".pdf": "application/pdf",
}

// link returns the stored form of a link in the text, or an empty string to drop it. The target
// of a link to a medium beside the article is imported. A link to the file of another article
// becomes a link to that article.
func (im *importer) link(link string) string {
	link = strings.TrimSpace(link)
	if len(link) > 5 && strings.EqualFold(link[:5], "data:") {
		if m := im.inlineImage(link); m != nil {
			return "/media/" + m.Name
		}
		return ""
	}
	u, err := url.Parse(markup.EncodeLink(link))
	if err != nil {
		return ""
	}
	if im.base != nil && u.Scheme == "" {
		return im.links.resolve(im.base.ResolveReference(u).String())
	}
	if u.Scheme != "" || u.Host != "" || u.Path == "" {
		return im.links.resolve(link)
	}
	return im.localLink(u)
}

// localLink returns the stored form of a link to a path on the article's own site.
func (im *importer) localLink(u *url.URL) string {
	rooted := strings.HasPrefix(u.Path, "/")
	if ext := strings.ToLower(path.Ext(u.Path)); kinds[ext] != kindHTML && isText(ext) || !rooted && isText(ext) {
		if im.options.BaseURL == "" {
			page := &url.URL{Path: "/articles/" + slugOfFile(im.resolvePath(u.Path)), RawQuery: u.RawQuery, Fragment: u.Fragment}
			return page.String()
		}
		if !rooted {
			u.Path, u.RawPath = path.Join(path.Dir(u.Path), slugOfFile(u.Path)), ""
		}
		return im.links.resolve(u.String())
	}
	if m := im.medium(u.Path); m != nil {
		return "/media/" + m.Name
	}
	if !rooted && im.options.Media != nil && im.options.BaseURL == "" && pictures[strings.ToLower(path.Ext(u.Path))] {
		return "" // drop the picture, so that its alternative text is shown
	}
	return im.links.resolve(u.String())
}

// isText reports whether a file with this extension is an article.
func isText(ext string) bool {
	_, known := kinds[ext]
	return known
}

// pictures holds the extensions of images, including formats that are not imported.
var pictures = map[string]bool{".png": true, ".jpg": true, ".jpeg": true, ".gif": true, ".webp": true, ".avif": true, ".svg": true, ".ico": true, ".bmp": true, ".tif": true, ".tiff": true}

// resolvePath returns the path, below the imported folder, of a file that an article links to.
func (im *importer) resolvePath(name string) string {
	if strings.HasPrefix(name, "/") {
		return path.Clean(name[1:])
	}
	return path.Join(path.Dir(im.file.Name), name)
}

// medium returns the medium for a path in a link. Each file is read once. It returns nil if the
// file cannot be read or is not a medium.
func (im *importer) medium(name string) *article.Medium {
	kind := mediaTypes[strings.ToLower(path.Ext(name))]
	rooted := strings.HasPrefix(name, "/")
	if im.options.Media == nil || kind == "" || rooted && im.options.BaseURL != "" {
		return nil
	}
	full := im.resolvePath(name)
	key := full
	if rooted { // may be missing here without a warning, since the site may have it elsewhere
		key = "/" + full
	}
	if kept, seen := im.files[key]; seen {
		return im.addedMedium(kept)
	}
	if im.files == nil {
		im.files = map[string]string{}
	}
	im.files[key] = ""
	if rooted && !im.mediumExists(full) { // several generators keep such files in a folder static
		if full = path.Join("static", full); !im.mediumExists(full) {
			return nil
		}
	}
	m := im.readMedium(full, name, kind)
	if m != nil {
		im.files[key] = m.Name
	}
	return m
}

// mediumExists reports whether a file below the imported folder can be read.
func (im *importer) mediumExists(name string) bool {
	_, err := im.options.Media(name)
	return err == nil
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
	if large := (*tooLarge)(nil); errors.As(err, &large) {
		im.warnLarge(name, large.size)
		return nil
	}
	if err != nil {
		im.warn(0, fmt.Sprintf("%s cannot be read: %s", name, cause(err)), "put the file beside the article, or write its full address")
		return nil
	}
	im.size += int64(len(data))
	return im.addMedium(name, kind, data)
}

// addedMedium returns the medium of this article with a name, or nil.
func (im *importer) addedMedium(name string) *article.Medium {
	i := slices.IndexFunc(im.out.Media, func(m article.Medium) bool { return m.Name == name })
	if i < 0 {
		return nil
	}
	return &im.out.Media[i]
}

// inlineTypes maps the media types that are accepted in data: URLs to extensions.
var inlineTypes = map[string]string{"image/png": ".png", "image/jpeg": ".jpg", "image/gif": ".gif", "image/webp": ".webp"}

// inlineImage converts a picture in a data: URL (RFC 2397) to a file, since feed readers and mail
// programs do not show such URLs. It returns nil for other data.
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
	return im.addMedium("picture"+ending, mediaTypes[ending], data)
}

func dropSpace(r rune) rune {
	if unicode.IsSpace(r) {
		return -1
	}
	return r
}

func (im *importer) warnLarge(name string, size int64) {
	im.warn(0, fmt.Sprintf("%s has %d MB and is left out", name, size>>20), fmt.Sprintf("at most %d MB are kept", MaxMedium>>20))
}

// addMedium adds a medium to the article. It returns nil, with a warning, if the data are too
// large or are text.
func (im *importer) addMedium(name, kind string, data []byte) *article.Medium {
	if len(data) > MaxMedium {
		im.warnLarge(name, int64(len(data)))
		return nil
	}
	m := article.Medium{Type: kind, Data: data}
	if found := http.DetectContentType(data); strings.HasPrefix(found, "text/") && kind != picture.SVG {
		im.warn(0, fmt.Sprintf("%s is left out: by its content it is %s", name, found), "")
		return nil
	}
	if strings.HasPrefix(kind, "image/") && !im.cleanImage(name, &m) {
		return nil
	}
	sum := sha256.Sum256(m.Data)
	m.Name = hex.EncodeToString(sum[:]) + endingOf(name, m.Type)
	if old := im.addedMedium(m.Name); old != nil {
		return old
	}
	im.out.Media = append(im.out.Media, m)
	return &m
}

// endingOf returns the extension of a file, or that of its media type if the file has another.
func endingOf(name, kind string) string {
	ending := strings.ToLower(path.Ext(name))
	if mediaTypes[ending] == kind {
		return ending
	}
	return map[string]string{picture.JPEG: ".jpg", picture.PNG: ".png", picture.GIF: ".gif", picture.WebP: ".webp", picture.AVIF: ".avif"}[kind]
}

// cleanImage removes the metadata of an image, turns it upright, and sets its type and size. It
// returns false, with a warning, for an image that cannot be shown.
func (im *importer) cleanImage(name string, m *article.Medium) bool {
	var info picture.Info
	var err error
	switch m.Type {
	case "image/x-icon":
		return true
	case picture.SVG:
		info, err = picture.InspectSVG(m.Data)
	default:
		var data []byte
		if data, info, err = picture.Clean(m.Data); err == nil {
			m.Data = data
		}
	}
	var large *picture.TooLargeError
	switch {
	case errors.As(err, &large):
		im.warn(0, fmt.Sprintf("%s is left out: it lies on its side and has %s", name, large), "turn it upright, or make it smaller")
		return false
	case err != nil:
		im.warn(0, fmt.Sprintf("%s is left out: it cannot be read as an image: %s", name, err), "save it again as JPEG, PNG, GIF, WebP, AVIF or SVG")
		return false
	}
	if err := info.CanCopy(); err != nil && m.Type != picture.SVG {
		im.warn(0, fmt.Sprintf("%s is shown on pages as it is, and left out of mails: %s", name, err), "save it as JPEG, PNG, GIF or still WebP with at most 50 million pixels")
	}
	m.Type, m.Width, m.Height = info.Type, info.Width, info.Height
	return true
}
