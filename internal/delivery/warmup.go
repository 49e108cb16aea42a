package delivery

import (
	"context"
	"time"

	"github.com/tidings-press/tidings/internal/store"
	"github.com/tidings-press/tidings/internal/warmup"
	"github.com/tidings-press/tidings/internal/words"
)

// Warmup is what the warm-up of the relays means for the mails that an edition has left.
type Warmup struct {
	Used, Allowance int64         // mails of today, over all relays
	Days            int           // on how many days after today mails are sent; 0 if the rest may be sent today
	Left            time.Duration // until the last of these days begins
}

// Text describes the warm-up for people; it is empty if it does not delay the edition.
func (w Warmup) Text() words.Text {
	if w.Days == 0 {
		return words.Text{}
	}
	return words.N(w.Days, "Warm-up: {1} of {2} emails of today are used. The rest follows tomorrow, from 00:00 UTC on.",
		"Warm-up: {1} of {2} emails of today are used. The rest follows over the next {0} days, each from 00:00 UTC on.", min(w.Used, w.Allowance), w.Allowance)
}

// warmupOf returns what the warm-up means for a number of mails. If one relay has none, it delays no edition.
func (e *Engine) warmupOf(ctx context.Context, mails int64) (Warmup, error) {
	var out Warmup
	var plan warmup.Plan // of all relays together
	var left int64
	var ends time.Time
	for _, r := range e.relays.All() {
		if r.Weight == 0 {
			continue
		}
		if !r.Warmup.Set() {
			return Warmup{}, nil
		}
		today, err := r.WarmupToday(ctx)
		if err != nil {
			return Warmup{}, err
		}
		out.Used, out.Allowance, ends, left = out.Used+today.Used, out.Allowance+today.Allowance, today.Ends, left+today.Left()
		plan = warmup.Plan{Start: plan.Start + r.Warmup.Start, Factor: max(plan.Factor, r.Warmup.Factor), Max: plan.Max + r.Warmup.Max}
	}
	if !plan.Set() {
		return Warmup{}, nil
	}
	if out.Days = plan.Days(out.Allowance, left, mails); out.Days > 0 {
		out.Left = ends.Sub(e.Store.Now()) + time.Duration(out.Days-1)*24*time.Hour
	}
	return out, nil
}

// returnWarmups gives what this node may still send today to the other nodes, when it has stopped.
func (e *Engine) returnWarmups() {
	ctx, cancel := context.WithTimeout(context.Background(), releaseFor)
	defer cancel()
	e.relays.ReturnWarmups(ctx)
}

// WarmupState is the warm-up of a relay today.
type WarmupState struct {
	Set bool
	store.Warmup
}

// RelayWarmup is the warm-up of a relay that has one.
type RelayWarmup struct {
	Relay string
	store.Warmup
}

// Warmups returns the relays that may send a limited number of mails today.
func (e *Engine) Warmups(ctx context.Context) (out []RelayWarmup, err error) {
	for _, r := range e.relays.All() {
		if !r.Warmup.Set() {
			continue
		}
		today, err := r.WarmupToday(ctx)
		if err != nil {
			return nil, err
		}
		out = append(out, RelayWarmup{r.Name, today})
	}
	return out, nil
}
