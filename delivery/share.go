package delivery

import (
	"sync/atomic"
	"time"
)

// shareEvery is the span over which mails are shared by weight. A relay that was
// away does not get the mails of that time made up for.
const shareEvery = 5 * time.Second

// shareSlack is how many mails a relay may be ahead of its share.
const shareSlack = 8

// share counts a relay's mails of the current span.
type share struct {
	span  atomic.Int64
	mails atomic.Int64
}

// add counts a mail.
func (s *share) add(now time.Time) {
	span := now.UnixNano() / int64(shareEvery)
	if s.span.Swap(span) != span {
		s.mails.Store(0)
	}
	s.mails.Add(1)
}

// count is the number of mails of this span.
func (s *share) count(now time.Time) int64 {
	if s.span.Load() != now.UnixNano()/int64(shareEvery) {
		return 0
	}
	return s.mails.Load()
}

// mayTake says whether this relay should take the next mail, given the weights:
// one that has had more than its share lets the others go first, if they can.
func (r *relay) mayTake() bool {
	if len(r.engine.relays) == 1 || r.Weight == 0 {
		return true
	}
	now := time.Now()
	var weights, mails int64
	for _, o := range r.engine.relays {
		if o == r || o.Weight > 0 && o.willing(now) {
			weights += int64(o.Weight)
			mails += o.share.count(now)
		}
	}
	return r.share.count(now)*weights <= (mails+shareSlack)*int64(r.Weight)
}

// willing says whether the relay takes mail at the moment: it is not held back, its
// last dial did not fail, and its limits have room.
func (r *relay) willing(now time.Time) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return !now.Before(r.until) && !now.Before(r.shared) && !r.failing && !now.Before(r.full)
}

// otherWorks says whether a relay with a weight takes mail, so that one for
// failover stays out of it. One whose limits are used up for now still does.
func (e *Engine) otherWorks(self *relay) bool {
	for _, r := range e.relays {
		if r == self || r.Weight == 0 {
			continue
		}
		r.mu.Lock()
		works := !r.failing && !r.heldNow()
		r.mu.Unlock()
		if works {
			return true
		}
	}
	return false
}
