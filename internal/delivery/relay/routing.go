package relay

import (
	"sync/atomic"
	"time"
)

// Mail is the part of a mail that routing depends on.
type Mail struct {
	Address   string // of the recipient
	RefusedBy string // name of the relay that refused it last; may be empty
	Size      int    // in bytes, once it has exceeded a relay's limit; else 0
}

const (
	// routingSpan is the time over which mails are distributed by weight. A relay that was down
	// longer does not make up for the mails it missed.
	routingSpan = 5 * time.Second
	// routingSlack is how many mails a relay may be ahead of its share.
	routingSlack = 8
)

// mailCounter counts the mails of a relay in the current span.
type mailCounter struct {
	span  atomic.Int64
	mails atomic.Int64
}

func (m *mailCounter) add(now time.Time) {
	span := now.UnixNano() / int64(routingSpan)
	if m.span.Swap(span) != span {
		m.mails.Store(0)
	}
	m.mails.Add(1)
}

func (m *mailCounter) count(now time.Time) int64 {
	if m.span.Load() != now.UnixNano()/int64(routingSpan) {
		return 0
	}
	return m.mails.Load()
}

// Routes reports whether a mail should go to this relay rather than to another working relay:
// this one takes mails of its size, has not refused it, does not throttle the recipient's domain,
// and is not ahead of its share.
func (r *Relay) Routes(m Mail) bool {
	all := r.set.relays
	if len(all) == 1 {
		return true
	}
	if !r.Fits(m.Size) {
		return false
	}
	now, domain := time.Now(), DomainOf(m.Address)
	eligible, others := r.eligible(m, domain), false
	var weights, mails int64
	for _, o := range all {
		switch {
		case o == r:
		case o.OnStandby() || o.WarmupWait() > 0 || !o.ready(now) || !o.Fits(m.Size) || !o.eligible(m, domain):
			continue
		default:
			others = true
		}
		weights += int64(o.Weight)
		mails += o.recentMails.count(now)
	}
	if !others || !eligible {
		return !others
	}
	return r.Weight == 0 || r.recentMails.count(now)*weights <= (mails+routingSlack)*int64(r.Weight)
}

// Fits reports whether a mail of the given size in bytes is within the relay's limit.
func (r *Relay) Fits(size int) bool { return r.MaxSize == 0 || int64(size) <= r.MaxSize }

// eligible reports whether the relay has not refused the mail, does not throttle its domain, and its
// warm-up allows mail to that.
func (r *Relay) eligible(m Mail, domain string) bool {
	return m.RefusedBy != r.Name && r.throttle.until(domain).IsZero() && r.WarmupWaitOf(domain) == 0
}

// ready reports whether the relay can take mail now: it is not held, its last dial did not fail,
// and its quotas are not used up.
func (r *Relay) ready(now time.Time) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.works() && !now.Before(r.quotaFull)
}

// works reports whether the relay is not held and its last dial did not fail. The caller has the lock.
func (r *Relay) works() bool { return !r.heldNow() && !r.failing }

// QuotaFullFor records that the relay's quotas are used up for a time, so that the other
// relays get its mails.
func (r *Relay) QuotaFullFor(d time.Duration) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.quotaFull = time.Now().Add(d)
}

// OnStandby reports whether this relay has no weight and is not needed now. A relay with a
// weight whose quotas are used up for now still counts as working.
func (r *Relay) OnStandby() bool {
	if r.Weight > 0 {
		return false
	}
	for _, o := range r.set.relays {
		if o == r || o.Weight == 0 {
			continue
		}
		o.mu.Lock()
		works := o.works()
		o.mu.Unlock()
		if works {
			return true
		}
	}
	return false
}
