package benchkit

import (
	"context"
	"fmt"
	"os/exec"
	"regexp"
	"slices"
	"strconv"
	"time"
)

// Result is the result of one round of wrk.
type Result struct {
	Rate          float64 // requests per second
	P50, P95, P99 time.Duration
	Refused       int // answers with another status than 2xx or 3xx
	// CPU is the processor time that the server took for each request. It is less affected by
	// other work on the machine than the rate. The caller sets it if it should be shown.
	CPU time.Duration
}

var (
	rateLine    = regexp.MustCompile(`Requests/sec:\s+([\d.]+)`)
	latency     = regexp.MustCompile(`(?m)^\s*latency (\d+) (\d+) (\d+)$`)
	refusedLine = regexp.MustCompile(`Non-2xx or 3xx responses: (\d+)`)
	socketLine  = regexp.MustCompile(`Socket errors:.*`)
)

// latencyScript prints the percentiles that wrk does not print by itself.
const latencyScript = `done = function(summary, latency, requests)
  print(string.format("latency %d %d %d", latency:percentile(50), latency:percentile(95), latency:percentile(99)))
end
`

// Load is what wrk requests: Paths in turn, or else a single path.
type Load struct {
	Address     string // host and port
	Path        string
	Paths       []string
	Headers     []string
	Length      time.Duration
	Connections int
	MayRefuse   bool // answers with errors are counted, and do not end the run
}

// Wrk runs a load. It fails when connections fail, or when requests fail although MayRefuse is not
// set.
func Wrk(ctx context.Context, dir string, l Load) (Result, error) {
	script := latencyScript
	if len(l.Paths) > 0 {
		script += "local paths = {"
		for _, path := range l.Paths {
			script += strconv.Quote(path) + ","
		}
		script += "}\nlocal n = 0\nrequest = function() n = n + 1; return wrk.format('GET', paths[n % #paths + 1]) end\n"
	}
	file, err := writeTemp(dir, "wrk-*.lua", script)
	if err != nil {
		return Result{}, err
	}
	args := []string{"-t1", "-c", strconv.Itoa(l.Connections), "-d", fmt.Sprintf("%ds", max(int(l.Length.Seconds()), 1)), "--timeout", "30s", "-s", file}
	for _, header := range l.Headers {
		args = append(args, "-H", header)
	}
	out, err := exec.CommandContext(ctx, "wrk", append(args, "http://"+l.Address+l.Path)...).CombinedOutput()
	if err != nil {
		return Result{}, fmt.Errorf("wrk (Debian package wrk): %w\n%s", err, out)
	}
	rate, times := rateLine.FindSubmatch(out), latency.FindSubmatch(out)
	if rate == nil || times == nil || socketLine.Match(out) {
		return Result{}, fmt.Errorf("wrk %s%s:\n%s", l.Address, l.Path, out)
	}
	r := Result{P50: microseconds(times[1]), P95: microseconds(times[2]), P99: microseconds(times[3])}
	if refused := refusedLine.FindSubmatch(out); refused != nil {
		if !l.MayRefuse {
			return Result{}, fmt.Errorf("wrk %s%s:\n%s", l.Address, l.Path, out)
		}
		r.Refused, _ = strconv.Atoi(string(refused[1]))
	}
	r.Rate, err = strconv.ParseFloat(string(rate[1]), 64)
	return r, err
}

func microseconds(text []byte) time.Duration {
	n, _ := strconv.Atoi(string(text)) // digits only
	return time.Duration(n) * time.Microsecond
}

// Median returns the median of each figure by itself.
func Median(results []Result) Result {
	middle := func(of func(Result) float64) float64 {
		var all []float64
		for _, r := range results {
			all = append(all, of(r))
		}
		slices.Sort(all)
		return all[len(all)/2]
	}
	return Result{
		Rate: middle(func(r Result) float64 { return r.Rate }),
		P50:  time.Duration(middle(func(r Result) float64 { return float64(r.P50) })),
		P95:  time.Duration(middle(func(r Result) float64 { return float64(r.P95) })),
		P99:  time.Duration(middle(func(r Result) float64 { return float64(r.P99) })),
		CPU:  time.Duration(middle(func(r Result) float64 { return float64(r.CPU) })),
	}
}
