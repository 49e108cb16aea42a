package ingest

import (
	"cmp"
	"strings"
	"time"

	"golang.org/x/text/unicode/norm"

	"github.com/tidings-press/tidings/internal/article"
	"github.com/tidings-press/tidings/internal/picture"
)

// FromWritten makes the article that an editor wrote in the browser: its text is parsed, sanitized
// and checked like that of a Markdown file, and its fields like front matter. The lines of warnings
// and problems are those of the text; a problem with a field has no line. A draft needs no date and
// gets now. The caller sets ID, Source and Translation.
func FromWritten(w article.Written, draft bool, now time.Time, options Options) (Imported, *Problem) {
	if options.Zone == nil {
		options.Zone = time.UTC
	}
	text := norm.NFC.String(strings.ToValidUTF8(strings.NewReplacer("\r\n", "\n", "\x00", "").Replace(w.Text), "\uFFFD"))
	im := importer{file: File{Name: writtenName, Data: []byte(text), Modified: now}, options: options}
	out, problem := im.parseText(metaOfWritten(w, draft), im.file.Data, kindMarkdown, 1, true)
	if problem != nil {
		return Imported{}, problem
	}
	a := out.Article
	if w.Slug == "" {
		a.Slug = cmp.Or(article.Slugify(a.Title), "article")
	}
	out.Redirects = nil // from the name of the file, which it does not have
	a.Hash = a.ContentHash()
	return *out, nil
}

// writtenName stands for the name of the file of a written article.
const writtenName = "article.md"

// metaOfWritten returns the fields as front matter.
func metaOfWritten(w article.Written, draft bool) meta {
	m := newMeta()
	add := func(key, value string) {
		if value = strings.TrimSpace(value); value != "" {
			m.add(key, value, 0)
		}
	}
	add("title", w.Title)
	add("slug", w.Slug)
	add("summary", w.Summary)
	add("lang", w.Language)
	if image := strings.TrimSpace(w.Image); image != "" {
		m.add("image", map[string]any{"url": image, "alt": w.ImageAlt}, 0)
	}
	m.add("tags", anyList(w.Tags), 0)
	m.add("authors", anyList(w.Authors), 0)
	if !w.Published.IsZero() {
		m.add("date", w.Published, 0)
	}
	if !w.Expires.IsZero() {
		m.add("expires", w.Expires, 0)
	}
	if w.Unlisted {
		m.add("unlisted", true, 0)
	}
	if draft {
		m.add("draft", true, 0)
	}
	return m
}

func anyList(values []string) []any {
	out := make([]any, 0, len(values))
	for _, value := range values {
		out = append(out, value)
	}
	return out
}

// ImageOf returns an image that an editor uploaded, as articles store it: without its metadata and
// upright. The content determines its type; name is for messages. Warnings tell what readers will
// not see.
func ImageOf(name string, data []byte) (article.Medium, []*Problem, *Problem) {
	im := importer{file: File{Name: name}}
	kind := imageType(data)
	if kind == "" {
		return article.Medium{}, nil, &Problem{File: name, What: "this is not an image that browsers and feed readers show", Fix: "save it as JPEG, PNG, GIF, WebP, AVIF or SVG"}
	}
	m := im.addMedium(name, kind, data)
	if m == nil {
		problem := &Problem{File: name, What: "the image cannot be stored"}
		if n := len(im.out.Warnings); n > 0 {
			problem = im.out.Warnings[n-1]
		}
		return article.Medium{}, nil, problem
	}
	return *m, im.out.Warnings, nil
}

// imageType returns the media type of an image by its content, or an empty string.
func imageType(data []byte) string {
	if info, err := picture.Inspect(data); err == nil {
		return info.Type
	}
	if info, err := picture.InspectSVG(data); err == nil {
		return info.Type
	}
	return ""
}
