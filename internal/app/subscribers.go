package app

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/tidings-press/tidings/internal/article"
	"github.com/tidings-press/tidings/internal/store"
	"github.com/tidings-press/tidings/internal/subscriber"
)

// NewSubscriber is a person to subscribe.
type NewSubscriber struct {
	Address  subscriber.Address
	Name     string
	Language string // of the articles to send; all when empty
	// MailLanguage is the language of mails to the person; Language when empty.
	MailLanguage string
	Digests      []string // all when empty
	Topics       []string
	Consent      string
}

// AddSubscriber subscribes a person to digests, and adds the person if they are new.
func (s *Service) AddSubscriber(ctx context.Context, n NewSubscriber) (subscriber.Subscriber, error) {
	if err := s.CheckDigests(n.Digests); err != nil {
		return subscriber.Subscriber{}, err
	}
	if len(n.Digests) == 0 {
		n.Digests = s.DigestNames()
	}
	if err := s.checkTopics(ctx, n.Digests, n.Topics); err != nil {
		return subscriber.Subscriber{}, err
	}
	person, err := s.Store.AddSubscriber(ctx, subscriber.Subscriber{
		Address:      n.Address,
		Name:         subscriber.NormalizeName(n.Name),
		Language:     n.Language,
		MailLanguage: cmp.Or(n.MailLanguage, n.Language),
		State:        subscriber.Active,
		Consent:      subscriber.Consent{Source: "editor", Text: n.Consent, At: s.Store.Now()},
	})
	if errors.Is(err, store.ErrExists) {
		person, err = s.Store.SubscriberByAddress(ctx, n.Address)
	}
	var held *store.SuppressedError
	if errors.As(err, &held) {
		err = fmt.Errorf("%w; ask them to subscribe on the site, or run \"tidings subscriber suppress --lift\" if they asked for it", err)
	}
	if err != nil {
		return person, err
	}
	if person.State != subscriber.Active && person.State != subscriber.Pending && person.State != subscriber.Paused {
		return person, fmt.Errorf("%s is %s; ask them to subscribe on the site", person.Address, person.State)
	}
	for _, digest := range n.Digests {
		if err := s.Store.Subscribe(ctx, person.ID, digest, n.Topics); err != nil {
			return person, err
		}
	}
	return person, nil
}

// FindSubscriber finds a subscriber by address.
func (s *Service) FindSubscriber(ctx context.Context, address subscriber.Address) (subscriber.Subscriber, error) {
	found, err := s.Store.SubscriberByAddress(ctx, address)
	if errors.Is(err, store.ErrNotFound) {
		err = fmt.Errorf("no subscriber has the address %s; \"tidings subscriber list\" shows them", address)
	}
	return found, err
}

// DigestNames returns the names of all digests.
func (s *Service) DigestNames() []string {
	names := make([]string, len(s.Config.Digests))
	for i, d := range s.Config.Digests {
		names[i] = d.Name
	}
	return names
}

// Zone returns the site's timezone.
func (s *Service) Zone() *time.Location {
	if zone, err := time.LoadLocation(s.Config.Site.Timezone); err == nil {
		return zone
	}
	return time.UTC
}

// CheckDigests returns an error for the first name that is not a digest.
func (s *Service) CheckDigests(names []string) error {
	known := s.DigestNames()
	for _, name := range names {
		if !slices.Contains(known, name) {
			return fmt.Errorf("unknown digest %q; configured digests: %s", name, strings.Join(known, ", "))
		}
	}
	return nil
}

// ExportSubscribers writes a list that ImportSubscribers reads back.
func (s *Service) ExportSubscribers(ctx context.Context, w io.Writer, query store.SubscriberQuery) error {
	list, err := subscriber.NewListWriter(w)
	if err != nil {
		return err
	}
	for one, err := range s.Store.Subscribers(ctx, query) {
		if err != nil {
			return err
		}
		if one.Subscriber.State == subscriber.Erased {
			continue // nothing is left to export
		}
		if err := list.Write(one.Subscriber, one.Subscriptions); err != nil {
			return err
		}
	}
	return list.Flush()
}

// TopicError means that a digest does not have a topic: none of its articles has the tag, so a
// subscriber with this topic would get nothing.
type TopicError struct {
	Digest, Topic string
	Topics        []string // some of the digest's, the most used first
}

func (e *TopicError) Error() string { return e.what() + "; expected: " + e.expected() }

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
	service *Service
	digests map[string]article.Filter
	known   map[[2]string]bool // by digest and tag
}

func (s *Service) topicIndex() (*topicIndex, error) {
	b := &topicIndex{service: s, digests: map[string]article.Filter{}, known: map[[2]string]bool{}}
	for _, d := range s.Config.Digests {
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
			if has, err = t.service.Store.HasTopic(ctx, t.digests[digest], topic); err != nil {
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
	found, err := t.service.Store.Topics(ctx, t.digests[digest], namedTopics)
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
func (s *Service) CheckRow(usual []string) (func(context.Context, *subscriber.Row) error, error) {
	book, err := s.topicIndex()
	if err != nil {
		return nil, err
	}
	refused := map[string]*TopicError{} // the same error for many lines
	return func(ctx context.Context, row *subscriber.Row) error {
		for _, name := range row.Digests {
			if _, known := book.digests[name]; !known {
				return &subscriber.LineError{
					Line: row.Line, Reason: "unknown digest", What: fmt.Sprintf("unknown digest %q", name),
					Expected: "one of " + strings.Join(s.DigestNames(), ", ") + "; or read the column as labels, or ignore it",
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
		row.TopicsOf = book.byDigest(digests, row.Topics)
		return refuseTopics(ctx, book, row, refused)
	}, nil
}

func refuseTopics(ctx context.Context, book *topicIndex, row *subscriber.Row, refused map[string]*TopicError) error {
	for digest, topics := range row.TopicsOf {
		for _, topic := range topics {
			key := digest + ":" + topic
			wrong := refused[key]
			if wrong == nil {
				err := book.check(ctx, digest, []string{topic})
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
			return &subscriber.LineError{Line: row.Line, Reason: "unknown topic", What: wrong.what(), Expected: wrong.expected()}
		}
	}
	return nil
}

// checkTopics checks the topics that an editor chooses for a subscriber.
func (s *Service) checkTopics(ctx context.Context, digests, topics []string) error {
	if len(topics) == 0 {
		return nil
	}
	book, err := s.topicIndex()
	if err != nil {
		return err
	}
	for _, digest := range slices.Sorted(slices.Values(digests)) {
		if err := book.check(ctx, digest, topics); err != nil {
			return err
		}
	}
	return nil
}
