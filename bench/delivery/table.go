package main

import (
	"fmt"
	"slices"
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

// print writes the table: medians, and the median of the ratios to the yardstick
// of the same round.
func print(plans []plan, results map[string][]result) {
	fmt.Printf("%-16s %12s %12s %36s %12s %14s\n", "run", "a second", "took", "speed to that of", "CPU/mail", "peak memory")
	for _, p := range plans {
		name, stick := p.name, p.baseline()
		var rates, ratios, peaks, cpus, times []float64
		for i, r := range results[name] {
			rates = append(rates, r.rate())
			times = append(times, r.took.Seconds())
			cpus = append(cpus, r.cpu.Seconds()*1e6/float64(r.mails))
			peaks = append(peaks, float64(r.peak)/(1<<20))
			if sticks := results[stick]; i < len(sticks) {
				ratios = append(ratios, r.rate()/sticks[i].rate())
			}
		}
		ratio := "-"
		if len(ratios) > 0 {
			ratio = fmt.Sprintf("%.2f (%.2f to %.2f) %s", median(ratios), slices.Min(ratios), slices.Max(ratios), stick)
		}
		memory := "-"
		if p := median(peaks); p > 0 {
			memory = fmt.Sprintf("%.0f MB", p)
		}
		spent := "-"
		if c := median(cpus); c > 0 {
			spent = fmt.Sprintf("%.0f us", c)
		}
		fmt.Printf("%-16s %12.0f %11.1fs %36s %12s %14s\n", name, median(rates), median(times), ratio, spent, memory)
	}
}

func median(values []float64) float64 {
	values = slices.Sorted(slices.Values(values))
	return values[len(values)/2]
}
