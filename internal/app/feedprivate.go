package app

import (
	"context"
	"errors"
	"slices"

	"github.com/tidings-press/tidings/feed"
	"github.com/tidings-press/tidings/internal/config"
	"github.com/tidings-press/tidings/internal/digest"
	"github.com/tidings-press/tidings/internal/feedserver"
)

// PrivateFeed finds the feed of a subscriber's token: what the mails of a digest bring
// this subscriber, by their topics and language.
func (p *Service) PrivateFeed(ctx context.Context, token string) (feed.Definition, error) {
	subscription, err := p.Store.FeedToken(ctx, token)
	if isNotFound(err) {
		return feed.Definition{}, feedserver.ErrUnknown
	}
	if err != nil {
		return feed.Definition{}, err
	}
	at := slices.IndexFunc(p.Config.Digests, func(d config.Digest) bool { return d.Name == subscription.Digest })
	if at < 0 {
		return feed.Definition{}, feedserver.ErrUnknown
	}
	d := &p.Config.Digests[at]
	reader, err1 := p.Store.Subscriber(ctx, subscription.Subscriber)
	languages, err2 := p.Store.LanguageKeys(ctx)
	filter, err3 := d.Filter.Compile()
	if err := errors.Join(err1, err2, err3); err != nil {
		return feed.Definition{}, err
	}
	wishes := digest.PreferencesFor(digest.Definition{Name: d.Name, Language: d.Language}, subscription.Topics, reader.Language)
	return feed.Definition{
		Kind: feed.Private, Title: d.Title, Description: d.Description, Language: d.Language, Filter: filter.And(wishes.Filter(languages)),
	}, nil
}
