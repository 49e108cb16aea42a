package main

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// result is one run.
type result struct {
	mails int
	took  time.Duration
	peak  int64         // bytes of memory of the node; 0 if not measured
	cpu   time.Duration // processor time of the node; 0 if not measured
}

func (r result) rate() float64 { return float64(r.mails) / r.took.Seconds() }

// yardstick is what a run is compared with: nothing but signing for those that
// sign, and else Postfix's generator.
func yardstick(name string) string {
	if _, key, signed := strings.Cut(name, "+"); signed {
		return key
	}
	return "smtp-source"
}

// print writes the table: medians, and the median of the ratios to the yardstick
// of the same round.
func print(names []string, results map[string][]result) {
	fmt.Printf("%-16s %12s %34s %12s %14s\n", "run", "mails/s", "ratio", "CPU/mail", "peak memory")
	for _, name := range names {
		var rates, ratios, peaks, cpus []float64
		for i, r := range results[name] {
			rates = append(rates, r.rate())
			cpus = append(cpus, r.cpu.Seconds()*1e6/float64(r.mails))
			peaks = append(peaks, float64(r.peak)/(1<<20))
			if stick := results[yardstick(name)]; i < len(stick) {
				ratios = append(ratios, r.rate()/stick[i].rate())
			}
		}
		ratio := "-"
		if len(ratios) > 0 {
			ratio = fmt.Sprintf("%.2f (%.2f to %.2f) of %s", median(ratios), slices.Min(ratios), slices.Max(ratios), yardstick(name))
		}
		memory := "-"
		if p := median(peaks); p > 0 {
			memory = fmt.Sprintf("%.0f MB", p)
		}
		spent := "-"
		if c := median(cpus); c > 0 {
			spent = fmt.Sprintf("%.0f us", c)
		}
		fmt.Printf("%-16s %12.0f %34s %12s %14s\n", name, median(rates), ratio, spent, memory)
	}
}

func median(values []float64) float64 {
	values = slices.Sorted(slices.Values(values))
	return values[len(values)/2]
}
