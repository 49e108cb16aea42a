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

// fits says whether a mail is for this relay rather than for another one that is at
// work: it takes mails of this size, has not refused this mail, the recipient's
// domain does not rest on it, and it has not had more than its share.
func (r *relay) fits(j *job) bool {
	all := r.engine.relays
	if len(all) == 1 {
		return true
	}
	if !r.takes(j.size) {
		return false
	}
	now, domain := time.Now(), domainOf(j.Address)
	welcome, others := r.welcomes(j, domain), false
	var weights, mails int64
	for _, o := range all {
		switch {
		case o == r:
		case o.aside() || !o.willing(now) || !o.takes(j.size) || !o.welcomes(j, domain):
			continue
		default:
			others = true
		}
		weights += int64(o.Weight)
		mails += o.share.count(now)
	}
	if !others || !welcome {
		return !others
	}
	return r.Weight == 0 || r.share.count(now)*weights <= (mails+shareSlack)*int64(r.Weight)
}

// welcomes says whether a mail may be heard over this relay: it has not refused it,
// and the domain does not rest on it.
func (r *relay) welcomes(j *job, domain string) bool {
	return j.RefusedBy != r.Name && r.domains.restOf(domain).IsZero()
}

// willing says whether the relay takes mail at the moment: it is not held back, its
// last dial did not fail, and its limits have room.
func (r *relay) willing(now time.Time) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return !r.heldNow() && !r.failing && !now.Before(r.full)
}

// fullFor keeps for the other relays that this one's limits have no room for now.
func (r *relay) fullFor(d time.Duration) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.full = time.Now().Add(d)
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
