package delivery

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"

	"github.com/tidings-press/tidings/internal/article"
	"github.com/tidings-press/tidings/internal/digest"
	"github.com/tidings-press/tidings/internal/store"
	"github.com/tidings-press/tidings/internal/subscriber"
)

// previewKey returns a new key for a preview, which has no tick. Keys must differ, or mail servers
// would take one test mail for a copy of another.
func previewKey() string { return "preview:" + uuid.NewString() }

// PreviewOptions controls which articles a preview shows.
type PreviewOptions struct {
	// Since replaces the digest's beginning for this preview; zero keeps it.
	Since time.Time
	// Sample shows the newest articles when the digest has had no edition and all articles
	// that fit are dated before its beginning.
	Sample bool
	// At shows the edition of a coming time, as Plan plans it; zero means now.
	At time.Time
	// As shows the variant of the subscriber with this address, if it is not empty.
	As subscriber.Address
	// Language shows the variant in a language, if it is not empty.
	Language string
}

// Preview is what the next edition of a digest would be.
type Preview struct {
	digest.Variant
	Backlog     Backlog
	Recipients  Recipients
	Contents    []article.Article // its articles, in the order shown
	Fingerprint Fingerprint
	Subscriber  subscriber.Subscriber // whose variant it is, with PreviewOptions.As
	// Sample is the reason why the next edition would be empty, if sample articles are shown
	// instead; otherwise it is empty.
	Sample string
}

// Preview renders the edition that a digest would make now, for a subscriber without
// preferences, or as the options require. It changes nothing. When there is nothing to show it
// returns a *NothingNewError.
func (e *Engine) Preview(ctx context.Context, name string, options PreviewOptions) (Preview, error) {
	def, err := e.definition(name)
	if err != nil {
		return Preview{}, err
	}
	state, err := e.Store.DigestState(ctx, name)
	if err != nil {
		return Preview{}, err
	}
	from := selection{since: options.Since}
	var out Preview
	input, err := e.previewInput(ctx, def, state, options)
	var nothing *NothingNewError
	if errors.As(err, &nothing) && options.Sample && nothing.Backlog.Earlier > 0 && nothing.Backlog.Sent == 0 {
		out.Sample = nothing.Error()
		input, err = e.sample(ctx, def, e.waiting(def, state, from))
	}
	if err != nil {
		return Preview{}, err
	}
	if out.Backlog, err = e.backlog(ctx, def, e.waiting(def, state, from)); err != nil {
		return Preview{}, err
	}
	if out.Recipients, err = e.countRecipients(ctx, def, input.Articles); err != nil {
		return Preview{}, err
	}
	if out.Variant, out.Subscriber, err = e.previewVariant(ctx, def, input, options); err != nil {
		return out, err
	}
	fixed, err := e.settings(name)
	if err != nil {
		return out, err
	}
	out.Contents = input.Arranged()
	out.Fingerprint, err = e.fingerprint(input, fixed)
	return out, err
}

// previewInput returns the input of the edition that the options ask for.
func (e *Engine) previewInput(ctx context.Context, def *Definition, state store.DigestState, options PreviewOptions) (digest.Input, error) {
	if options.At.IsZero() {
		return e.input(ctx, def, state, selection{since: options.Since}, previewKey())
	}
	tick, number, err := e.planAt(ctx, def, options.At)
	if err != nil {
		return digest.Input{}, err
	}
	if len(tick.Articles) == 0 {
		return digest.Input{}, &NothingNewError{reason: tick.Reason}
	}
	ids := make([]string, len(tick.Articles))
	for i := range tick.Articles {
		ids[i] = tick.Articles[i].ID
	}
	articles, err := e.Store.ArticlesByID(ctx, ids)
	if err != nil {
		return digest.Input{}, err
	}
	pictures, err := e.pictures(ctx, articles, digest.Edits{}, def.Definition)
	return digest.Input{
		ID: e.names.EditionID(def.Name, previewKey()), Definition: def.Definition, Number: number, Site: e.Site, Articles: articles,
		Pictures: pictures, Date: options.At, Layout: def.Layout, Next: e.nextDate(def, options.At),
	}, err
}

// previewVariant renders the variant that the options ask for. With As it returns the subscriber,
// and an error if they would be skipped.
func (e *Engine) previewVariant(ctx context.Context, def *Definition, input digest.Input, options PreviewOptions) (digest.Variant, subscriber.Subscriber, error) {
	var who subscriber.Subscriber
	var prefs digest.Preferences
	if !options.As.IsZero() {
		var err error
		if who, prefs, err = e.previewAs(ctx, def, input, options.As); err != nil {
			return digest.Variant{}, who, err
		}
	}
	if options.Language != "" {
		if def.Language != "" {
			return digest.Variant{}, who, fmt.Errorf("digest %s is in one language, %s", def.Name, def.Language)
		}
		prefs.MailLanguage = options.Language
	}
	variant, err := e.render(input, prefs)
	if errors.Is(err, digest.ErrEmpty) {
		err = fmt.Errorf("%s would be skipped: %s", options.As, prefs.SkipReason(input.Articles))
	}
	return variant, who, err
}

// previewAs returns the subscriber with an address and their preferences for an edition, as its
// approval would find them.
func (e *Engine) previewAs(ctx context.Context, def *Definition, input digest.Input, address subscriber.Address) (subscriber.Subscriber, digest.Preferences, error) {
	who, err := e.Store.SubscriberByAddress(ctx, address)
	if errors.Is(err, store.ErrNotFound) {
		return who, digest.Preferences{}, fmt.Errorf("there is no subscriber %s", address)
	}
	if err != nil {
		return who, digest.Preferences{}, err
	}
	if !who.State.Mailable() {
		return who, digest.Preferences{}, fmt.Errorf("%s would be skipped: the subscriber is %s", address, who.State)
	}
	subscription, err := e.Store.Subscription(ctx, who.ID, def.Name)
	if errors.Is(err, store.ErrNotFound) {
		return who, digest.Preferences{}, fmt.Errorf("%s is not subscribed to %s", address, def.Name)
	}
	return who, e.preferencesOf(input, store.PreferenceGroup{Topics: subscription.Topics, Language: who.Language, MailLanguage: who.MailLanguage}), err
}

// sample returns the input for an edition of the newest articles that are dated before the
// digest's beginning.
func (e *Engine) sample(ctx context.Context, def *Definition, w store.QueueQuery) (digest.Input, error) {
	w.Earlier, w.Oldest, w.AppearedBy = true, false, time.Time{}
	if def.Max > 0 {
		w.Limit = def.Max
	}
	found, err := e.Store.WaitingArticles(ctx, w)
	if err != nil {
		return digest.Input{}, err
	}
	chosen := digest.Choose(found, digest.Rule{Filter: func(a *article.Article) bool { return def.Filter.Match(a) }}, w.Now)
	if len(chosen) == 0 {
		return digest.Input{}, e.nothingNewError(ctx, def, w)
	}
	pictures, err := e.pictures(ctx, chosen, digest.Edits{}, def.Definition)
	return digest.Input{ID: e.names.EditionID(def.Name, previewKey()), Definition: def.Definition, Number: 1, Site: e.Site, Articles: chosen, Pictures: pictures, Date: w.Now, Layout: def.Layout, Next: e.nextDate(def, time.Time{})}, err
}
