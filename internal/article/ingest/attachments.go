package ingest

import (
	"fmt"
	"path"
	"strconv"
	"strings"
	"time"

	"github.com/tidings-press/tidings/internal/article"
)

// attachments reads the article's picture, its enclosures and where it first came
// out.
func (im *importer) attachments(a *article.Article, m meta) {
	im.picture(a, m)
	for _, value := range list(m.values["enclosures"]) {
		if e := im.enclosure(value, m.lines["enclosures"]); e != nil && len(a.Enclosure) < maxNames {
			a.Enclosure = append(a.Enclosure, *e)
		}
	}
	if fields, ok := m.values["origin"].(map[string]any); ok {
		a.Origin = &article.Origin{Title: field(fields, "title"), URL: im.links.resolve(field(fields, "url")), FeedURL: im.links.resolve(field(fields, "feed"))}
	}
}

func field(fields map[string]any, key string) string {
	if fields[key] == nil {
		return ""
	}
	return article.CleanLine(fmt.Sprint(fields[key]))
}

func (im *importer) picture(a *article.Article, m meta) {
	fields, ok := m.values["image"].(map[string]any)
	if !ok {
		fields = map[string]any{"url": m.values["image"], "alt": m.values["image_alt"]}
	}
	link := field(fields, "url")
	if link == "" {
		return
	}
	stored, file := im.attach(link)
	if stored == "" {
		im.warn(m.lines["image"], fmt.Sprintf("image: %q is no address", link), "write a URL or the name of a file beside the article")
		return
	}
	a.Image = &article.Image{URL: stored, Alt: field(fields, "alt"), Type: mediaTypes[strings.ToLower(path.Ext(link))]}
	if file != nil {
		a.Image.Type, a.Image.Bytes, a.Image.Width, a.Image.Height = file.Type, int64(len(file.Data)), file.Width, file.Height
	}
}

// attach returns a link's stored form, and the file that it brought along.
func (im *importer) attach(link string) (string, *article.Medium) {
	stored := im.link(link)
	for i := range im.out.Media {
		if stored == "/media/"+im.out.Media[i].Name {
			return stored, &im.out.Media[i]
		}
	}
	return stored, nil
}

// enclosure reads a URL, or a mapping with url, type, length, title, duration.
func (im *importer) enclosure(value any, line int) *article.Enclosure {
	fields, ok := value.(map[string]any)
	if !ok {
		fields = map[string]any{"url": value}
	}
	link := field(fields, "url")
	stored, file := im.attach(link)
	if link == "" || stored == "" {
		im.warn(line, fmt.Sprintf("enclosures: %q is no address", link), "write url: with a URL or the name of a file beside the article")
		return nil
	}
	e := &article.Enclosure{URL: stored, Title: field(fields, "title"), Type: field(fields, "type")}
	e.Bytes, _ = strconv.ParseInt(field(fields, "length"), 10, 64)
	e.Bytes = max(e.Bytes, 0)
	if text := field(fields, "duration"); text != "" {
		d, err := time.ParseDuration(text)
		if err != nil || d < 0 {
			im.warn(line, fmt.Sprintf("enclosures: duration %q cannot be read", text), "write a duration such as 25m30s")
		} else {
			e.Duration = d
		}
	}
	if file != nil {
		e.Bytes = int64(len(file.Data))
	}
	if e.Type == "" {
		e.Type = mediaTypes[strings.ToLower(path.Ext(link))]
	}
	if e.Type == "" {
		e.Type = "application/octet-stream"
	}
	return e
}
