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

	"github.com/tidings-press/tidings/article"
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
	dated     time.Time // as the author dates it
	updated   time.Time
	twin      bool // another entry was updated in the same second
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
		summary:  strings.TrimSpace(clean(a.Summary)),
		language: languageTag(a.Language),
		tags:     tagsOf(a),
		authors:  authorsOf(a, site.URL),
		image:    imageOf(a, site.URL),
		files:    filesOf(a, site.URL),
		origin:   originOf(a),
	}
	e.rtl = rightToLeft(e.language, a.Title+" "+e.summary)
	e.date(a)
	if len(a.HTML) <= MaxBody {
		e.html = body(a.BodyFor(site.URL), e.link)
	}
	if e.summary == "" {
		e.summary = clip(text(e.html), 400)
	}
	e.title = cmp.Or(line(a.Title), clip(line(e.summary), 80), line(a.Slug), a.ID)
	if e.summary == "" && e.html == "" {
		e.summary = e.title
	}
	if e.html != "" && e.rtl {
		e.html = `<div dir="rtl">` + e.html + `</div>`
	}
	if d.SummaryOnly || len(e.html) > MaxBody {
		e.html = ""
	}
	return e
}

// date settles the dates, in whole seconds as all formats show them. An entry is never updated before validators believe in
// dates at all, so that an article of 1969 keeps its feed valid.
func (e *entry) date(a *article.Article) {
	e.dated = a.Published.UTC().Truncate(time.Second)
	if !e.dated.Before(plausible) {
		e.published = e.dated
	}
	e.updated = a.Updated.UTC().Truncate(time.Second)
	for _, floor := range []time.Time{e.published, plausible} {
		if e.updated.Before(floor) {
			e.updated = floor
		}
	}
	if e.updated.Equal(plausible) && a.Ingested.After(plausible) {
		e.updated = a.Ingested.UTC().Truncate(time.Second)
	}
}

// changed writes when the entry was updated. Entries of one document must not
// share that (RFC 4287 lets readers order by it, and validators warn), so twins
// get a fraction of a second drawn from their ids.
func (e *entry) changed() string {
	if !e.twin {
		return e.updated.Format(time.RFC3339)
	}
	sum := sha256.Sum256([]byte(e.id))
	fraction := binary.BigEndian.Uint32(sum[:]) % 999_999_999
	return e.updated.Format("2006-01-02T15:04:05") + fmt.Sprintf(".%09dZ", fraction+1)
}

// pageURL is where people read an article: its canonical address, or its page on
// this site.
func pageURL(a *article.Article, site string) string {
	if own := absolute(a.URL, site); own != "" {
		return own
	}
	return site + a.Path()
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

func authorsOf(a *article.Article, site string) []article.Author {
	var authors []article.Author
	for _, one := range a.Authors {
		one = article.Author{Name: line(one.Name), Email: mailbox(one.Email), URL: absolute(one.URL, site)}
		if one.Name = cmp.Or(one.Name, one.Email); one.Name != "" {
			authors = append(authors, one)
		}
	}
	return authors
}

func imageOf(a *article.Article, site string) *article.Image {
	if a.Image == nil {
		return nil
	}
	image := *a.Image
	if image.URL = absolute(image.URL, site); image.URL == "" || strings.HasPrefix(image.URL, "mailto:") {
		return nil
	}
	image.Alt, image.Type = line(image.Alt), mediaType(image.Type)
	image.Bytes, image.Width, image.Height = max(image.Bytes, 0), max(image.Width, 0), max(image.Height, 0)
	return &image
}

func filesOf(a *article.Article, site string) []article.Enclosure {
	var files []article.Enclosure
	for _, file := range a.Enclosure {
		if file.URL = absolute(file.URL, site); file.URL == "" {
			continue
		}
		file.Title, file.Bytes, file.Duration = line(file.Title), max(file.Bytes, 0), max(file.Duration, 0)
		file.Type = cmp.Or(mediaType(file.Type), "application/octet-stream")
		files = append(files, file)
	}
	return files
}

func originOf(a *article.Article) *article.Origin {
	if a.Origin == nil {
		return nil
	}
	origin := article.Origin{
		Title:   line(a.Origin.Title),
		URL:     absolute(a.Origin.URL, ""),
		FeedURL: absolute(a.Origin.FeedURL, ""),
	}
	if origin.Title = cmp.Or(origin.Title, origin.URL, origin.FeedURL); origin.URL == "" && origin.FeedURL == "" {
		return nil
	}
	return &origin
}

func seconds(d time.Duration) string { return strconv.FormatInt(int64(d/time.Second), 10) }
