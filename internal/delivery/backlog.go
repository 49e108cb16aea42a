package delivery

import (
	"context"
	"time"

	"github.com/tidings-press/tidings/internal/store"
	"github.com/tidings-press/tidings/internal/words"
)

// Backlog counts the articles that fit a digest: those that are queued for an edition, and the
// others by the reason why they are not queued.
type Backlog struct {
	Since   time.Time // start date of the digest; zero includes all articles
	Waiting int       // articles that an edition made now may take
	Next    int       // of those, how many would be in an edition made now
	Max     int       // most articles of one edition; 0 is no limit
	TooNew  int       // too new for the digest's After
	Earlier int       // dated before the start date: in no edition unless it is moved
	Seen    int       // marked as seen
	Drafted int       // in drafts
	Sent    int       // in editions that were approved
}

// Queued returns how many articles are left for editions after the next one.
func (b Backlog) Queued() int { return b.Waiting - b.Next }

// Editions returns how many editions after the next one the queued articles fill.
func (b Backlog) Editions() int {
	if b.Queued() == 0 {
		return 0
	}
	if b.Max == 0 {
		return 1
	}
	return (b.Queued() + b.Max - 1) / b.Max
}

// Backlog counts the articles that wait for a digest. A nonzero since replaces the digest's
// beginning. In a store with many articles the numbers may be a minute old.
func (e *Engine) Backlog(ctx context.Context, name string, since time.Time) (Backlog, error) {
	def, err := e.definition(name)
	if err != nil {
		return Backlog{}, err
	}
	state, err := e.Store.DigestState(ctx, name)
	if err != nil {
		return Backlog{}, err
	}
	return e.backlog(ctx, def, e.waiting(def, state, selection{since: since}))
}

// BacklogOf is Engine.Backlog without an engine. It returns store.ErrNotFound for a digest
// that never ran.
func BacklogOf(ctx context.Context, s *store.Store, def *Definition, since time.Time) (Backlog, error) {
	state, err := s.DigestState(ctx, def.Name)
	if err != nil {
		return Backlog{}, err
	}
	return backlog(ctx, s, def, waiting(s.Now(), def, state, selection{since: since}))
}

func backlog(ctx context.Context, s *store.Store, def *Definition, w store.QueueQuery) (Backlog, error) {
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
	if !w.AppearedBy.IsZero() {
		w.AppearedBy = time.Time{}
		all, err := s.CountWaiting(ctx, w)
		if err != nil {
			return b, err
		}
		b.TooNew = max(0, all-b.Waiting)
	}
	w.Earlier = true
	if b.Earlier, err = s.CountWaiting(ctx, w); err != nil {
		return b, err
	}
	counts, err := s.LedgerCounts(ctx, def.Name)
	b.Seen, b.Drafted, b.Sent = counts.Seen, counts.Drafted, counts.Sent
	return b, err
}

// nothingNewError returns a *NothingNewError that explains why no edition of a digest can be made.
func (e *Engine) nothingNewError(ctx context.Context, def *Definition, w store.QueueQuery) error {
	b, err := backlog(ctx, e.Store, def, w)
	if err != nil {
		return err
	}
	return b.nothingNew(def)
}

// nothingNew returns the error for a digest whose queue is b.
func (b Backlog) nothingNew(def *Definition) *NothingNewError {
	return &NothingNewError{Backlog: b, reason: b.reason(max(def.Min, 1), def.zone())}
}

// NothingNewError reports that a digest has too few new articles for an edition, and where the
// articles that fit it are. It wraps ErrNothingNew.
type NothingNewError struct {
	Backlog Backlog
	reason  words.Text
}

func (e *NothingNewError) Error() string { return e.Text().String() }

// Text returns the error for pages.
func (e *NothingNewError) Text() words.Text { return words.T("nothing new: {0}", e.reason) }

// Unwrap returns ErrNothingNew.
func (e *NothingNewError) Unwrap() error { return ErrNothingNew }

// reason explains where the articles that fit the digest are.
func (b Backlog) reason(least int, zone *time.Location) words.Text {
	if b.Waiting > 0 {
		return tooFew(b.Waiting, least)
	}
	since := words.Date(b.Since.In(zone))
	type place struct {
		n         int
		all, some words.Text // what all the articles are, or n of them
	}
	var places []place
	for _, p := range []place{
		{b.TooNew, words.T("every article that fits has been here for less time than the digest's setting “after” requires"),
			words.N(b.TooNew, "{0} has been here for less time than the digest's setting “after” requires", "{0} have been here for less time than the digest's setting “after” requires")},
		{b.Sent, words.T("every article that fits has been in an edition"), words.N(b.Sent, "{0} has been in an edition", "{0} have been in an edition")},
		{b.Drafted, words.T("every article that fits has a place in a draft that awaits approval"),
			words.N(b.Drafted, "{0} has a place in a draft that awaits approval", "{0} have a place in a draft that awaits approval")},
		{b.Seen, words.T("every article that fits has been marked as seen"), words.N(b.Seen, "{0} has been marked as seen", "{0} have been marked as seen")},
		{b.Earlier, words.T("every article that fits has a date before {0}, the start date of this digest", since),
			words.N(b.Earlier, "{0} has a date before {1}, the start date of this digest", "{0} have a date before {1}, the start date of this digest", since)},
	} {
		if p.n > 0 {
			places = append(places, p)
		}
	}
	switch len(places) {
	case 0:
		return words.T("no published article fits this digest yet")
	case 1:
		return places[0].all
	}
	parts := make([]words.Text, len(places))
	for i, p := range places {
		parts[i] = p.some
	}
	return words.T("of the articles that fit, {0}", words.Joined("; ", parts...))
}

// SetBeginning moves the start date of a digest: of the stored articles, those dated from then
// on belong to it. Zero includes all.
func (e *Engine) SetBeginning(ctx context.Context, name string, since time.Time) error {
	if _, err := e.definition(name); err != nil {
		return err
	}
	defer e.backlogCache.forget(name)
	return e.Store.SetDigestSince(ctx, name, since)
}

// MarkSeen removes the waiting articles that are dated before a time from a digest's queue, and
// returns their number. It does not affect articles that are imported later, whatever their date.
func (e *Engine) MarkSeen(ctx context.Context, name string, before time.Time) (int64, error) {
	w, err := e.datedBefore(ctx, name, before)
	if err != nil {
		return 0, err
	}
	defer e.backlogCache.forget(name)
	return e.Store.MarkSeen(ctx, w)
}

func (e *Engine) datedBefore(ctx context.Context, name string, before time.Time) (store.QueueQuery, error) {
	def, err := e.definition(name)
	if err != nil {
		return store.QueueQuery{}, err
	}
	state, err := e.Store.DigestState(ctx, name)
	if err != nil {
		return store.QueueQuery{}, err
	}
	w := e.waiting(def, state, selection{})
	w.Before, w.AppearedBy = before, time.Time{}
	return w, nil
}

// MarkUnseen puts articles that MarkSeen removed back into a digest's queue: those dated before a
// time, or all when it is zero. Articles that an edition has had stay out.
func (e *Engine) MarkUnseen(ctx context.Context, name string, before time.Time) (int64, error) {
	if _, err := e.definition(name); err != nil {
		return 0, err
	}
	defer e.backlogCache.forget(name)
	return e.Store.MarkUnseen(ctx, name, before)
}
