package feed

import (
	"cmp"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/tidings-press/tidings/internal/article"
)

// entry is an article as all three formats show it.
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

	published time.Time // zero when it is too old for validators to believe
	dated     time.Time // as the author dates it; zero when no document can say it
	updated   time.Time
}

// tombstone is an article that was removed (RFC 6721).
type tombstone struct {
	id   string
	when time.Time
}

// plausible is the earliest date that validators take for one: an older date is
// shown in the JSON document only, which has no such rule.
var plausible = time.Date(1990, 1, 1, 0, 0, 0, 0, time.UTC)

// EntryID is the id of an article in every feed, for ever.
func EntryID(id string) string {
	return "urn:uuid:" + strings.ToLower(id)
}

func newEntry(a *article.Article, d *Definition, site *Site) entry {
	e := entry{
		id:       EntryID(clean(a.ID)),
		link:     pageURL(a, site.URL),
		summary:  line(a.Summary),
		language: languageTag(a.Language),
		tags:     tagsOf(a),
	}
	p := newPlace(site.URL, e.link)
	e.authors, e.image, e.files, e.origin = authorsOf(a, p), imageOf(a, p), filesOf(a, p), originOf(a, p)
	e.rtl = rightToLeft(e.language, a.Title+" "+e.summary)
	e.date(a)
	if len(a.HTML) <= MaxBody {
		cleaned := article.Article{HTML: clean(a.HTML)} // characters that are dropped must not hide others
		e.html = body(cleaned.BodyFor(site.URL), p)
	}
	if e.summary == "" {
		e.summary = clip(textUpTo(e.html, 2000), 400)
	}
	e.title = cmp.Or(line(a.Title), clip(e.summary, 80), line(a.Slug), a.ID)
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

// date settles the dates, in whole seconds as all formats show them. An entry is
// never updated before validators believe in dates at all, so that an article of
// 1969 keeps its feed valid.
func (e *entry) date(a *article.Article) {
	e.dated, e.updated = second(a.Published), second(a.Updated)
	if !e.dated.Before(plausible) {
		e.published = e.dated
	}
	for _, floor := range []time.Time{e.published, plausible} {
		if e.updated.Before(floor) {
			e.updated = floor
		}
	}
	if ingested := second(a.Ingested); e.updated.Equal(plausible) && ingested.After(plausible) {
		e.updated = ingested
	}
}

// second returns a time in whole seconds, and nothing for one whose year RFC 3339
// cannot write.
func second(t time.Time) time.Time {
	if t = t.UTC().Truncate(time.Second); t.Year() > 9999 || t.Year() < 1 {
		return time.Time{}
	}
	return t
}

// changed writes when the entry was updated. Two entries of a document must not
// have been in the same instant (RFC 4287 lets readers order by it, and validators
// warn), so each has a fraction of a second drawn from its id. All of them do: an
// entry is the same wherever it stands, and whatever stands beside it.
func (e *entry) changed() string {
	sum := sha256.Sum256([]byte(e.id))
	fraction := binary.BigEndian.Uint32(sum[:]) % 999_999_999
	return e.updated.Format("2006-01-02T15:04:05") + fmt.Sprintf(".%09dZ", fraction+1)
}

// pageURL is where people read an article: its canonical address, or its page on
// this site.
func pageURL(a *article.Article, site string) string {
	return cmp.Or(place{site: site}.element(a.URL), site+a.Path())
}

func tagsOf(a *article.Article) []string {
	var tags []string
	for _, tag := range a.Tags {
		if tag = line(tag); tag != "" && !slices.Contains(tags, tag) {
			tags = append(tags, tag)
		}
	}
	return tags
}

func authorsOf(a *article.Article, p place) []article.Author {
	var authors []article.Author
	for _, one := range a.Authors {
		one = article.Author{Name: line(one.Name), Email: mailbox(one.Email), URL: p.element(one.URL)}
		if one.Name = cmp.Or(one.Name, one.Email); one.Name != "" {
			authors = append(authors, one)
		}
	}
	return authors
}

func imageOf(a *article.Article, p place) *article.Image {
	if a.Image == nil {
		return nil
	}
	image := *a.Image
	if image.URL = p.element(image.URL); image.URL == "" {
		return nil
	}
	image.Alt, image.Type = line(image.Alt), mediaType(image.Type)
	image.Bytes, image.Width, image.Height = max(image.Bytes, 0), max(image.Width, 0), max(image.Height, 0)
	return &image
}

func filesOf(a *article.Article, p place) []article.Enclosure {
	var files []article.Enclosure
	for _, file := range a.Enclosure {
		if file.URL = p.element(file.URL); file.URL == "" {
			continue
		}
		file.Title, file.Bytes, file.Duration = line(file.Title), max(file.Bytes, 0), max(file.Duration, 0)
		file.Type = cmp.Or(mediaType(file.Type), "application/octet-stream")
		files = append(files, file)
	}
	return files
}

func originOf(a *article.Article, p place) *article.Origin {
	if a.Origin == nil {
		return nil
	}
	origin := article.Origin{
		Title:   line(a.Origin.Title),
		URL:     p.element(a.Origin.URL),
		FeedURL: p.element(a.Origin.FeedURL),
	}
	if origin.Title = cmp.Or(origin.Title, origin.URL, origin.FeedURL); origin.URL == "" && origin.FeedURL == "" {
		return nil
	}
	return &origin
}

func seconds(d time.Duration) string { return strconv.FormatInt(int64(d/time.Second), 10) }
