package feed

import (
	"cmp"
	"strconv"
	"strings"
	"time"
)

const itunesNamespace = "http://www.itunes.com/dtds/podcast-1.0.dtd"

type itunesChannel struct {
	Author   plainText       `xml:"itunes:author,omitempty"`
	Subtitle plainText       `xml:"itunes:subtitle,omitempty"`
	Owner    *itunesOwner    `xml:"itunes:owner"`
	Cover    *itunesImage    `xml:"itunes:image"`
	Genre    *itunesCategory `xml:"itunes:category"`
	Explicit string          `xml:"itunes:explicit,omitempty"`
	Type     string          `xml:"itunes:type,omitempty"`
	Block    string          `xml:"itunes:block,omitempty"`
	Complete string          `xml:"itunes:complete,omitempty"`
	podcastChannel
}

type itunesOwner struct {
	Name  plainText `xml:"itunes:name,omitempty"`
	Email string    `xml:"itunes:email"`
}

type itunesImage struct {
	Href string `xml:"href,attr"`
}

type itunesCategory struct {
	Text string          `xml:"text,attr"`
	Sub  *itunesCategory `xml:"itunes:category"`
}

// itunesItem has no author: dc:creator names the authors, and programs would list them twice.
type itunesItem struct {
	OwnTitle    plainText    `xml:"itunes:title,omitempty"`
	Subtitle    plainText    `xml:"itunes:subtitle,omitempty"`
	Duration    string       `xml:"itunes:duration,omitempty"`
	Cover       *itunesImage `xml:"itunes:image"`
	Episode     int          `xml:"itunes:episode,omitempty"`
	Season      int          `xml:"itunes:season,omitempty"`
	EpisodeType string       `xml:"itunes:episodeType,omitempty"`
	Explicit    string       `xml:"itunes:explicit,omitempty"`
	Block       string       `xml:"itunes:block,omitempty"`
	podcastItem
}

// yes returns the value of Apple's elements that count only if they say "Yes".
func yes(set bool) string {
	if set {
		return "Yes"
	}
	return ""
}

func newITunesChannel(p *Podcast, site *Site) itunesChannel {
	c := itunesChannel{
		Author: itunesName(singleLine(p.Author)), Subtitle: itunesName(singleLine(p.Subtitle)), Explicit: strconv.FormatBool(p.Explicit), Type: p.Type,
		Block: yes(p.Block), Complete: yes(p.Complete),
	}
	if owner := cmp.Or(person(p.Owner, cmp.Or(singleLine(p.Author), site.Title)), site.Editor); owner != "" {
		c.Owner = &itunesOwner{Name: itunesName(nameOf(owner)), Email: emailOf(owner)}
	}
	if image := cmp.Or(base{site: site.URL}.elementURL(p.Image), site.Image); isFileURL(image, site) {
		c.Cover = &itunesImage{image}
	}
	if top, sub, _ := strings.Cut(singleLine(p.Category), ">"); top != "" {
		c.Genre = &itunesCategory{Text: strings.TrimSpace(top)}
		if sub = strings.TrimSpace(sub); sub != "" {
			c.Genre.Sub = &itunesCategory{Text: sub}
		}
	}
	return c
}

func newITunesItem(e *entry, site *Site) itunesItem {
	var item itunesItem
	if file := e.rssFile(site); file != nil && file.Duration >= time.Second {
		item.Duration = seconds(file.Duration)
	}
	if e.image != nil && isFileURL(e.image.URL, site) {
		item.Cover = &itunesImage{e.image.URL}
	}
	if own := e.episode; own != nil {
		item.OwnTitle, item.Subtitle = itunesName(own.Title), itunesName(own.Subtitle)
		item.Episode, item.Season, item.EpisodeType, item.Block = own.Number, own.Season, string(own.Kind), yes(own.Block)
		if own.Explicit != nil {
			item.Explicit = strconv.FormatBool(*own.Explicit)
		}
		item.podcastItem = newPodcastItem(own)
	}
	return item
}

// itunesName shortens a name to fit Apple's limit of 255 characters.
func itunesName(name string) plainText { return plainText(clip(name, 240)) }
