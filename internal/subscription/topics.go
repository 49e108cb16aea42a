package subscription

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/tidings-press/tidings/internal/article"
	"github.com/tidings-press/tidings/internal/subscriber"
	"github.com/tidings-press/tidings/internal/words"
)

// TopicError means that a digest does not have a topic: none of its articles has the tag, so a
// subscriber with this topic would get nothing.
type TopicError struct {
	Digest, Topic string
	Topics        []string // some of the digest's, the most used first
}

func (e *TopicError) Error() string { return e.what() + "; expected: " + e.expected() }

// Text returns the text for a translation.
func (e *TopicError) Text() words.Text {
	if len(e.Topics) == 0 {
		return words.T("“{0}” is not a topic of {1}: none of its articles has a tag yet", e.Topic, e.Digest)
	}
	return words.T("“{0}” is not a topic of {1}: no article of it has this tag; its topics: {2}", e.Topic, e.Digest, strings.Join(e.Topics, ", "))
}

func (e *TopicError) what() string {
	return fmt.Sprintf("%q is not a topic of %s: no article of it has this tag", e.Topic, e.Digest)
}

func (e *TopicError) expected() string {
	if len(e.Topics) == 0 {
		return "no topic, until an article of " + e.Digest + " has a tag"
	}
	return "topics of " + e.Digest + ": " + strings.Join(e.Topics, ", ")
}

// namedTopics is how many topics a TopicError lists.
const namedTopics = 30

// topicIndex looks up the topics of digests, and caches the answers of the store.
type topicIndex struct {
	manager Manager
	digests map[string]article.Filter
	known   map[[2]string]bool // by digest and tag
}

func (m Manager) topicIndex() (*topicIndex, error) {
	b := &topicIndex{manager: m, digests: map[string]article.Filter{}, known: map[[2]string]bool{}}
	for _, d := range m.Config.Digests {
		filter, err := d.Filter.Compile()
		if err != nil {
			return nil, err
		}
		b.digests[d.Name] = filter
	}
	return b, nil
}

// maxKnownTopics bounds the cache, since a list may contain any number of tags.
const maxKnownTopics = 10_000

// check returns a *TopicError for the first topic that the digest does not have.
func (t *topicIndex) check(ctx context.Context, digest string, topics []string) error {
	for _, topic := range topics {
		at := [2]string{digest, article.TagKey(topic)}
		has, asked := t.known[at]
		if !asked {
			var err error
			if has, err = t.manager.Store.HasTopic(ctx, t.digests[digest], topic); err != nil {
				return err
			}
			if len(t.known) < maxKnownTopics {
				t.known[at] = has
			}
		}
		if !has {
			return t.unknown(ctx, digest, topic)
		}
	}
	return nil
}

func (t *topicIndex) unknown(ctx context.Context, digest, topic string) error {
	found, err := t.manager.Store.Topics(ctx, t.digests[digest], namedTopics)
	if err != nil {
		return err
	}
	wrong := &TopicError{Digest: digest, Topic: topic}
	for _, one := range found {
		wrong.Topics = append(wrong.Topics, one.Name)
	}
	return wrong
}

// byDigest groups topics by digest: "weekly:council" is for weekly, "council" for all.
func (t *topicIndex) byDigest(digests, topics []string) map[string][]string {
	out := map[string][]string{}
	for _, topic := range topics {
		name, rest, found := strings.Cut(topic, ":")
		if _, is := t.digests[name]; found && is {
			out[name] = append(out[name], strings.TrimSpace(rest))
			continue
		}
		for _, digest := range digests {
			out[digest] = append(out[digest], topic)
		}
	}
	return out
}

// CheckRow returns the check for store.ImportOptions: the digests and topics of a row must
// exist. usual holds the digests for rows without one.
func (m Manager) CheckRow(usual []string) (func(context.Context, *subscriber.Row) error, error) {
	index, err := m.topicIndex()
	if err != nil {
		return nil, err
	}
	refused := map[string]*TopicError{} // the same error for many lines
	return func(ctx context.Context, row *subscriber.Row) error {
		for _, name := range row.Digests {
			if _, known := index.digests[name]; !known {
				return &subscriber.LineError{
					Line: row.Line, Reason: "unknown digest", Value: name, What: fmt.Sprintf("unknown digest %q", name),
					Expected: "one of " + strings.Join(m.Config.DigestNames(), ", ") + "; or read the column as labels, or ignore it",
				}
			}
		}
		if len(row.Topics) == 0 {
			return nil
		}
		digests := row.Digests
		if len(digests) == 0 {
			digests = usual
		}
		row.TopicsOf = index.byDigest(digests, row.Topics)
		return refuseTopics(ctx, index, row, refused)
	}, nil
}

func refuseTopics(ctx context.Context, index *topicIndex, row *subscriber.Row, refused map[string]*TopicError) error {
	for digest, topics := range row.TopicsOf {
		for _, topic := range topics {
			key := digest + ":" + topic
			wrong := refused[key]
			if wrong == nil {
				err := index.check(ctx, digest, []string{topic})
				if err == nil {
					continue
				}
				var ok bool
				if wrong, ok = err.(*TopicError); !ok {
					return err
				}
				if len(refused) < maxKnownTopics {
					refused[key] = wrong
				}
			}
			return &subscriber.LineError{Line: row.Line, Reason: "unknown topic", Value: topic, What: wrong.what(), Expected: wrong.expected()}
		}
	}
	return nil
}

// checkTopics checks the topics that an editor chooses for a subscriber.
func (m Manager) checkTopics(ctx context.Context, digests, topics []string) error {
	if len(topics) == 0 {
		return nil
	}
	index, err := m.topicIndex()
	if err != nil {
		return err
	}
	for _, digest := range slices.Sorted(slices.Values(digests)) {
		if err := index.check(ctx, digest, topics); err != nil {
			return err
		}
	}
	return nil
}
