package feedserver_test

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/tidings-press/tidings/feed"
	"github.com/tidings-press/tidings/internal/feedserver"
	"github.com/tidings-press/tidings/internal/testkit/feedrules"
)

func TestTopicIsNotCountedAsPoll(t *testing.T) {
	t.Parallel()
	b := setup(t, func(o *feedserver.Options) { o.RetryAfter = time.Hour })
	var body []byte
	for range 3 {
		var mediaType string
		var err error
		if body, mediaType, err = b.server.Topic(t.Context(), "/tags/all/atom.xml"); err != nil || mediaType != "application/atom+xml; charset=utf-8" {
			t.Fatalf("%q, %v", mediaType, err)
		}
	}
	r := b.get(t, "/tags/all/atom.xml")
	if got := read(t, r); r.StatusCode != http.StatusOK || got != string(body) {
		t.Errorf("a client gets %s and other bytes than subscribers", r.Status)
	}
	if err := b.server.Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
	if polls := b.polls.polls["/tags/all/"]; polls == nil || polls.Requests != 1 {
		t.Errorf("polls: %+v, want one, of the client", polls)
	}
}

func TestTopicHasLocalChange(t *testing.T) {
	t.Parallel()
	b := setup(t, nil)
	if _, _, err := b.server.Topic(t.Context(), "/feed.json"); err != nil {
		t.Fatal(err)
	}
	b.source.Put(feedrules.Article(77))
	b.server.Changed()
	if body, _, err := b.server.Topic(t.Context(), "/feed.json"); err != nil || !strings.Contains(string(body), feedrules.ID(77)) {
		t.Errorf("the new article is not in it: %v", err)
	}
}

func TestTopicsAreSelfLinksOfAnnouncedFeeds(t *testing.T) {
	t.Parallel()
	b := setup(t, func(o *feedserver.Options) {
		o.Private = func(context.Context, string) (feed.Definition, error) { return feed.Definition{}, nil }
	})
	for path, want := range map[string]bool{
		"/feed.xml": true, "/feeds/short/feed.json": true, "/tags/all/feed.xml": true,
		"/rss.xml": false, "/tags/ALL/feed.xml": false, "/tags/none/feed.xml": false, "/tags/all/rss.xml": false,
		"/search/feed.xml?q=article": false, "/filter/feed.xml?match=all": false, "/private/t0ken/feed.xml": false, "/feeds.opml": false,
		"/feed.xml?again": false, "/archive/1.1/feed.xml": false, "/about": false, "": false, "feed.xml": false, "https://press.example/feed.xml": false,
	} {
		if _, _, err := b.server.Topic(t.Context(), path); (err == nil) != want || err != nil && !errors.Is(err, feedserver.ErrUnknown) {
			t.Errorf("%q: %v", path, err)
		}
	}
}

func TestOnlyAnnouncedFeedsNameHubs(t *testing.T) {
	t.Parallel()
	b := setup(t, nil)
	for path, want := range map[string]bool{
		"/": true, "/feeds/short/": true, "/tags/all/": true,
		"/search/?q=article": false, "/filter/?match=all": false,
	} {
		folder, question, asked := strings.Cut(path, "?")
		for _, format := range feed.Formats {
			address := folder + string(format)
			if asked {
				address += "?" + question
			}
			r := b.get(t, address)
			inside, beside := strings.Contains(read(t, r), "https://hub.example/"), strings.Contains(r.Header.Get("Link"), `rel="hub"`)
			if r.StatusCode != http.StatusOK || inside != want || beside != want {
				t.Errorf("%s: hubs in the document: %t, in the header: %t; want %t", address, inside, beside, want)
			}
		}
	}
}
