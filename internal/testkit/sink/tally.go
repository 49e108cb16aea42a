package sink

import (
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
)

// Tally counts recipients. Those whose local part ends in a number, such as
// reader1234@example.net, take a bit each, so that a hundred million fit.
type Tally struct {
	mails   atomic.Int64
	bytes   atomic.Int64
	doubled atomic.Int64
	empty   atomic.Int64
	unknown atomic.Int64

	mu   sync.Mutex
	bits []uint64
	seen int64
}

const tallyMax = 1 << 31 // highest number that takes a bit

// add counts one mail to one recipient.
func (t *Tally) add(to string) {
	n, ok := number(to)
	if !ok {
		t.unknown.Add(1)
		return
	}
	word, bit := n/64, uint64(1)<<(n%64)
	t.mu.Lock()
	defer t.mu.Unlock()
	for word >= len(t.bits) {
		t.bits = append(t.bits, make([]uint64, max(1024, len(t.bits)/2))...)
	}
	if t.bits[word]&bit != 0 {
		t.doubled.Add(1)
		return
	}
	t.bits[word] |= bit
	t.seen++
}

// number reads the digits before the @.
func number(to string) (int, bool) {
	local, _, _ := strings.Cut(to, "@")
	start := len(local)
	for start > 0 && local[start-1] >= '0' && local[start-1] <= '9' {
		start--
	}
	n, err := strconv.Atoi(local[start:])
	return n, err == nil && n < tallyMax
}

// Mails is the number of mails taken.
func (t *Tally) Mails() int64 { return t.mails.Load() }

// Bytes is the sum of their sizes.
func (t *Tally) Bytes() int64 { return t.bytes.Load() }

// Empty is the number of mails of no octets.
func (t *Tally) Empty() int64 { return t.empty.Load() }

// Distinct is the number of numbered recipients that have at least one mail.
func (t *Tally) Distinct() int64 {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.seen
}

// Doubled is the number of mails to numbered recipients that had one already.
func (t *Tally) Doubled() int64 { return t.doubled.Load() }

// Unnumbered is the number of mails to recipients without a number.
func (t *Tally) Unnumbered() int64 { return t.unknown.Load() }

// Has says whether the recipient with a number has a mail.
func (t *Tally) Has(n int) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return n/64 < len(t.bits) && t.bits[n/64]&(1<<(n%64)) != 0
}
