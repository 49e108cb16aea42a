package feed

import (
	"cmp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/tidings-press/tidings/internal/article"
)

// entry is the content of an article, prepared for all three formats.
type entry struct {
	id       string // "urn:uuid:…"
	link     string
	title    string
	summary  string // plain text
	html     string // full content; empty when only the summary is shown
	language string
	rtl      bool
	authors  []article.Author
	tags     []string
	image    *article.Image
	files    []article.Enclosure
	origin   *article.Origin
	episode  *article.Episode
	// translations are the same article in other languages.
	translations []article.Translation

	published time.Time // the author's date; zero if it is missing or cannot be written
	updated   time.Time
}

// tombstone is an article that was removed (RFC 6721).
type tombstone struct {
	id   string
	when time.Time
}

// EntryID returns the id of an article in all feeds. It never changes.
func EntryID(id string) string {
	return "urn:uuid:" + strings.ToLower(id)
}

func newEntry(a *article.Article, d *Definition, site *Site, body BodyFunc) entry {
	e := entry{
		id:       EntryID(clean(a.ID)),
		link:     pageURL(a, site.URL),
		summary:  singleLine(a.Summary),
		language: languageTag(a.Language),
		tags:     tagsOf(a),
	}
	p := newBase(site.URL, e.link)
	e.authors, e.image, e.files, e.origin = authorsOf(a, p), imageOf(a, p), filesOf(a, p), originOf(a, p)
	e.episode = episodeOf(a, p)
	e.translations = translationsOf(a, p)
	e.rtl = rightToLeft(e.language, a.Title+" "+e.summary)
	e.date(a)
	e.html = body(a.HTML, site.URL, e.link)
	if e.summary == "" {
		e.summary = clip(singleLine(article.PlainText(e.html)), 400)
	}
	e.title = cmp.Or(singleLine(a.Title), clip(e.summary, 80), singleLine(a.Slug), a.ID)
	if e.html != "" && e.rtl {
		e.html = `<div dir="rtl">` + e.html + `</div>`
	}
	if d.SummaryOnly || len(e.html) > MaxBody {
		e.html = ""
	}
	if e.summary == "" && e.html == "" {
		e.summary = e.title
	}
	return e
}

// date sets the dates. updated is at least published; an article without either date counts
// as updated when it was ingested.
func (e *entry) date(a *article.Article) {
	e.published, e.updated = inDocument(a.Published), inDocument(a.Updated)
	if e.updated.Before(e.published) {
		e.updated = e.published
	}
	if e.updated.IsZero() {
		e.updated = inDocument(a.Ingested)
	}
}

// inDocument returns a time in UTC and whole seconds, or the zero time if RFC 3339 cannot
// write its year.
func inDocument(t time.Time) time.Time {
	if t = t.UTC().Truncate(time.Second); t.Year() > 9999 || t.Year() < 1 {
		return time.Time{}
	}
	return t
}

// timestamp formats a time by RFC 3339. It writes an unknown time as Unix time 0, for elements
// that are required.
func timestamp(t time.Time) string {
	if t.IsZero() {
		t = time.Unix(0, 0).UTC()
	}
	return t.UTC().Format(time.RFC3339)
}

// pageURL returns the address of an article's page: its canonical address, or the page on
// this site.
func pageURL(a *article.Article, site string) string {
	return cmp.Or(base{site: site}.elementURL(a.URL), site+a.Path())
}

func tagsOf(a *article.Article) []string {
	var tags []string
	for _, tag := range a.Tags {
		if tag = singleLine(tag); tag != "" && !slices.Contains(tags, tag) {
			tags = append(tags, tag)
		}
	}
	return tags
}

func authorsOf(a *article.Article, p base) []article.Author {
	var authors []article.Author
	for _, one := range a.Authors {
		one = article.Author{Name: singleLine(one.Name), Email: mailbox(one.Email), URL: p.elementURL(one.URL)}
		if one.Name = cmp.Or(one.Name, one.Email); one.Name != "" {
			authors = append(authors, one)
		}
	}
	return authors
}

func imageOf(a *article.Article, p base) *article.Image {
	if a.Image == nil {
		return nil
	}
	image := *a.Image
	if image.URL = p.elementURL(image.URL); image.URL == "" {
		return nil
	}
	image.Alt, image.Type = singleLine(image.Alt), mediaType(image.Type)
	image.Bytes, image.Width, image.Height = max(image.Bytes, 0), max(image.Width, 0), max(image.Height, 0)
	return &image
}

func filesOf(a *article.Article, p base) []article.Enclosure {
	var files []article.Enclosure
	for _, file := range a.Enclosure {
		if file.URL = p.elementURL(file.URL); file.URL == "" {
			continue
		}
		file.Title, file.Bytes, file.Duration = singleLine(file.Title), max(file.Bytes, 0), max(file.Duration, 0)
		file.Type = cmp.Or(mediaType(file.Type), "application/octet-stream")
		files = append(files, file)
	}
	return files
}

// translationsOf returns the translations with a valid language and address.
func translationsOf(a *article.Article, p base) []article.Translation {
	var out []article.Translation
	for _, t := range a.Translations {
		t.Language, t.URL = languageTag(t.Language), p.elementURL(t.URL)
		if t.Language != "" && t.URL != "" && !slices.ContainsFunc(out, func(o article.Translation) bool { return o.Language == t.Language }) {
			out = append(out, t)
		}
	}
	return out
}

func originOf(a *article.Article, p base) *article.Origin {
	if a.Origin == nil {
		return nil
	}
	origin := article.Origin{
		Title:   singleLine(a.Origin.Title),
		URL:     p.elementURL(a.Origin.URL),
		FeedURL: p.elementURL(a.Origin.FeedURL),
	}
	if origin.Title = cmp.Or(origin.Title, origin.URL, origin.FeedURL); origin.URL == "" && origin.FeedURL == "" {
		return nil
	}
	return &origin
}

func seconds(d time.Duration) string { return strconv.FormatInt(int64(d/time.Second), 10) }
