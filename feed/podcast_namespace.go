package feed

import (
	"strings"

	"github.com/google/uuid"

	"github.com/tidings-press/tidings/internal/article"
)

// The Podcasting 2.0 namespace, https://podcasting2.org/docs/podcast-namespace.

const podcastNamespace = "https://podcastindex.org/namespace/1.0"

type podcastChannel struct {
	GUID    string          `xml:"podcast:guid,omitempty"`
	Locked  *podcastLocked  `xml:"podcast:locked"`
	Persons []podcastPerson `xml:"podcast:person"`
}

type podcastLocked struct {
	Owner string `xml:"owner,attr,omitempty"`
	Text  string `xml:",chardata"`
}

type podcastPerson struct {
	Role  string `xml:"role,attr,omitempty"`
	Group string `xml:"group,attr,omitempty"`
	Image string `xml:"img,attr,omitempty"`
	Href  string `xml:"href,attr,omitempty"`
	Name  string `xml:",innerxml"`
}

type podcastItem struct {
	PodcastSeason  *podcastSeason      `xml:"podcast:season"`
	PodcastEpisode int                 `xml:"podcast:episode,omitempty"`
	Chapters       *podcastDocument    `xml:"podcast:chapters"`
	Transcripts    []podcastTranscript `xml:"podcast:transcript"`
	EpisodePersons []podcastPerson     `xml:"podcast:person"`
}

type podcastSeason struct {
	Name   string `xml:"name,attr,omitempty"`
	Number int    `xml:",chardata"`
}

type podcastDocument struct {
	URL  string `xml:"url,attr"`
	Type string `xml:"type,attr"`
}

type podcastTranscript struct {
	podcastDocument
	Language string `xml:"language,attr,omitempty"`
	Relation string `xml:"rel,attr,omitempty"`
}

// podcastIDs is the namespace of podcast:guid: each is the UUID, version 5, of the address of the
// feed without its scheme and the slashes at its end.
var podcastIDs = uuid.MustParse("ead4c236-bf58-58c6-a2c6-a6b28d128cb6")

// podcastID returns the podcast:guid of a feed.
func podcastID(p *Podcast, address string) string {
	if own, err := uuid.Parse(p.GUID); err == nil {
		return own.String()
	}
	if _, rest, ok := strings.Cut(address, "://"); ok {
		address = rest
	}
	return uuid.NewSHA1(podcastIDs, []byte(strings.TrimRight(address, "/"))).String()
}

// newPodcastChannel returns the elements of a channel. owner is its address for directories.
func newPodcastChannel(p *Podcast, site *Site, address, owner string) podcastChannel {
	c := podcastChannel{GUID: podcastID(p, address), Locked: &podcastLocked{Owner: owner, Text: "no"}, Persons: podcastPersons(cleanPersons(p.Persons, base{site: site.URL}))}
	if p.Locked {
		c.Locked.Text = "yes"
	}
	return c
}

func newPodcastItem(e *article.Episode) podcastItem {
	item := podcastItem{PodcastEpisode: e.Number, EpisodePersons: podcastPersons(e.Persons)}
	if e.Season > 0 {
		item.PodcastSeason = &podcastSeason{e.SeasonName, e.Season}
	}
	if e.Chapters != nil {
		item.Chapters = &podcastDocument{e.Chapters.URL, e.Chapters.Type}
	}
	for _, t := range e.Transcripts {
		one := podcastTranscript{podcastDocument{t.URL, t.Type}, t.Language, ""}
		if t.Captions {
			one.Relation = "captions"
		}
		item.Transcripts = append(item.Transcripts, one)
	}
	return item
}

func podcastPersons(persons []article.Person) (out []podcastPerson) {
	for _, p := range persons {
		out = append(out, podcastPerson{p.Role, p.Group, p.Image, p.URL, hexEscaper.Replace(p.Name)})
	}
	return out
}

// episodeOf returns what a document shows of an episode, with absolute addresses; nil for none.
func episodeOf(a *article.Article, p base) *article.Episode {
	if a.Episode == nil {
		return nil
	}
	e := *a.Episode
	e.Title, e.Subtitle, e.SeasonName = singleLine(e.Title), singleLine(e.Subtitle), singleLine(e.SeasonName)
	e.Number, e.Season = max(e.Number, 0), max(e.Season, 0)
	if e.Chapters = cleanDocument(e.Chapters, p); e.Chapters != nil && e.Chapters.Type == "" {
		e.Chapters.Type = "application/json+chapters"
	}
	e.Transcripts = nil
	for _, t := range a.Episode.Transcripts {
		file := cleanDocument(&t.Document, p)
		if file == nil || file.Type == "" {
			continue
		}
		e.Transcripts = append(e.Transcripts, article.Transcript{Document: *file, Language: languageTag(t.Language), Captions: t.Captions})
	}
	e.Persons = cleanPersons(e.Persons, p)
	return &e
}

func cleanDocument(d *article.Document, p base) *article.Document {
	if d == nil {
		return nil
	}
	address := p.elementURL(d.URL)
	if address == "" {
		return nil
	}
	return &article.Document{URL: address, Type: mediaType(d.Type)}
}

// maxPersonName is the limit of the namespace for names, in characters.
const maxPersonName = 128

func cleanPersons(persons []article.Person, p base) (out []article.Person) {
	for _, one := range persons {
		one.Name = clip(singleLine(one.Name), maxPersonName-1)
		if one.Name == "" {
			continue
		}
		one.Role, one.Group = strings.ToLower(singleLine(one.Role)), strings.ToLower(singleLine(one.Group))
		one.URL, one.Image = p.elementURL(one.URL), p.elementURL(one.Image)
		out = append(out, one)
	}
	return out
}
