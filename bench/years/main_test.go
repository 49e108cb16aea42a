package main

import (
	"strings"
	"testing"
	"time"

	"github.com/tidings-press/tidings/internal/testkit"
)

// TestStoreIsFlatOnceRetentionWorks is the short form of "make years": five years of ten days each, with
// deliveries that are kept for fifteen days.
func TestStoreIsFlatOnceRetentionWorks(t *testing.T) {
	testkit.Slow(t)
	t.Parallel()
	o := options{years: 5, days: 10, subscribers: 20, keep: 15}
	var out strings.Builder
	years, err := simulate(t.Context(), o, &out)
	if err != nil {
		t.Fatal(err)
	}
	if err := checkSizes(years, o); err != nil {
		t.Errorf("%v\n%s", err, &out)
	}
	for _, year := range []int{1, 4} {
		if want := int64(o.keep * o.subscribers); years[year].deliveries < want {
			t.Errorf("year %d ends with %d deliveries, want %d: those of the last %d days are kept", year+1, years[year].deliveries, want, o.keep)
		}
	}
	if len(strings.Split(out.String(), "\n")) < o.years {
		t.Errorf("the table has no line for each year:\n%s", &out)
	}
}

func TestGrowthOfTheStoreIsFound(t *testing.T) {
	t.Parallel()
	o := options{years: 6, days: 20, subscribers: 100, keep: 30, max: 20}
	steady := func(change func(years []result)) []result {
		years := make([]result, o.years)
		for i := range years {
			years[i] = result{size: int64(10+i) * 1e6, deliveries: 3000}
			for part := range parts {
				years[i].medians[part] = time.Millisecond
			}
		}
		change(years)
		return years
	}
	for name, c := range map[string]struct {
		change       func(years []result)
		sizes, times bool
	}{
		"steady":                       {func([]result) {}, true, true},
		"too large":                    {func(years []result) { years[5].size = 21e6 }, false, true},
		"deliveries that are not kept": {func(years []result) { years[5].deliveries = 3101 }, false, true},
		"growth in later years":        {func(years []result) { years[5].size += 500_000 }, false, true},
		"a slower day":                 {func(years []result) { years[5].medians[pruning] = 6 * time.Millisecond }, true, false},
	} {
		years := steady(c.change)
		if err := checkSizes(years, o); err == nil != c.sizes {
			t.Errorf("%s: sizes: %v", name, err)
		}
		if err := checkTimes(years); err == nil != c.times {
			t.Errorf("%s: times: %v", name, err)
		}
	}
}
