package feed

import (
	"slices"
	"time"
)

// updateRate is how often a feed has new items, by the dates of its items. Feed readers may
// poll accordingly (ttl, and the Syndication module of RSS).
type updateRate struct {
	ttl       int    // minutes
	period    string // hourly, daily, weekly, monthly
	frequency int    // updates in a period
}

// updateRateOf computes the rate from the median of the gaps between items, so that one bulk
// import or one long pause does not change it.
func updateRateOf(entries []entry) updateRate {
	var gaps []time.Duration
	for i := 1; i < len(entries) && i <= 20; i++ {
		if gap := entries[i-1].published.Sub(entries[i].published); gap > time.Minute {
			gaps = append(gaps, gap)
		}
	}
	if len(gaps) == 0 {
		return updateRate{ttl: 60, period: "daily", frequency: 1}
	}
	slices.Sort(gaps)
	gap := gaps[len(gaps)/2]
	r := updateRate{ttl: int(min(max(gap/4, 15*time.Minute), 24*time.Hour) / time.Minute)}
	const day = 24 * time.Hour
	switch {
	case gap <= time.Hour:
		r.period, r.frequency = "hourly", int(min(time.Hour/gap, 12))
	case gap <= day:
		r.period, r.frequency = "daily", int(day/gap)
	case gap <= 7*day:
		r.period, r.frequency = "weekly", int(7*day/gap)
	default:
		r.period, r.frequency = "monthly", int(max(30*day/gap, 1))
	}
	return r
}
