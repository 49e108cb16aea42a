package main

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
)

// plan is one run of a round.
type plan struct {
	name        string
	kind        string // the first word of the name: what is measured
	engine      string // sqlite or postgres, where there is a store
	key         string // rsa or ed25519, where mails are signed
	connections int    // 0 for the default settings
	times       int    // as many readers
}

// readPlan reads "sqlite+rsa@32*10".
func readPlan(name string, connections int) (plan, error) {
	p := plan{name: name, connections: connections, times: 1}
	rest, times, multiplied := strings.Cut(name, "*")
	rest, at, limited := strings.Cut(rest, "@")
	rest, p.key, _ = strings.Cut(rest, "+")
	var err error
	if multiplied {
		p.times, err = strconv.Atoi(times)
	}
	if limited && err == nil {
		p.connections, err = strconv.Atoi(at)
	}
	if err != nil || p.times < 1 {
		return p, fmt.Errorf("run %q: use an engine with +KEY, @CONNECTIONS or *TIMES, such as sqlite+rsa@32", name)
	}
	p.kind, p.engine = rest, rest
	if kind, engine, found := strings.Cut(rest, "-"); found && kind != "smtp" {
		p.kind, p.engine = kind, engine
	}
	switch p.kind {
	case "smtp-source", "rsa", "ed25519":
		p.engine = ""
	case "record", "import", "sqlite", "postgres":
		if p.engine != "sqlite" && p.engine != "postgres" {
			return p, fmt.Errorf("run %q: there is no engine %q", name, p.engine)
		}
	default:
		return p, fmt.Errorf("run %q: use smtp-source, sqlite, postgres, rsa, ed25519, record-ENGINE or import-ENGINE", name)
	}
	return p, nil
}

// baseline is what a run is compared with: nothing but signing for those that sign,
// the default settings for those with a number of connections, the same list for a
// longer one, and else Postfix's generator.
func (p plan) baseline() string {
	base, _, multiplied := strings.Cut(p.name, "*")
	plain, _, limited := strings.Cut(base, "@")
	switch {
	case multiplied:
		return base
	case limited:
		return plain
	case p.key != "":
		return p.key
	case p.kind == "import" || p.kind == "record":
		return ""
	}
	return "smtp-source"
}

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
