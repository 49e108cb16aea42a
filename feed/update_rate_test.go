package feed

import (
	"testing"
	"time"
)

// published returns entries with these gaps between them, the newest first.
func published(gaps ...time.Duration) []entry {
	at := time.Date(2026, 3, 2, 12, 0, 0, 0, time.UTC)
	all := []entry{{published: at}}
	for _, gap := range gaps {
		at = at.Add(-gap)
		all = append(all, entry{published: at})
	}
	return all
}

func every(gap time.Duration, times int) []entry {
	gaps := make([]time.Duration, times)
	for i := range gaps {
		gaps[i] = gap
	}
	return published(gaps...)
}

func TestUpdateRateFollowsPublicationDates(t *testing.T) {
	t.Parallel()
	const day = 24 * time.Hour
	for name, test := range map[string]struct {
		entries []entry
		want    updateRate
	}{
		"nothing":                      {nil, updateRate{60, "daily", 1}},
		"one article":                  {published(), updateRate{60, "daily", 1}},
		"all at once":                  {every(0, 30), updateRate{60, "daily", 1}},
		"every five minutes":           {every(5*time.Minute, 30), updateRate{15, "hourly", 12}},
		"hourly":                       {every(time.Hour, 30), updateRate{15, "hourly", 1}},
		"four times a day":             {every(6*time.Hour, 30), updateRate{90, "daily", 4}},
		"daily":                        {every(day, 30), updateRate{360, "daily", 1}},
		"weekly":                       {every(7*day, 30), updateRate{1440, "weekly", 1}},
		"three times a week":           {every(56*time.Hour, 30), updateRate{840, "weekly", 3}},
		"monthly":                      {every(30*day, 30), updateRate{1440, "monthly", 1}},
		"yearly":                       {every(365*day, 3), updateRate{1440, "monthly", 1}},
		"daily after a bulk import":    {append(every(day, 10), published(0, 0, time.Second, 2*time.Second)...), updateRate{360, "daily", 1}},
		"daily with one long silence":  {published(day, day, 300*day, day, day), updateRate{360, "daily", 1}},
		"irregular":                    {published(time.Hour, 9*day, 2*day, 3*day, 20*time.Minute), updateRate{720, "weekly", 3}},
		"weekly now and hourly before": {append(every(7*day, 20), every(time.Hour, 200)...), updateRate{1440, "weekly", 1}},
	} {
		if got := updateRateOf(test.entries); got != test.want {
			t.Errorf("%s: %+v, want %+v", name, got, test.want)
		}
	}
}
