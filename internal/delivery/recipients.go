package delivery

import (
	"context"
	"errors"

	"github.com/tidings-press/tidings/internal/article"
	"github.com/tidings-press/tidings/internal/digest"
	"github.com/tidings-press/tidings/internal/store"
)

// Recipients counts the subscribers of a digest who get an edition, and those who do not.
type Recipients struct {
	Count   int64             // those who get a mail
	Skipped []store.SkipCount // those who do not, by reason
}

// NextRecipients counts who would get the next edition of a digest now. When there is nothing to
// send, every active subscriber of the digest is counted as a recipient.
func (e *Engine) NextRecipients(ctx context.Context, name string) (Recipients, error) {
	def, err := e.definition(name)
	if err != nil {
		return Recipients{}, err
	}
	state, err := e.Store.DigestState(ctx, name)
	if err != nil {
		return Recipients{}, err
	}
	input, err := e.input(ctx, def, state, selection{}, previewKey())
	if err != nil && !errors.Is(err, ErrNothingNew) {
		return Recipients{}, err
	}
	return e.countRecipients(ctx, def, input.Articles)
}

// EditionRecipients counts who gets an edition. For a draft, it counts who would get it if it
// were approved now; for an approved edition, those it was frozen for, less those skipped since.
func (e *Engine) EditionRecipients(ctx context.Context, edition store.Edition) (Recipients, error) {
	if edition.Approved.IsZero() {
		input, err := e.inputOf(ctx, edition)
		if err != nil {
			return Recipients{}, err
		}
		return e.draftRecipients(ctx, edition, input)
	}
	counts, err := e.Store.EditionCounts(ctx, edition.Seq)
	if err != nil || counts.Skipped == 0 {
		return Recipients{Count: counts.Total}, err
	}
	skipped, err := e.skipCounts(ctx, edition.Seq, counts.Skipped)
	return Recipients{Count: counts.Total - counts.Skipped, Skipped: skipped}, err
}

// draftRecipients counts who would get a draft if it were approved now.
func (e *Engine) draftRecipients(ctx context.Context, edition store.Edition, input digest.Input) (Recipients, error) {
	if edition.IsMessage() {
		return e.messageRecipients(ctx, edition)
	}
	def, err := e.definition(edition.Digest)
	if err != nil {
		return Recipients{}, err
	}
	return e.countRecipients(ctx, def, input.Articles)
}

// countRecipients counts the subscribers of a digest by whether any of the articles fits their
// preferences. Without articles it ignores preferences. In a large store the numbers are some minutes
// old; the approval counts them itself.
func (e *Engine) countRecipients(ctx context.Context, def *Definition, articles []article.Article) (Recipients, error) {
	counts, err := e.Store.DigestCounts(ctx, def.Name)
	if err != nil {
		return Recipients{}, err
	}
	var out Recipients
	skipped := map[string]int64{}
	for _, other := range counts.Others {
		skipped[other.Reason] = other.Count
	}
	for _, group := range counts.Groups {
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

// skippedOf is a key of the cache of reasons: an edition, and the number of its skipped deliveries. While the number
// stays the same, so do their reasons.
type skippedOf struct {
	edition, n int64
}

// skipReasons are the skipped deliveries of an edition by reason.
type skipReasons struct{ counts []store.SkipCount }

// maxSkipReasons bounds the cache, in editions.
const maxSkipReasons = 200

// skipCounts counts the n skipped deliveries of an edition by reason, once for as long as there are n: in an
// edition that was cancelled these may be nearly all.
func (e *Engine) skipCounts(ctx context.Context, edition, n int64) ([]store.SkipCount, error) {
	key := skippedOf{edition, n}
	if kept, ok := e.skipCountCache.Get(key); ok {
		return kept.counts, nil
	}
	counts, err := e.Store.SkipCounts(ctx, edition)
	if err == nil {
		e.skipCountCache.Put(key, &skipReasons{counts})
	}
	return counts, err
}
