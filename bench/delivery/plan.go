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
	kind        string // what is measured: the first word of the name
	engine      string // sqlite or postgres; empty for runs without a store
	key         string // rsa or ed25519; empty if mails are not signed
	connections int    // 0 for the default settings
	times       int    // factor for the number of subscribers
}

// readPlan parses the name of a run, such as "sqlite+rsa@32*10".
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
			return p, fmt.Errorf("run %q: unknown engine %q; use sqlite or postgres", name, p.engine)
		}
	default:
		return p, fmt.Errorf("run %q: use smtp-source, sqlite, postgres, rsa, ed25519, record-ENGINE or import-ENGINE", name)
	}
	return p, nil
}

// baseline returns the name of the run that a run is compared with: for a multiplied list the run
// without the factor, for a number of connections the default settings, for signed mails signing alone,
// else smtp-source. Import and record have none.
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

// result is the measurement of a run.
type result struct {
	mails int
	took  time.Duration
	peak  int64         // bytes of memory of the node; 0 if not measured
	cpu   time.Duration // processor time of the node; 0 if not measured
}

func (r result) rate() float64 { return float64(r.mails) / r.took.Seconds() }

// print writes the table: medians, and the median ratio to the baseline of the same round.
func print(plans []plan, results map[string][]result) {
	fmt.Printf("%-16s %12s %12s %36s %12s %14s\n", "run", "a second", "took", "speed to that of", "CPU/mail", "peak memory")
	for _, p := range plans {
		name, baseline := p.name, p.baseline()
		var rates, ratios, peaks, cpus, times []float64
		for i, r := range results[name] {
			rates = append(rates, r.rate())
			times = append(times, r.took.Seconds())
			cpus = append(cpus, r.cpu.Seconds()*1e6/float64(r.mails))
			peaks = append(peaks, float64(r.peak)/(1<<20))
			if base := results[baseline]; i < len(base) {
				ratios = append(ratios, r.rate()/base[i].rate())
			}
		}
		ratio := "-"
		if len(ratios) > 0 {
			ratio = fmt.Sprintf("%.2f (%.2f to %.2f) %s", median(ratios), slices.Min(ratios), slices.Max(ratios), baseline)
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
