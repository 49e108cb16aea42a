package delivery

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/tidings-press/tidings/internal/article"
	"github.com/tidings-press/tidings/internal/digest"
	"github.com/tidings-press/tidings/internal/store"
)

// Backlog is what waits for the next editions of a digest, and what does not wait any more.
type Backlog struct {
	Since   time.Time // where the digest begins; zero for everything
	Waiting int       // articles that fit and that no edition has had
	Next    int       // of them in the next edition, were it made now
	Max     int       // of one edition; 0 for no bound
	Earlier int       // dated before the beginning and not late: in no edition, unless the beginning is moved
	Seen    int       // marked as seen
	Drafted int       // in drafts
	Sent    int       // in editions that are no drafts
}

// Queued is how many articles wait beyond the next edition.
func (b Backlog) Queued() int { return b.Waiting - b.Next }

// Editions is how many more editions the queued articles take, if nothing new comes.
func (b Backlog) Editions() int {
	if b.Queued() == 0 {
		return 0
	}
	if b.Max == 0 {
		return 1
	}
	return (b.Queued() + b.Max - 1) / b.Max
}

// Backlog returns what waits for a digest, as if it began with articles dated from a day
// on; zero for where it begins.
func (e *Engine) Backlog(ctx context.Context, name string, since time.Time) (Backlog, error) {
	def, err := e.definition(name)
	if err != nil {
		return Backlog{}, err
	}
	return BacklogOf(ctx, e.Store, def, since)
}

// BacklogOf is Engine.Backlog where no engine is needed. It returns store.ErrNotFound for
// a digest that never ran.
func BacklogOf(ctx context.Context, s *store.Store, def *Definition, since time.Time) (Backlog, error) {
	state, err := s.DigestState(ctx, def.Name)
	if err != nil {
		return Backlog{}, err
	}
	return backlog(ctx, s, def, waiting(s.Now(), def, state, selection{since: since}))
}

func backlog(ctx context.Context, s *store.Store, def *Definition, w store.Waiting) (Backlog, error) {
	b := Backlog{Since: w.Since, Max: def.Max}
	var err error
	if b.Waiting, err = s.CountWaiting(ctx, w); err != nil {
		return b, err
	}
	if b.Waiting >= max(def.Min, 1) {
		b.Next = b.Waiting
		if def.Max > 0 {
			b.Next = min(b.Waiting, def.Max)
		}
	}
	w.Earlier = true
	if b.Earlier, err = s.CountWaiting(ctx, w); err != nil {
		return b, err
	}
	counts, err := s.LedgerCounts(ctx, def.Name)
	b.Seen, b.Drafted, b.Sent = counts.Seen, counts.Drafted, counts.Sent
	return b, err
}

// nothingNewError says truly why a digest has no articles for an edition.
func (e *Engine) nothingNewError(ctx context.Context, def *Definition, w store.Waiting) error {
	b, err := backlog(ctx, e.Store, def, w)
	if err != nil {
		return err
	}
	zone, err := time.LoadLocation(def.Timezone)
	if err != nil {
		zone = time.UTC
	}
	return &NothingNewError{Backlog: b, reason: b.reason(max(def.Min, 1), zone)}
}

// NothingNewError says that a digest has too few new articles for an edition, and where
// its articles are. It is ErrNothingNew.
type NothingNewError struct {
	Backlog Backlog
	reason  string
}

func (e *NothingNewError) Error() string { return ErrNothingNew.Error() + ": " + e.reason }
func (e *NothingNewError) Unwrap() error { return ErrNothingNew }

// reason names the places in which the articles are that fit the digest.
func (b Backlog) reason(least int, zone *time.Location) string {
	if b.Waiting > 0 {
		return fmt.Sprintf("%s, and an edition needs %d", count(b.Waiting, "article waits", "articles wait"), least)
	}
	type place struct {
		n    int
		what string
	}
	var places []place
	for _, p := range []place{
		{b.Sent, "been in an edition"},
		{b.Drafted, "a place in a draft that waits for approval"},
		{b.Seen, "been marked as seen"},
		{b.Earlier, "a date before " + b.Since.In(zone).Format("2 January 2006") + ", where this digest begins"},
	} {
		if p.n > 0 {
			places = append(places, p)
		}
	}
	switch len(places) {
	case 0:
		return "no published article fits this digest yet"
	case 1:
		return "every article that fits has " + places[0].what
	}
	parts := make([]string, len(places))
	for i, p := range places {
		parts[i] = count(p.n, "has", "have") + " " + p.what
	}
	return "of the articles that fit, " + strings.Join(parts, "; ")
}

func count(n int, one, more string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %s", n, more)
}

// previewKey stands for the tick of an edition that is only looked at. Test mails must not
// pass for each other's copies, so it is another one each time.
func previewKey() string { return "preview:" + uuid.NewString() }

// PreviewOptions says how the next edition is looked at.
type PreviewOptions struct {
	// Since is as in Order; a look moves nothing.
	Since time.Time
	// Sample shows the newest articles instead of nothing when the digest has had no
	// edition and everything that fits is dated before its beginning.
	Sample bool
}

// Preview is what the next edition of a digest would be.
type Preview struct {
	digest.Variant
	Backlog     Backlog
	Recipients  Recipients
	Contents    []article.Article // in it, in the order shown
	Fingerprint Fingerprint
	// Sample is why the next edition would hold nothing, when the newest articles are
	// shown in its place; empty else.
	Sample string
}

// Preview renders what the next edition of a digest would be at this moment, for a
// reader without preferences. It changes nothing. When there is nothing to show it
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
	issue, err := e.input(ctx, def, state, from, previewKey())
	var nothing *NothingNewError
	if errors.As(err, &nothing) && options.Sample && nothing.Backlog.Earlier > 0 && nothing.Backlog.Sent == 0 {
		out.Sample = nothing.Error()
		issue, err = e.sample(ctx, def, e.waiting(def, state, from))
	}
	if err != nil {
		return Preview{}, err
	}
	if out.Backlog, err = backlog(ctx, e.Store, def, e.waiting(def, state, from)); err != nil {
		return Preview{}, err
	}
	if out.Recipients, err = e.countRecipients(ctx, def, issue.Articles); err != nil {
		return Preview{}, err
	}
	if out.Variant, err = digest.Render(issue, digest.Preferences{}, e.Templates); err != nil {
		return out, err
	}
	fixed, err := e.settings(name)
	if err != nil {
		return out, err
	}
	out.Contents = issue.Articles
	out.Fingerprint, err = e.fingerprint(issue, fixed)
	return out, err
}

// sample is an issue of the newest articles that are dated before a digest's beginning.
func (e *Engine) sample(ctx context.Context, def *Definition, w store.Waiting) (digest.Input, error) {
	w.Earlier, w.Oldest = true, false
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
	return digest.Input{ID: e.names.EditionID(def.Name, previewKey()), Definition: def.Definition, Number: 1, Site: e.Site, Articles: chosen, Date: w.Now}, nil
}

// SetBeginning moves the beginning of a digest: of what is there now, articles dated from then
// on belong to it; zero for all.
func (e *Engine) SetBeginning(ctx context.Context, name string, since time.Time) error {
	if _, err := e.definition(name); err != nil {
		return err
	}
	return e.Store.SetDigestSince(ctx, name, since)
}

// MarkSeen takes the articles that wait for a digest and are dated before a day out of its
// queue, and returns how many they were. What comes in later is none of them, whatever its
// date.
func (e *Engine) MarkSeen(ctx context.Context, name string, before time.Time) (int64, error) {
	w, err := e.datedBefore(ctx, name, before)
	if err != nil {
		return 0, err
	}
	return e.Store.MarkSeen(ctx, w)
}

// CountDatedBefore returns how many articles MarkSeen would take.
func (e *Engine) CountDatedBefore(ctx context.Context, name string, before time.Time) (int, error) {
	w, err := e.datedBefore(ctx, name, before)
	if err != nil {
		return 0, err
	}
	return e.Store.CountWaiting(ctx, w)
}

func (e *Engine) datedBefore(ctx context.Context, name string, before time.Time) (store.Waiting, error) {
	def, err := e.definition(name)
	if err != nil {
		return store.Waiting{}, err
	}
	state, err := e.Store.DigestState(ctx, name)
	if err != nil {
		return store.Waiting{}, err
	}
	w := e.waiting(def, state, selection{})
	w.Before = before
	return w, nil
}

// MarkUnseen puts the articles that MarkSeen took and that are dated before a day, zero for
// all, back into a digest's queue, except those that an edition has had.
func (e *Engine) MarkUnseen(ctx context.Context, name string, before time.Time) (int64, error) {
	if _, err := e.definition(name); err != nil {
		return 0, err
	}
	return e.Store.MarkUnseen(ctx, name, before)
}
