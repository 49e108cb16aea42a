package feed

import (
	"bytes"
	"encoding/json"

	"github.com/tidings-press/tidings/internal/article"
)

type jsonFeed struct {
	Version     string       `json:"version"`
	Title       string       `json:"title"`
	HomePageURL string       `json:"home_page_url"`
	FeedURL     string       `json:"feed_url"`
	Description string       `json:"description,omitempty"`
	NextURL     string       `json:"next_url,omitempty"`
	Icon        string       `json:"icon,omitempty"`
	Favicon     string       `json:"favicon,omitempty"`
	Authors     []jsonAuthor `json:"authors,omitempty"`
	Language    string       `json:"language,omitempty"`
	Hubs        []jsonHub    `json:"hubs,omitempty"`
	Items       []jsonItem   `json:"items"`
}

type jsonAuthor struct {
	Name string `json:"name"`
	URL  string `json:"url,omitempty"`
}

type jsonHub struct {
	Type string `json:"type"`
	URL  string `json:"url"`
}

type jsonItem struct {
	ID          string           `json:"id"`
	URL         string           `json:"url"`
	ExternalURL string           `json:"external_url,omitempty"`
	Title       string           `json:"title"`
	ContentHTML *string          `json:"content_html,omitempty"`
	ContentText *string          `json:"content_text,omitempty"`
	Summary     string           `json:"summary,omitempty"`
	Image       string           `json:"image,omitempty"`
	Published   string           `json:"date_published,omitempty"`
	Modified    string           `json:"date_modified"`
	Authors     []jsonAuthor     `json:"authors,omitempty"`
	Tags        []string         `json:"tags,omitempty"`
	Language    string           `json:"language,omitempty"`
	Attachments []jsonAttachment `json:"attachments,omitempty"`
	Podcast     *jsonEpisode     `json:"_podcast,omitempty"` // an extension: JSON Feed has no fields for episodes
}

type jsonEpisode struct {
	About       string           `json:"about"`
	Episode     int              `json:"episode,omitempty"`
	Season      int              `json:"season,omitempty"`
	Type        string           `json:"episode_type,omitempty"`
	Explicit    *bool            `json:"explicit,omitempty"`
	Chapters    string           `json:"chapters,omitempty"`
	Transcripts []jsonTranscript `json:"transcripts,omitempty"`
	Persons     []jsonPerson     `json:"persons,omitempty"`
}

type jsonTranscript struct {
	URL      string `json:"url"`
	MimeType string `json:"mime_type"`
	Language string `json:"language,omitempty"`
}

type jsonPerson struct {
	Name string `json:"name"`
	Role string `json:"role,omitempty"`
	URL  string `json:"url,omitempty"`
}

type jsonAttachment struct {
	URL      string `json:"url"`
	MimeType string `json:"mime_type"`
	Title    string `json:"title,omitempty"`
	Size     int64  `json:"size_in_bytes,omitempty"`
	Duration int64  `json:"duration_in_seconds,omitempty"` // a whole number, since feed readers store it as an integer
}

// JSON renders a JSON Feed 1.1 document. It uses its own structs, since those of
// gorilla/feeds are for version 1.0 and have some wrong names.
func JSON(p *Prepared) ([]byte, error) {
	d, site := &p.selection.Definition, &p.selection.Site
	doc := jsonFeed{
		Version:     "https://jsonfeed.org/version/1.1",
		Title:       d.Title,
		HomePageURL: d.Home,
		FeedURL:     p.address(FormatJSON, ""), // "serves as the unique identifier for the feed", so archive pages have the same
		Description: d.Description,
		Icon:        site.Image,
		Favicon:     site.Icon,
		Authors:     []jsonAuthor{{Name: site.Title, URL: site.URL + "/"}},
		Language:    d.Language,
		Items:       make([]jsonItem, 0, len(p.entries)),
	}
	for _, l := range p.links(FormatJSON) {
		switch l.rel {
		case "hub":
			doc.Hubs = append(doc.Hubs, jsonHub{"WebSub", l.address})
		case "prev-archive":
			doc.NextURL = l.address
		}
	}
	for i := range p.entries {
		doc.Items = append(doc.Items, p.entries[i].json(d))
	}
	var out bytes.Buffer
	encoder := json.NewEncoder(&out)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", "  ")
	if err := encoder.Encode(doc); err != nil {
		return nil, err
	}
	return out.Bytes(), nil
}

func (e *entry) json(d *Definition) jsonItem {
	item := jsonItem{
		ID: e.id, URL: e.link, Title: e.title, Summary: e.summary,
		Modified: timestamp(e.updated), Tags: e.tags, Language: e.ownLanguage(d),
	}
	if !e.published.IsZero() {
		item.Published = timestamp(e.published)
	}
	if e.html != "" {
		item.ContentHTML = &e.html
	} else {
		item.ContentText = &e.summary
	}
	if e.image != nil {
		item.Image = e.image.URL
	}
	if e.origin != nil && e.origin.URL != "" {
		item.ExternalURL = e.origin.URL
	}
	for _, author := range e.authors {
		item.Authors = append(item.Authors, jsonAuthor{author.Name, author.URL})
	}
	for _, file := range e.files {
		item.Attachments = append(item.Attachments, jsonAttachment{
			URL: file.URL, MimeType: file.Type, Title: file.Title,
			Size: file.Bytes, Duration: int64(file.Duration.Seconds()),
		})
	}
	if d.Podcast != nil && e.episode != nil {
		item.Podcast = newJSONEpisode(e.episode)
	}
	return item
}

func newJSONEpisode(e *article.Episode) *jsonEpisode {
	out := &jsonEpisode{About: podcastNamespace, Episode: e.Number, Season: e.Season, Type: string(e.Kind), Explicit: e.Explicit}
	if e.Chapters != nil {
		out.Chapters = e.Chapters.URL
	}
	for _, t := range e.Transcripts {
		out.Transcripts = append(out.Transcripts, jsonTranscript{t.URL, t.Type, t.Language})
	}
	for _, p := range e.Persons {
		out.Persons = append(out.Persons, jsonPerson{p.Name, p.Role, p.URL})
	}
	return out
}
