package delivery

import (
	"context"
	"slices"
	"time"

	"github.com/tidings-press/tidings/internal/digest"
	"github.com/tidings-press/tidings/internal/store"
	"github.com/tidings-press/tidings/internal/words"
)

// Progress describes how far an edition has been sent.
type Progress struct {
	Edition store.Edition
	Counts  store.DeliveryCounts
	Rate    float64       // mails per second over the last seconds; 0 when none are sent
	Left    time.Duration // estimated time at that rate; 0 when unknown
	Holds   []store.Hold  // held relays and throttled domains, with the reason
	Waits   bool          // it was approved before its tick and waits for it
	// StartsIn is how long it waits for its first mail, in whole seconds, because an editor can undo
	// the approval.
	StartsIn time.Duration
	// Withdrawn lists articles of an approved, unfinished edition that were withdrawn after
	// the approval. The edition still contains them.
	Withdrawn []store.WithdrawnArticle
	// Failures counts the mails that are retried, refused or uncertain by the server's reply. Sampled is
	// set if it counts only some of them.
	Failures []store.FailureReason
	Sampled  bool
	Warmup   Warmup      // of the relays, while the edition is being sent
	Votes    store.Votes // of readers, whether the edition was helpful
}

// Idle reports whether the edition is final or waits for an editor.
func (p Progress) Idle() bool {
	return p.Edition.State.Final() || p.Edition.State == digest.Paused ||
		p.Counts.Uncertain > 0 && p.Counts.Open() == 0
}

// Retrying reports whether only deferred mails are left to send. The edition stays "sending"
// until the last of them has a final state.
func (p Progress) Retrying() bool { return Retrying(p.Edition.State, p.Counts) }

// StateText describes the edition's state for people: the state itself, or "sent, 5
// retrying".
func (p Progress) StateText() words.Text {
	switch {
	case p.Waits && p.Edition.State == digest.Approved:
		return Waits
	case p.StartsIn > 0 && p.Edition.State == digest.Approved:
		return words.T("starting in {0}", p.StartsIn.Round(time.Second))
	}
	return StateText(p.Edition.State, p.Counts)
}

// Waits is the state of an edition that was approved before its tick.
var Waits = words.T("approved, sent at its time")

// RelayHeld reports whether a relay is held, not only a recipient domain.
func (p Progress) RelayHeld() bool {
	return slices.ContainsFunc(p.Holds, func(h store.Hold) bool { return h.Kind != store.DomainHeld })
}

// Retrying is Progress.Retrying for an edition in a list. The count of deferred mails is updated
// when a chunk is released, so fewer may be open while one is being retried.
func Retrying(state digest.State, c store.DeliveryCounts) bool {
	return state == digest.Sending && c.Deferred > 0 && c.Open() <= c.Deferred
}

// Over reports whether an edition that is being sent counts as sent for people: only a few mails are
// left that servers deferred. Those that wait for a warm-up were not tried yet, and may be most of them.
func Over(state digest.State, c store.DeliveryCounts) bool {
	return Retrying(state, c) && c.Warming == 0
}

// StateText is Progress.StateText for an edition in a list.
func StateText(state digest.State, c store.DeliveryCounts) words.Text {
	switch {
	case !Retrying(state, c):
		return words.T(state.Label())
	case c.Warming > 0 && c.Retried() == 0:
		return words.T("sending, {0} waiting for warm-up", c.Open())
	case c.Warming > 0:
		waiting := min(c.Warming, c.Open())
		return words.T("sending, {0} retrying and {1} waiting for warm-up", c.Open()-waiting, waiting)
	case c.Sent == 0:
		return words.T("none sent yet, {0} retrying", c.Open())
	}
	return words.T("sent, {0} retrying", c.Open())
}

// Over reports whether the edition counts as sent: see the function of this name.
func (p Progress) Over() bool { return Over(p.Edition.State, p.Counts) }

// Progress returns the progress of an edition.
func (e *Engine) Progress(ctx context.Context, id string) (Progress, error) {
	edition, err := e.Store.Edition(ctx, id)
	if err != nil {
		return Progress{}, err
	}
	p := Progress{Edition: edition, Waits: e.waitsForTick(edition)}
	if e.waitsForUndo(edition) {
		p.StartsIn = (edition.UndoUntil.Sub(e.Store.Now()) + time.Second - 1).Truncate(time.Second)
	}
	if p.Counts, err = e.Store.EditionCounts(ctx, edition.Seq); err != nil {
		return p, err
	}
	if p.Votes, err = e.Store.Votes(ctx, edition.Seq); err != nil {
		return p, err
	}
	if p.Counts.Refused+p.Counts.Deferred+p.Counts.Uncertain > 0 || p.Edition.State == digest.Sending {
		if p.Failures, p.Sampled, err = e.Store.FailureReasons(ctx, edition.Seq); err != nil {
			return p, err
		}
	}
	if p.Edition.State == digest.Approved || p.Edition.State == digest.Sending || p.Edition.State == digest.Paused {
		if p.Withdrawn, err = e.Store.WithdrawnArticles(ctx, edition.Seq); err != nil {
			return p, err
		}
	}
	if p.Edition.State == digest.Sending {
		if p.Warmup, err = e.warmupOf(ctx, p.Counts.Open()); err != nil {
			return p, err
		}
		p.Left = p.Warmup.Left
	}
	p.Holds, err = e.Store.Holds(ctx)
	if !edition.Finished.IsZero() && !edition.Started.IsZero() {
		if took := edition.Finished.Sub(edition.Started).Seconds(); took > 0 {
			p.Rate = float64(p.Counts.Sent) / took
		}
	}
	return p, err
}

// Watch sends an edition's progress whenever it changes, at most twice a second. It closes the
// channel when the edition is final and nothing is open, or when the context ends.
func (e *Engine) Watch(ctx context.Context, id string) <-chan Progress {
	out := make(chan Progress)
	go func() {
		defer close(out)
		var meter rateMeter
		var last Progress
		for first := true; ctx.Err() == nil; first = false {
			p, err := e.Progress(ctx, id)
			if err == nil {
				meter.measure(&p, time.Now())
				if first || p.differs(last) {
					select {
					case out <- p:
					case <-ctx.Done():
						return
					}
				}
				if last = p; p.Edition.State.Final() && p.Counts.Open() == 0 {
					return
				}
			}
			wait(ctx, 500*time.Millisecond)
		}
	}()
	return out
}

// differs reports whether there is something new to show. That includes the rate, which falls to
// 0 while no count changes.
func (p Progress) differs(last Progress) bool {
	return p.Counts != last.Counts || p.Edition.State != last.Edition.State || len(p.Holds) != len(last.Holds) || len(p.Withdrawn) != len(last.Withdrawn) || p.Rate != last.Rate || p.StartsIn != last.StartsIn || p.Warmup.Days != last.Warmup.Days || !slices.Equal(p.Failures, last.Failures)
}

// rateMeter measures the rate of sending over the last seconds.
type rateMeter struct {
	at   []time.Time
	done []int64
}

// rateWindow is the time over which the rate is measured.
const rateWindow = 5 * time.Second

func (w *rateMeter) measure(p *Progress, now time.Time) {
	done := p.Counts.Sent + p.Counts.Refused
	w.at, w.done = append(w.at, now), append(w.done, done)
	for len(w.at) > 2 && now.Sub(w.at[0]) > rateWindow {
		w.at, w.done = w.at[1:], w.done[1:]
	}
	seconds := now.Sub(w.at[0]).Seconds()
	if seconds <= 0 || p.Edition.State.Final() {
		return
	}
	p.Rate = float64(done-w.done[0]) / seconds
	if p.Rate > 0 && p.Warmup.Days == 0 && p.Counts.Warming == 0 {
		p.Left = time.Duration(float64(p.Counts.Open()) / p.Rate * float64(time.Second)).Round(time.Second)
	}
}
