package delivery

import (
	"context"
	"errors"

	"github.com/tidings-press/tidings/internal/article"
	"github.com/tidings-press/tidings/internal/digest"
	"github.com/tidings-press/tidings/internal/store"
)

// Audience is who gets an edition, and who on its digest does not.
type Audience struct {
	Readers int64             // get a mail
	Skipped []store.SkipCount // get none, by reason
}

// Audience returns who would get the next edition of a digest now. When there is
// nothing to send, everyone who is active on the digest counts as a reader.
func (e *Engine) Audience(ctx context.Context, name string) (Audience, error) {
	def, err := e.definition(name)
	if err != nil {
		return Audience{}, err
	}
	state, err := e.Store.DigestState(ctx, name)
	if err != nil {
		return Audience{}, err
	}
	issue, err := e.issue(ctx, def, state, selection{}, previewKey())
	if err != nil && !errors.Is(err, ErrNothingNew) {
		return Audience{}, err
	}
	return e.audience(ctx, def, issue.Articles)
}

// EditionAudience returns who gets an edition: of a draft, who would if it were
// approved now; of an approved one, those it was frozen for, less those skipped since.
func (e *Engine) EditionAudience(ctx context.Context, edition store.Edition) (Audience, error) {
	if edition.Approved.IsZero() {
		issue, err := e.issueOf(ctx, edition)
		if err != nil {
			return Audience{}, err
		}
		def, err := e.definition(edition.Digest)
		if err != nil {
			return Audience{}, err
		}
		return e.audience(ctx, def, issue.Articles)
	}
	counts, err := e.Store.EditionCounts(ctx, edition.Seq)
	if err != nil || counts.Skipped == 0 {
		return Audience{Readers: counts.Total}, err
	}
	skipped, err := e.Store.SkipCounts(ctx, edition.Seq)
	return Audience{Readers: counts.Total - counts.Skipped, Skipped: skipped}, err
}

// audience sorts the people on a digest by whether articles fit their preferences.
// Without articles none are skipped for them.
func (e *Engine) audience(ctx context.Context, def *Definition, articles []article.Article) (Audience, error) {
	wishes, err := e.Store.PreferenceGroups(ctx, def.Name)
	if err != nil {
		return Audience{}, err
	}
	others, err := e.Store.NonRecipients(ctx, def.Name)
	if err != nil {
		return Audience{}, err
	}
	var out Audience
	skipped := map[string]int64{}
	for _, other := range others {
		skipped[other.Reason] = other.Count
	}
	for _, wish := range wishes {
		reason := ""
		if len(articles) > 0 {
			reason = digest.PreferencesFor(def.Definition, wish.Topics, wish.Language).SkipReason(articles)
		}
		if reason == "" {
			out.Readers += wish.Count
			continue
		}
		skipped[reason] += wish.Count
	}
	out.Skipped = store.SortSkipCounts(skipped)
	return out, nil
}
