package delivery

import (
	"context"
	"errors"

	"github.com/tidings-press/tidings/internal/article"
	"github.com/tidings-press/tidings/internal/digest"
	"github.com/tidings-press/tidings/internal/store"
)

// Recipients is who gets an edition, and who on its digest does not.
type Recipients struct {
	Count   int64             // get a mail
	Skipped []store.SkipCount // get none, by reason
}

// NextRecipients returns who would get the next edition of a digest now. When there is
// nothing to send, everyone who is active on the digest counts as a reader.
func (e *Engine) NextRecipients(ctx context.Context, name string) (Recipients, error) {
	def, err := e.definition(name)
	if err != nil {
		return Recipients{}, err
	}
	state, err := e.Store.DigestState(ctx, name)
	if err != nil {
		return Recipients{}, err
	}
	issue, err := e.input(ctx, def, state, selection{}, previewKey())
	if err != nil && !errors.Is(err, ErrNothingNew) {
		return Recipients{}, err
	}
	return e.countRecipients(ctx, def, issue.Articles)
}

// EditionRecipients returns who gets an edition: of a draft, who would if it were
// approved now; of an approved one, those it was frozen for, less those skipped since.
func (e *Engine) EditionRecipients(ctx context.Context, edition store.Edition) (Recipients, error) {
	if edition.Approved.IsZero() {
		issue, err := e.inputOf(ctx, edition)
		if err != nil {
			return Recipients{}, err
		}
		def, err := e.definition(edition.Digest)
		if err != nil {
			return Recipients{}, err
		}
		return e.countRecipients(ctx, def, issue.Articles)
	}
	counts, err := e.Store.EditionCounts(ctx, edition.Seq)
	if err != nil || counts.Skipped == 0 {
		return Recipients{Count: counts.Total}, err
	}
	skipped, err := e.Store.SkipCounts(ctx, edition.Seq)
	return Recipients{Count: counts.Total - counts.Skipped, Skipped: skipped}, err
}

// countRecipients sorts the people on a digest by whether articles fit their preferences.
// Without articles none are skipped for them.
func (e *Engine) countRecipients(ctx context.Context, def *Definition, articles []article.Article) (Recipients, error) {
	groups, err := e.Store.PreferenceGroups(ctx, def.Name)
	if err != nil {
		return Recipients{}, err
	}
	others, err := e.Store.NonRecipients(ctx, def.Name)
	if err != nil {
		return Recipients{}, err
	}
	var out Recipients
	skipped := map[string]int64{}
	for _, other := range others {
		skipped[other.Reason] = other.Count
	}
	for _, group := range groups {
		reason := ""
		if len(articles) > 0 {
			reason = digest.PreferencesFor(def.Definition, group.Topics, group.Language).SkipReason(articles)
		}
		if reason == "" {
			out.Count += group.Count
			continue
		}
		skipped[reason] += group.Count
	}
	out.Skipped = store.SortSkipCounts(skipped)
	return out, nil
}
