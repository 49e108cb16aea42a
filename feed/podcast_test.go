package feed_test

import (
	"encoding/json"
	"testing"

	"github.com/tidings-press/tidings/feed"
	"github.com/tidings-press/tidings/internal/article"
	"github.com/tidings-press/tidings/internal/testkit/feedrules"
)

func episodes() feed.Selection {
	explicit := true
	a := feedrules.FullArticle(1)
	a.Episode = &article.Episode{
		Number: 4, Season: 2, SeasonName: "The quay & <the> sea", Kind: article.Bonus, Title: "Cranes", Subtitle: "Old ones", Explicit: &explicit, Block: true,
		Chapters: &article.Document{URL: "/media/chapters.json"},
		Transcripts: []article.Transcript{
			{Document: article.Document{URL: "https://cdn.example.org/4.vtt", Type: "text/vtt"}, Language: "en", Captions: true}, {Document: article.Document{URL: "javascript:x", Type: "text/html"}},
		},
		Persons: []article.Person{{Name: "Ann & <Bob>", Role: "Guest", URL: "https://ann.example/", Image: "/media/a.png"}, {Name: " "}},
	}
	s := selection(a)
	s.Definition.Podcast = &feed.Podcast{
		Author: "Ann", Owner: "Ann <ann@press.example>", Category: "News", Type: "serial", Subtitle: "News of the port", Block: true, Complete: true, Locked: true,
		Persons: []article.Person{{Name: "Cara", Role: "host", URL: "/cara"}},
	}
	return s
}

func TestEpisodeHasItsElements(t *testing.T) {
	t.Parallel()
	d := read(t, episodes())
	for name, want := range map[string]string{
		"itunes:subtitle": "News of the port", "itunes:block": "Yes", "itunes:complete": "Yes", "itunes:type": "serial", "podcast:locked": "yes", "podcast:person": "Cara",
	} {
		equal(t, name, texts(d.channel, name, ""), []string{want})
	}
	equal(t, "owner of the lock", texts(d.channel, "podcast:locked", "owner"), []string{"ann@press.example"})
	equal(t, "person of the channel", texts(d.channel, "podcast:person", "href"), []string{"https://press.example/cara"})
	item := d.channel.All("item")[0]
	for name, want := range map[string]string{
		"itunes:title": "Cranes", "itunes:subtitle": "Old ones", "itunes:episode": "4", "itunes:season": "2", "itunes:episodeType": "bonus", "itunes:explicit": "true",
		"itunes:block": "Yes", "podcast:episode": "4", "podcast:season": "2", "podcast:person": "Ann & <Bob>",
	} {
		equal(t, name, texts(item, name, ""), []string{want})
	}
	for _, one := range []struct{ name, attribute, want string }{
		{"podcast:season", "name", "The quay & <the> sea"},
		{"podcast:chapters", "url", "https://press.example/media/chapters.json"}, {"podcast:chapters", "type", "application/json+chapters"},
		{"podcast:transcript", "url", "https://cdn.example.org/4.vtt"}, {"podcast:transcript", "type", "text/vtt"},
		{"podcast:transcript", "language", "en"}, {"podcast:transcript", "rel", "captions"},
		{"podcast:person", "role", "guest"}, {"podcast:person", "img", "https://press.example/media/a.png"},
	} {
		equal(t, one.name+" "+one.attribute, texts(item, one.name, one.attribute), []string{one.want})
	}
	var doc struct {
		Items []struct {
			Podcast map[string]any `json:"_podcast"`
		} `json:"items"`
	}
	if err := json.Unmarshal(render(t, feed.FormatJSON, episodes()), &doc); err != nil {
		t.Fatal(err)
	}
	own := doc.Items[0].Podcast
	equal(t, "JSON", []any{own["episode"], own["season"], own["explicit"], own["chapters"]}, []any{4.0, 2.0, true, "https://press.example/media/chapters.json"})
	plain := episodes()
	plain.Definition.Podcast = nil
	item = read(t, plain).channel.All("item")[0]
	equal(t, "in a feed that is no podcast", texts(item, "podcast:episode", ""), []string(nil))
}

// TestPodcastGUIDFollowsTheNamespace checks the examples of the namespace's documentation.
func TestPodcastGUIDFollowsTheNamespace(t *testing.T) {
	t.Parallel()
	for address, want := range map[string]string{
		"https://podnews.net/rss": "9b024349-ccf0-5f69-a609-6b82873eab3c", "http://podnews.net/rss//": "9b024349-ccf0-5f69-a609-6b82873eab3c",
		"https://mp3s.nashownotes.com/pc20rss.xml": "917393e3-1b1e-5cef-ace4-edaa54e1f810",
	} {
		equal(t, address, feed.PodcastID(&feed.Podcast{}, address), want)
	}
	const own = "0b6cc0e4-6ad3-4d0a-9c35-5a52a9cf3d0f"
	s := episodes()
	s.Definition.Podcast.GUID = own
	equal(t, "a guid of the configuration", texts(read(t, s).channel, "podcast:guid", ""), []string{own})
}
