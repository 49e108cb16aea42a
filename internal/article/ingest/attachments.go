package ingest

import (
	"cmp"
	"fmt"
	"net/url"
	"path"
	"strconv"
	"strings"
	"time"

	"github.com/tidings-press/tidings/internal/article"
	"github.com/tidings-press/tidings/internal/article/markup"
)

// attachments sets the article's picture, enclosures and origin from its front matter.
func (im *importer) attachments(a *article.Article, m meta) {
	im.picture(a, m)
	im.portraits(a, m)
	own := newEpisodeMeta(m)
	files, line := m.values["enclosures"], m.lines["enclosures"]
	if files == nil {
		files, line = own.episodeFile()
	}
	for _, value := range list(files) {
		if e := im.enclosure(value, line); e != nil && len(a.Enclosure) < maxNames {
			a.Enclosure = append(a.Enclosure, *e)
		}
	}
	im.episode(a, own)
	if fields, ok := m.values["origin"].(map[string]any); ok {
		a.Origin = &article.Origin{Title: field(fields, "title"), URL: im.optionalLink(field(fields, "url")), FeedURL: im.optionalLink(field(fields, "feed"))}
	}
}

// optionalLink returns the stored form of a link, and an empty string for none: the empty link leads to the
// article itself (RFC 3986, section 4.4).
func (im *importer) optionalLink(link string) string {
	if link == "" {
		return ""
	}
	return im.links.resolve(link)
}

func field(fields map[string]any, key string) string {
	if fields[key] == nil {
		return ""
	}
	return article.CleanLine(fmt.Sprint(fields[key]))
}

func (im *importer) picture(a *article.Article, m meta) {
	key := imageKey(m)
	if key == "" {
		return
	}
	fields, ok := m.values[key].(map[string]any)
	if !ok {
		fields = map[string]any{"url": m.values[key], "alt": m.values["image_alt"]}
	}
	link := cmp.Or(field(fields, "url"), field(fields, "src"), field(fields, "image"), field(fields, "path"))
	if link == "" {
		return
	}
	stored, file := im.attach(link)
	if stored == "" {
		if im.options.Media != nil && len(im.out.Warnings) > 0 { // there is already a warning about the missing file
			return
		}
		im.warn(m.lines[key], fmt.Sprintf("%s: %q is not an address", key, link), "write a URL or the name of a file beside the article")
		return
	}
	a.Image = &article.Image{URL: stored, Alt: field(fields, "alt"), Type: mediaTypeOf(link)}
	if file != nil {
		a.Image.Type, a.Image.Bytes, a.Image.Width, a.Image.Height = file.Type, int64(len(file.Data)), file.Width, file.Height
	}
}

// portraits resolves the pictures of the authors, and stores those that are files.
func (im *importer) portraits(a *article.Article, m meta) {
	for i := range a.Authors {
		link := a.Authors[i].Portrait
		if link == "" {
			continue
		}
		warnings := len(im.out.Warnings)
		if a.Authors[i].Portrait, _ = im.attach(link); a.Authors[i].Portrait == "" && len(im.out.Warnings) == warnings {
			line := cmp.Or(m.lines["authors"], m.lines["author"], m.lines["by"])
			im.warn(line, fmt.Sprintf("%s: %q is not the address of a portrait", a.Authors[i].Name, link), "write a URL or the name of a file beside the article")
		}
	}
}

// imageKey returns the front matter key that holds the article's picture, or an empty string.
func imageKey(m meta) string {
	for _, key := range []string{"image", "heroimage", "hero_image", "cover", "featured_image", "featuredimage", "feature_image", "thumbnail"} {
		switch value := m.values[key].(type) {
		case nil, bool, []any:
		case string:
			if _, isTruth := parseBool(value); value != "" && !isTruth {
				return key
			}
		default:
			return key
		}
	}
	return ""
}

// mediaTypeOf returns the media type of a link by the extension of its path.
func mediaTypeOf(link string) string {
	if u, err := url.Parse(markup.EncodeLink(link)); err == nil {
		link = u.Path
	}
	return mediaTypes[strings.ToLower(path.Ext(link))]
}

// parseDuration reads a duration in Go's syntax (25m30s), in seconds, or as hours, minutes and
// seconds with colons, as in itunes:duration.
func parseDuration(text string) (time.Duration, error) {
	if d, err := time.ParseDuration(text); err == nil && d >= 0 {
		return d, nil
	}
	parts := strings.Split(text, ":")
	total := 0
	for i, part := range parts {
		n, err := strconv.Atoi(part)
		if err != nil || n < 0 || n > 1_000_000 || i > 2 || i > 0 && n > 59 {
			return 0, fmt.Errorf("%q is not a duration", text)
		}
		total = total*60 + n
	}
	return time.Duration(total) * time.Second, nil
}

// attach returns the stored form of a link, and the medium that it points to, or nil.
func (im *importer) attach(link string) (string, *article.Medium) {
	stored := im.locatedLink(link)
	for i := range im.out.Media {
		if stored == "/media/"+im.out.Media[i].Name {
			return stored, &im.out.Media[i]
		}
	}
	return stored, nil
}

// enclosure reads an enclosure: a URL, or a mapping with url, type, length, title and duration.
func (im *importer) enclosure(value any, line int) *article.Enclosure {
	fields, ok := value.(map[string]any)
	if !ok {
		fields = map[string]any{"url": value}
	}
	link := field(fields, "url")
	stored, file := im.attach(link)
	if link == "" || stored == "" {
		im.warn(line, fmt.Sprintf("enclosures: %q is not an address", link), "write url: with a URL or the name of a file beside the article")
		return nil
	}
	e := &article.Enclosure{URL: stored, Title: field(fields, "title"), Type: field(fields, "type")}
	e.Bytes, _ = strconv.ParseInt(field(fields, "length"), 10, 64)
	e.Bytes = max(e.Bytes, 0)
	if text := field(fields, "duration"); text != "" {
		d, err := parseDuration(text)
		if err != nil {
			im.warn(line, fmt.Sprintf("enclosures: duration %q cannot be read", text), "write a duration such as 25m30s, 25:30 or 1530")
		} else {
			e.Duration = d
		}
	}
	if file != nil {
		e.Bytes = int64(len(file.Data))
	}
	if e.Type == "" {
		e.Type = mediaTypeOf(link)
	}
	if e.Type == "" {
		e.Type = "application/octet-stream"
	}
	if e.Bytes == 0 && (strings.HasPrefix(e.Type, "audio/") || strings.HasPrefix(e.Type, "video/")) {
		im.warn(line, fmt.Sprintf("enclosures: the length of %q is unknown, and feeds write 0", link), "write length: with its size in bytes")
	}
	return e
}
