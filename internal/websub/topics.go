package websub

import (
	"slices"

	"github.com/tidings-press/tidings/feed"
	"github.com/tidings-press/tidings/internal/article"
)

// Change is what readers see differently since the last announcement.
type Change struct {
	Articles []article.Article // that changed, as they are now; the removed ones too
	More     bool              // there are more than were asked for
	Edited   bool              // one was another before the change: any feed may have lost it
	Labels   []Label           // the feeds of tags, authors and languages that changed
	Digests  []string          // whose feed of editions changed
	Settings string            // of the last announcement; see Publisher
	Moved    bool              // there is something to be remembered, if not told
	Count    int64             // of announcements so far
	Handle   any               // the keeper's own
}

// Label is a tag, author or language as its feed spells it.
type Label struct {
	Kind feed.Kind
	Name string
}

// longestTopic is how long an address may be that hubs are told of. It is a key on
// their lists; import cuts names off long before.
const longestTopic = 2_000

// Topics are the addresses of the documents that a change shows in, byte for byte as
// the documents name themselves. all says that every feed with a name of its own
// may have changed.
func Topics(site string, definitions []feed.Definition, change Change, all bool) []string {
	var topics []string
	add := func(d feed.Definition) {
		for _, format := range feed.Formats {
			if topic := site + d.Path(format, ""); len(topic) <= longestTopic {
				topics = append(topics, topic)
			}
		}
	}
	for _, d := range definitions {
		if d.Announced() && (all || change.touches(&d)) {
			add(d)
		}
	}
	for _, label := range change.Labels {
		add(feed.Definition{Kind: label.Kind, Name: label.Name})
	}
	slices.Sort(topics)
	return slices.Compact(topics)
}

// touches reports whether a change shows in a feed that has a name of its own. Where
// that is not known, for the earlier form of an edited article, it says yes: a hub
// that finds nothing new tells nobody.
func (c *Change) touches(d *feed.Definition) bool {
	if d.Kind == feed.ByDigest {
		return slices.Contains(c.Digests, d.Name)
	}
	return c.More || c.Edited || slices.ContainsFunc(c.Articles, func(a article.Article) bool { return d.Filter.Match(&a) })
}
